#include "actors/queries_views.hpp"

#include "actors/count_cache.hpp"
#include "actors/fanout.hpp"
#include "actors/log_reader.hpp"
#include "actors/messages.hpp"
#include "kit/test_node.hpp"
#include "storage/view_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto carol = account_id{9};
constexpr auto people = {alice, bob, carol};

/// What a node keeps of its log, and whether the hints of it get lost.
struct log_memory {
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<count_cache> counts;
  bool hints_lost = false;
};

log_reader_handle::behavior_type gate(log_reader_handle::pointer self, log_reader_handle to,
                                      std::shared_ptr<log_memory> memory) {
  return {
      [=](log_hint& hint) {
        if (!memory->hints_lost)
          self->send(to, std::move(hint));
      },
      [=](describe_log question) -> caf::result<log_report> {
        return self->delegate(to, question);
      },
      [=](const read_missed& wish) -> caf::result<found_units> { return self->delegate(to, wish); },
      [](const log_has_grown&) {},
      [](poll_log) {},
      [](close_hole) {},
  };
}

log_reader_handle follow_log(kit::test_node& node, const std::shared_ptr<log_memory>& memory) {
  node.storage.position = memory->position;
  memory->counts = std::make_shared<count_cache>(memory->position, count_cache_options{}, [&node] {
    return node.actors.system().clock().now();
  });
  const auto fan = node.actors.spawn(fanout,
                                     fanout_dependencies{.rings = std::make_shared<home_rings>(),
                                                         .position = memory->position,
                                                         .caches = {memory->counts},
                                                         .clock = node.actors.clock()},
                                     fanout_options{});
  const auto reader = node.actors.spawn(log_reader,
                                        log_reader_dependencies{.readers = node.handles.readers,
                                                                .fanout = fan,
                                                                .position = memory->position},
                                        log_reader_options{});
  return node.actors.spawn(gate, reader, memory);
}

/// Three accounts on a node that keeps counts, each asked as a handler asks: through the queries.
struct world : kit::test_node {
  world(std::uint64_t seed, kit::open_connection open,
        std::shared_ptr<log_memory> kept = std::make_shared<log_memory>())
      : kit::test_node{seed,
                       std::move(open),
                       {.log_reader =
                            [kept](kit::test_node& node) { return follow_log(node, kept); }}},
        memory{std::move(kept)} {
    add_account(alice, "alice");
    add_account(bob, "bob");
    add_account(carol, "carol");
    actors.settle();
  }

  template <class Message>
  void tell(Message message) {
    auto answer = actors.start_done(accounts, std::move(message));
    actors.settle();
    REQUIRE(answer.ready());
  }
  post_id posted(account_id who, post_draft draft) {
    const auto id = must(ask<post_id>(publish_post{who, std::move(draft), {}, {}}));
    authors[id] = who;
    return id;
  }
  /// A change that no account makes yet.
  void commit(std::string sql, log_kind kind, object_key object) {
    auto change = write_job{[=](write_context& context) -> caf::error {
      context.log.push_back({.kind = kind, .author = {object.actor}, .object = object});
      auto done = context.db.run(sql);
      return done ? caf::error{} : std::move(done.error());
    }};
    auto answer = actors.start_done(handles.writer, std::move(change));
    actors.settle();
    REQUIRE(answer.ready());
    REQUIRE_FALSE(answer.failure());
  }
  void like(account_id who, post_id post) {
    commit("INSERT INTO favourite(account_id, post_id, at) VALUES (" + to_string(who) + ", " +
               to_string(post) + ", 0) ON CONFLICT DO NOTHING",
           log_kind::like, {object_kind::like, who.value, post.value});
  }
  void unlike(account_id who, post_id post) {
    commit("DELETE FROM favourite WHERE account_id = " + to_string(who) +
               " AND post_id = " + to_string(post),
           log_kind::undo_like, {object_kind::like, who.value, post.value});
  }

  account_view shown(account_id id) { return must(ask_account_view(id, memory->counts).run(db())); }
  post_view shown(post_id id) {
    return must(ask_post(authors.at(id), id, {actors.now(), memory->counts}).run(db()));
  }

