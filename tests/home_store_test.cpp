#include "storage/home_store.hpp"

#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <random>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto now = time_point{1000s};
constexpr auto viewer = account_id{1};

void on_each_database(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) { body(fresh.db()); });
}

sql_value optional_id(std::int64_t id) {
  return id ? sql_value{id} : sql_value{};
}

void store(database& db, const post_facts& facts) {
  REQUIRE(db.run("INSERT INTO post(id, author, visibility, language, reply_to, reply_author,"
                 " boost_of, boost_author, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
                 {facts.id, facts.author, static_cast<int>(facts.seen_by), facts.language,
                  optional_id(facts.reply_to.value), optional_id(facts.reply_author.value),
                  optional_id(facts.boost_of.value), optional_id(facts.boost_author.value)}));
  if (!facts.boost_of)
    for (const auto named : facts.mentions)
      REQUIRE(
          db.run("INSERT INTO mention(post_id, account_id) VALUES ($1, $2)", {facts.id, named}));
}

void follow(database& db, account_id followed, bool accepted = true, bool show_boosts = true,
            std::string languages = "") {
  REQUIRE(db.run("INSERT INTO follow(follower, followee, at, accepted, show_boosts, languages)"
                 " VALUES ($1, $2, 0, $3, $4, $5)",
                 {viewer, followed, accepted, show_boosts, languages}));
}

std::vector<std::int64_t> ids_of(const std::vector<post_id>& posts) {
  auto ids = std::vector<std::int64_t>{};
  for (const auto post : posts)
    ids.push_back(post.value);
  return ids;
}

std::vector<std::int64_t> read_range(database& db, const viewer_graph& graph, home_range range,
                                     std::size_t limit) {
  auto posts = read_home_range(db, graph, range, limit, now);
  REQUIRE(posts);
  return ids_of(*posts);
}

/// Random posts of accounts 1 to 12, of whom the viewer follows some.
std::vector<post_facts> random_posts(std::mt19937& random, int count) {
  auto posts = std::vector<post_facts>{};
  for (auto number = 0; number < count; ++number) {
    auto post = post_facts{.id = {number * 3 + 10},
                           .author = {static_cast<std::int64_t>(1 + random() % 12)}};
    post.seen_by = static_cast<visibility>(1 + random() % 4);
    if (random() % 3 == 0)
      post.language = random() % 2 ? "de" : "en";
    if (random() % 3 == 0)
      post.mentions = {{1}, {static_cast<std::int64_t>(2 + random() % 11)}};
    const auto* other = posts.empty() ? nullptr : &posts[random() % posts.size()];
    if (other && random() % 3 == 0) {
      post.reply_to = other->id;
      post.reply_author = random() % 10 ? other->author : account_id{};
    } else if (other && !other->boost_of && random() % 3 == 0 &&
               std::ranges::none_of(posts, [&](auto& known) {
                 return known.boost_of == other->id && known.author == post.author;
               })) {
      post.boost_of = other->id;
      post.boost_author = other->author;
      post.mentions = other->mentions;
    }
    posts.push_back(std::move(post));
  }
  return posts;
}

} // namespace

TEST_CASE("a viewer's graph holds accepted follows, mutes and blocks both ways", "[home_store]") {
  on_each_database([](database& db) {
    follow(db, {5});
    follow(db, {3}, true, false, "de,fr");
    follow(db, {4}, false);
    REQUIRE(
        db.run("INSERT INTO block(blocker, blocked, at) VALUES (1, 9, 0), (8, 1, 0), (8, 9, 0)"));
    REQUIRE(db.run("INSERT INTO mute(muter, muted, at, expires_at) VALUES (1, 7, 0, 5000000),"
                   " (1, 6, 0, NULL), (2, 1, 0, NULL)"));
    const auto graph = read_viewer_graph(db, viewer);
    REQUIRE(graph);
    REQUIRE(graph->followees.size() == 2);
    CHECK(graph->followees[0].account == account_id{3});
    CHECK_FALSE(graph->followees[0].show_boosts);
    CHECK(graph->followees[1].show_boosts);
    CHECK(*graph->languages_of({3}) == std::vector<std::string>{"de", "fr"});
    CHECK_FALSE(graph->languages_of({5}));
    CHECK(graph->blocked == std::vector<account_id>{{9}});
    CHECK(graph->blocking == std::vector<account_id>{{8}});
    REQUIRE(graph->muted.size() == 2);
    CHECK(graph->muted[0].account == account_id{6});
    CHECK_FALSE(graph->muted[0].expires_at);
    CHECK(graph->muted[1].expires_at == time_point{5s});
  });
}