  /// Counts by the plainest statements there are: what every answer must agree with.
  std::vector<std::int64_t> counted(account_id id) {
    const auto is = " = " + to_string(id);
    return {count("follow WHERE accepted = 1 AND followee" + is),
            count("follow WHERE accepted = 1 AND follower" + is),
            count("post WHERE visibility <> 4 AND author" + is)};
  }
  std::vector<std::int64_t> counted(post_id id) {
    const auto is = " = " + to_string(id);
    return {count("post WHERE visibility <= 2 AND reply_to" + is),
            count("post WHERE boost_of" + is), count("favourite WHERE post_id" + is)};
  }
  static std::vector<std::int64_t> counts_of(const account_view& view) {
    return {view.followers, view.following, view.posts};
  }
  static std::vector<std::int64_t> counts_of(const post_view& view) {
    return {view.replies, view.boosts, view.favourites};
  }

  /// Checks memory and recount against the plain counts, of everybody and of every post.
  void check_all() {
    for (const auto id : people) {
      CHECK(counts_of(shown(id)) == counted(id));
      CHECK(counts_of(must(load_account(db(), id))) == counted(id));
    }
    for (const auto& [id, author] : authors) {
      if (count("post WHERE id = " + to_string(id)) == 0)
        continue;
      CHECK(counts_of(shown(id)) == counted(id));
      CHECK(counts_of(must(load_post(db(), author, id, actors.now()))) == counted(id));
    }
  }

  std::shared_ptr<log_memory> memory;
  std::map<post_id, account_id> authors;
};

void on_both(const std::function<void(world&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    auto here =
        world{11, [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }};
    body(here);
  });
}

/// Hands on to the cache, but does something before it gives what was counted.
class late_counts final : public known_counts {
public:
  late_counts(known_counts_ptr to, std::function<void()> before)
      : to_{std::move(to)}, before_{std::move(before)} {}

  std::optional<account_counts> find(account_id id) override { return to_->find(id); }
  std::optional<post_counts> find(post_id id) override { return to_->find(id); }
  std::uint64_t lease(account_id id) override { return to_->lease(id); }
  std::uint64_t lease(post_id id) override { return to_->lease(id); }
  void keep(account_id id, const account_counts& counts, std::uint64_t lease) override {
    before_();
    to_->keep(id, counts, lease);
  }
  void keep(post_id id, const post_counts& counts, std::uint64_t lease) override {
    before_();
    to_->keep(id, counts, lease);
  }

private:
  known_counts_ptr to_;
  std::function<void()> before_;
};

} // namespace

TEST_CASE("what was counted once is known until a row changes it", "[queries_views][P3]") {
  on_both([](world& here) {
    const auto post = here.posted(alice, {.text = "warm"});
    (void)here.shown(post);
    const auto misses = here.memory->counts->misses();
    const auto hits = here.memory->counts->hits();
    CHECK(here.shown(post).author->posts == 1);
    CHECK(here.shown(alice).posts == 1);
    CHECK(here.memory->counts->misses() == misses);
    CHECK(here.memory->counts->hits() == hits + 3);
    (void)must(here.ask<post_id>(edit_post{alice, post, {.text = "changes no count"}, {}}));
    CHECK(here.shown(alice).posts == 1);
    CHECK(here.memory->counts->misses() == misses);
  });
}

TEST_CASE("every kind of row that changes a count changes the answer", "[queries_views][I12]") {
  on_both([](world& here) {
    const auto post = here.posted(alice, {.text = "the one"});
    here.check_all();
    const auto step = [&](const auto& change, auto about, std::vector<std::int64_t> then) {
      REQUIRE(here.counts_of(here.shown(about)) != then);
      change();
      CHECK(here.counts_of(here.shown(about)) == then);
      here.check_all();
    };
    using n = std::vector<std::int64_t>;
    step([&] { here.tell(follow_account{bob, alice, {}, {}}); }, alice, n{1, 0, 1});
    step([&] { here.tell(unfollow_account{bob, alice, {}}); }, bob, n{0, 0, 0});
    here.tell(follow_account{bob, alice, {}, {}});
    step([&] { here.tell(block_account{alice, bob, {}}); }, bob, n{0, 0, 0});
    here.tell(unblock_account{alice, bob, {}});
    auto reply = post_id{};
    step([&] { reply = here.posted(bob, {.text = "yes", .reply_to = post}); }, post, n{1, 0, 0});
    step([&] { here.like(bob, post); }, post, n{1, 0, 1});
    step([&] { here.unlike(bob, post); }, post, n{1, 0, 0});
    step(
        [&] {
          (void)must(here.ask<post_id>(boost_post{carol, post, visibility::everyone, {}}));
        },
        post, n{1, 1, 0});
    step([&] { here.tell(unboost_post{carol, post, {}}); }, carol, n{0, 0, 0});
    step([&] { here.tell(delete_post{bob, reply, {}}); }, post, n{0, 0, 0});
    here.tell(follow_account{carol, alice, {}, {}});
    step(
        [&] {
          here.commit("DELETE FROM follow WHERE follower = 9", log_kind::remove_actor,
                      {object_kind::account, 0, carol.value});
        },
        alice, n{0, 0, 1});
  });
}

TEST_CASE("a follow that was answered is seen before its row reaches the caches",
          "[queries_views][P2]") {
  on_both([](world& here) {
    CHECK(here.shown(alice).followers == 0);
    CHECK(here.shown(alice).followers == 0);
    REQUIRE(here.memory->counts->hits() > 0);
    here.memory->hints_lost = true;
    here.tell(follow_account{bob, alice, {}, {}});
    REQUIRE_FALSE(here.memory->position->is_caught_up());
    CHECK(here.shown(alice).followers == 1);
    here.actors.advance(1s); // the poll finds the row
    REQUIRE(here.memory->position->is_caught_up());
    CHECK(here.shown(alice).followers == 1);
  });
}

TEST_CASE("a count that a change has overtaken is shown to nobody else", "[queries_views]") {
  on_both([](world& here) {
    const auto late = std::make_shared<late_counts>(here.memory->counts, [&] {
      here.tell(follow_account{bob, alice, {}, {}});
    });
    CHECK(must(ask_account_view(alice, late).run(here.db())).followers == 0);
    CHECK(here.shown(alice).followers == 1);
  });
}

namespace {

/// One change at random, as far as it is allowed.
void change_something(world& here, std::mt19937_64& random) {
  const auto who = account_id{alice.value + static_cast<std::int64_t>(random() % 3)};
  const auto whom = account_id{alice.value + static_cast<std::int64_t>(random() % 3)};
  const auto seen_by = static_cast<visibility>(1 + random() % 4);
  if (here.authors.size() < 4) {
    here.posted(who, {.text = "post", .seen_by = seen_by});
    return;
  }
  const auto post =
      std::next(here.authors.begin(), static_cast<std::ptrdiff_t>(random() % here.authors.size()))
          ->first;
  switch (random() % 11) {
  case 0:
    return here.tell(follow_account{who, whom, {}, {}});
  case 1:
    return here.tell(unfollow_account{who, whom, {}});
  case 2:
    return here.tell(block_account{who, whom, {}});
  case 3:
    return here.tell(unblock_account{who, whom, {}});
  case 4:
  case 5: {
    const auto id = here.ask<post_id>(
        publish_post{who, {.text = "reply", .seen_by = seen_by, .reply_to = post}, {}, {}});
    if (id)
      here.authors[*id] = who;
    return;
  }
  case 6:
    (void)here.ask<post_id>(boost_post{who, post, visibility::everyone, {}});
    return;
  case 7:
    return here.tell(unboost_post{who, post, {}});
  case 8:
    return here.like(who, post);
  case 9:
    return here.unlike(who, post);
  default:
    here.tell(delete_post{here.authors.at(post), post, {}});
    here.authors.erase(post);
  }
}

} // namespace

TEST_CASE("counts in memory and counted anew agree after every change", "[queries_views][I12]") {
  const auto seed = GENERATE(range(1, 4));
  CAPTURE(seed);
  kit::on_both([&](kit::test_database& fresh) {
    auto here = world{static_cast<std::uint64_t>(seed), [&](bool writer) {
                        return writer ? fresh.connect() : fresh.connect_reader();
                      }};
    auto random = std::mt19937_64{static_cast<std::uint64_t>(seed)};
    for (auto i = 0; i < 60; ++i) {
      here.memory->hints_lost = random() % 4 == 0;
      change_something(here, random);
      here.check_all();
      here.actors.advance(std::chrono::milliseconds{random() % 400});
      here.check_all();
    }
    CHECK(here.memory->counts->hits() > here.memory->counts->misses() / 4);
  });
}