TEST_CASE("facts name whom a post names, and a boost names whom its post names", "[home_store]") {
  on_each_database([](database& db) {
    const auto post = post_facts{.id = {10},
                                 .author = {2},
                                 .reply_to = {5},
                                 .reply_author = {4},
                                 .seen_by = visibility::unlisted,
                                 .language = "de",
                                 .mentions = {{3}, {7}}};
    const auto boost = post_facts{
        .id = {20}, .author = {3}, .boost_of = {10}, .boost_author = {2}, .mentions = {{3}, {7}}};
    const auto boost_of_nothing =
        post_facts{.id = {30}, .author = {3}, .boost_of = {11}, .boost_author = {2}};
    for (const auto& facts : {post, boost, boost_of_nothing})
      store(db, facts);
    const auto wanted = std::vector<post_id>{{20}, {10}, {30}, {99}};
    const auto found = read_facts(db, wanted);
    REQUIRE(found);
    CHECK(*found == std::vector<post_facts>{post, boost});
  });
}

TEST_CASE("a merged home is the home of all posts, in every part of it", "[home_store]") {
  const auto seed = GENERATE(range(0, 12));
  CAPTURE(seed);
  on_each_database([&](database& db) {
    auto random = std::mt19937{static_cast<unsigned>(seed)};
    auto posts = random_posts(random, 60 + static_cast<int>(random() % 900));
    for (const auto& facts : posts)
      store(db, facts);
    for (auto account = 2; account <= 9; ++account)
      if (random() % 4)
        follow(db, {account}, random() % 6 != 0, random() % 3 != 0, random() % 3 ? "" : "de");
    REQUIRE(db.run("INSERT INTO block(blocker, blocked, at) VALUES (1, 4, 0), (5, 1, 0)"));
    REQUIRE(db.run("INSERT INTO mute(muter, muted, at) VALUES (1, 6, 0)"));

    const auto home = read_home_snapshot(db, viewer, now);
    REQUIRE(home);
    auto expected = std::vector<home_reference>{};
    for (const auto& facts : posts)
      if (may_belong_in_home(*home->graph, facts, now))
        expected.insert(expected.begin(), {facts.id, facts.boost_of});
    if (expected.size() > home_ring_size)
      expected.resize(home_ring_size);
    CHECK(home->posts == expected);
    // Nothing between the oldest of a full ring and the bound it claims belongs.
    for (const auto& facts : posts)
      if (facts.id >= home->complete_from && may_belong_in_home(*home->graph, facts, now))
        CHECK(std::ranges::count(home->posts, facts.id, &home_reference::id) == 1);

    const auto all = ids_of(home_of(*home->graph, posts, now, posts.size()));
    CHECK(read_range(db, *home->graph, {}, posts.size()) == all);
    auto upwards = std::vector<std::int64_t>{all.rbegin(), all.rend()};
    CHECK(read_range(db, *home->graph, {.oldest_first = true}, posts.size()) == upwards);
    const auto middle = post_id{static_cast<std::int64_t>(posts.size()) / 2 * 3 + 10};
    auto older = all;
    std::erase_if(older, [&](auto id) { return id >= middle.value; });
    CHECK(read_range(db, *home->graph, {.below = middle}, posts.size()) == older);
    std::erase_if(upwards, [&](auto id) { return id <= middle.value; });
    upwards.resize(std::min<std::size_t>(upwards.size(), 7));
    CHECK(read_range(db, *home->graph, {.above = middle, .oldest_first = true}, 7) == upwards);
  });
}

TEST_CASE("a rebuild notes the newest row of the log, and covers everything when it can",
          "[home_store]") {
  on_each_database([](database& db) {
    store(db, {.id = {10}, .author = viewer});
    CHECK(read_home_snapshot(db, viewer, now)->seq == 0);
    REQUIRE(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public)"
                   " VALUES (41, 0, 1, 1, 'p/0/10', 2, 1)"));
    const auto home = read_home_snapshot(db, viewer, now);
    REQUIRE(home);
    CHECK(home->seq == 41);
    CHECK(home->complete_from == post_id{});
  });
}

TEST_CASE("a merge looks at a bounded number of posts", "[home_store]") {
  on_each_database([](database& db) {
    follow(db, {2});
    for (auto id = 1; id <= 300; ++id)
      store(db, {.id = {id}, .author = {2}, .reply_to = {5000}, .reply_author = {9}});
    const auto graph = read_viewer_graph(db, viewer);
    REQUIRE(graph);
    auto merge = home_merge{db, *graph, {}, now, 100};
    REQUIRE_FALSE(merge.start());
    auto looked_at = std::int64_t{0};
    while (*merge.next())
      ++looked_at;
    CHECK(looked_at >= 100);
    CHECK(looked_at < 100 + 128);
    REQUIRE(merge.rest());
    CHECK(merge.rest()->value == 300 - looked_at);
  });
}

TEST_CASE("reads of homes report every failure of the database", "[home_store][walk]") {
  on_each_database([](database& db) {
    follow(db, {2});
    store(db, {.id = {10}, .author = {2}});
    const auto graph = viewer_graph{.viewer = viewer, .followees = {{{2}}}};
    const auto wanted = std::vector<post_id>{{10}};
    const auto walk = [&](auto operation) {
      return kit::walk_every_n(db, [operation](database& open) {
        auto result = operation(open);
        return result ? caf::error{} : std::move(result.error());
      });
    };
    CHECK(walk([](auto& open) { return read_viewer_graph(open, viewer); }) == 6);
    CHECK(walk([](auto& open) { return read_home_snapshot(open, viewer, now); }) == 10);
    CHECK(walk([&](auto& open) { return read_home_range(open, graph, {}, 9, now); }) == 5);
    CHECK(walk([&](auto& open) { return read_facts(open, wanted); }) == 3);
  });
}

namespace {

/// Counts what a reader is handed.
class counting_database final : public database {
public:
  explicit counting_database(database& inner) : inner_{inner} {}
  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    auto result = inner_.run(sql, values);
    ++statements;
    if (result)
      rows += result->rows.size();
    return result;
  }
  caf::error transact(const std::function<caf::error(database&)>& body) override {
    return inner_.transact(body);
  }
  caf::expected<commit_receipt>
  commit_batch(std::int64_t, time_point, const std::optional<write_fence>&,
               const std::function<caf::expected<std::vector<log_draft>>(database&)>&) override {
    return make_error(errc::storage_refused, "counting_database: reads only");
  }
  std::int64_t rows_written() const override { return inner_.rows_written(); }
  std::string_view key_type() const override { return inner_.key_type(); }
  std::string_view now_sql() const override { return inner_.now_sql(); }
  std::string_view server_sql() const override { return inner_.server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_.lock_sql(lock); }
  std::string_view dialect() const override { return inner_.dialect(); }

  std::size_t statements = 0;
  std::size_t rows = 0;

private:
  database& inner_;
};

} // namespace

TEST_CASE("a rebuild reads a part of what many followees wrote", "[home_store]") {
  on_each_database([](database& db) {
    constexpr auto followees = 100;
    constexpr auto posts_of_each = 60;
    REQUIRE_FALSE(db.transact([&](database& open) -> caf::error {
      for (auto id = 1; id <= followees * posts_of_each; ++id)
        store(open, {.id = {id}, .author = {2 + id % followees}});
      for (auto account = 2; account < 2 + followees; ++account)
        follow(open, {account});
      return {};
    }));
    auto counting = counting_database{db};
    const auto home = read_home_snapshot(counting, viewer, now);
    REQUIRE(home);
    CHECK(home->posts.size() == home_ring_size);
    // 4 posts of each are in the ring: one chunk of 8 each, and the head of the next.
    CHECK(counting.statements <= 7 + followees);
    CHECK(counting.rows <= 2 * followees + 8 * followees + 7);
  });
}
