#include "storage/log_store.hpp"

#include "protocol/crypto.hpp"
#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using kit::must;

namespace {

constexpr auto author = account_id{7};

constexpr auto at(int second) {
  return time_point{std::chrono::seconds{second}};
}

log_draft create_of(std::int64_t post) {
  return {.kind = log_kind::create, .author = author, .object = {object_kind::post, 0, post}};
}

log_draft announce_of(std::int64_t post) {
  return {.kind = log_kind::announce,
          .author = author,
          .object = {object_kind::announce, author.value, post}};
}

caf::expected<commit_receipt> try_commit(database& db, std::vector<log_draft> drafts,
                                         time_point now = {}) {
  static auto batch = std::int64_t{0};
  return db.commit_batch(++batch, now, std::nullopt, [&](database&) { return drafts; });
}

commit_receipt commit(database& db, std::vector<log_draft> drafts, time_point now = {}) {
  return must(try_commit(db, std::move(drafts), now));
}

void insert_post(database& db, std::int64_t id, std::optional<std::int64_t> boost_of = {}) {
  must(db.run("INSERT INTO post(id, author, visibility, language, reply_to, reply_author, boost_of,"
              " boost_author, created_at) VALUES ($1, $2, 3, 'de', 5, 6, $3, $4, 0)",
              {id, author, boost_of, boost_of ? sql_value{8} : sql_value{}}));
}

std::vector<log_seq> seqs(const std::vector<log_entry>& entries) {
  auto result = std::vector<log_seq>{};
  for (const auto& entry : entries)
    result.push_back(entry.seq);
  return result;
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

} // namespace

TEST_CASE("a batch numbers its rows one by one after those before", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(newest_seq(db)) == 0);
    const auto first = commit(db, {create_of(1), create_of(2)});
    CHECK(first.previous == 0);
    CHECK(first.first == 1);
    CHECK(first.last == 2);
    const auto none = commit(db, {});
    CHECK(none.previous == 2);
    CHECK(none.first == 0);
    CHECK(none.last == 0);
    const auto next = commit(db, {create_of(3)});
    CHECK(next.previous == 2);
    CHECK(next.first == 3);
    CHECK(next.last == 3);
    CHECK(must(newest_seq(db)) == 3);
  });
}

TEST_CASE("a row comes back as it was appended", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto body = std::string{"{\"it's\": \"\\u0000 \xf0\x9f\x98\x80\"}"};
    commit(db,
           {{.kind = log_kind::follow,
             .author = author,
             .object = {object_kind::follow, 7, 9},
             .cls = delivery_class::direct,
             .is_public = false,
             .audience = audience_id{4},
             .ap_id = "https://a.example/it's#1",
             .signer = account_id{3},
             .body = body,
             .extra = {endpoint_id{30}, endpoint_id{20}, endpoint_id{30}}}},
           at(5));
    const auto entries = must(read_log(db, 0, 10));
    REQUIRE(entries.size() == 1);
    const auto& entry = entries[0];
    CHECK(entry.seq == 1);
    CHECK(entry.at == at(5));
    CHECK(entry.kind == log_kind::follow);
    CHECK(entry.author == author);
    CHECK(entry.object == object_key{object_kind::follow, 7, 9});
    CHECK(entry.cls == delivery_class::direct);
    CHECK_FALSE(entry.is_public);
    CHECK(entry.audience == audience_id{4});
    CHECK_FALSE(entry.facts);
    CHECK(entry.extra == std::vector{endpoint_id{20}, endpoint_id{30}});
    CHECK(must(read_log_of(db, author, 0, 10))[0].extra == entry.extra);
    CHECK(must(extra_endpoints(db, 1)) == std::vector{endpoint_id{20}, endpoint_id{30}});
    const auto row = must(db.run("SELECT ap_id, signer, body, sha256 FROM log")).rows[0];
    CHECK(row[0].text() == "https://a.example/it's#1");
    CHECK(row[1].integer() == 3);
    CHECK(row[2].bytes() == body);
    CHECK(row[3].bytes() == sha256(body));
  });
}

TEST_CASE("rows without remote recipients have no body", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    commit(fresh.db(), {create_of(1)});
    CHECK(kit::rows_of(fresh.db().run("SELECT ap_id, signer, body, sha256 FROM log")) ==
          std::vector<std::string>{"null|null|null|null"});
  });
}

TEST_CASE("what a batch writes is counted, the log's rows and its own included", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto before = db.rows_written();
    auto draft = create_of(1);
    draft.extra = {endpoint_id{1}, endpoint_id{2}, endpoint_id{2}};
    must(db.commit_batch(1'000, at(0), std::nullopt,
                         [&](database& open) -> caf::expected<std::vector<log_draft>> {
                           insert_post(open, 1);
                           return std::vector{draft};
                         }));
    const auto own = fresh.is_sqlite() ? 0 : 1; // SQLite needs no row of the batch
    CHECK(db.rows_written() - before == 1 + 1 + 2 + own);
  });
}

TEST_CASE("a batch is kept whole or not at all", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto named = create_of(1);
    named.ap_id = "https://a.example/1";
    commit(db, {named});
    const auto before = kit::dump(db);
    const auto attempt = [&](std::vector<log_draft> drafts, std::int64_t batch) {
      return db.commit_batch(batch, at(0), std::nullopt,
                             [&](database& open) -> caf::expected<std::vector<log_draft>> {
                               insert_post(open, 1);
                               return drafts;
                             });
    };
    const auto twice = attempt({create_of(2), named}, 2'000);
    REQUIRE_FALSE(twice);
    CHECK(code_of(twice.error()) == errc::unique_violation);
    CHECK(context_of(twice.error()) == "log.ap_id");
    named.ap_id = std::string{"a\0b", 3};
    CHECK(code_of(attempt({named}, 2'001).error()) == errc::invalid);
    CHECK(code_of(error_of(
              db.commit_batch(2'002, at(0), std::nullopt,
                              [&](database& open) -> caf::expected<std::vector<log_draft>> {
                                insert_post(open, 1);
                                return make_error(errc::conflict);
                              }))) == errc::conflict);
    CHECK(kit::dump(db) == before);
    CHECK(commit(db, {create_of(3)}).first == 2); // the number was not used up
  });
}

TEST_CASE("a batch inside a transaction is refused", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    must(fresh.db().transact([](database& open) -> caf::error {
      CHECK(code_of(error_of(try_commit(open, {}))) == errc::storage_refused);
      return {};
    }));
  });
}

TEST_CASE("posts, edits and boosts bring their facts", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    insert_post(db, 50);
    insert_post(db, 60, 50);
    for (const auto mentioned : {13, 11})
      must(db.run("INSERT INTO mention(post_id, account_id) VALUES (50, $1)", {mentioned}));
    auto edit = create_of(50);
    edit.kind = log_kind::update;
    auto removal = create_of(50);
    removal.kind = log_kind::remove;
    commit(db, {create_of(50), announce_of(50), edit, removal, create_of(51), announce_of(51)});
    const auto entries = must(read_log(db, 0, 100));
    REQUIRE(entries.size() == 6);
    const auto post = post_facts{.id = post_id{50},
                                 .author = author,
                                 .reply_to = post_id{5},
                                 .reply_author = account_id{6},
                                 .seen_by = visibility::followers,
                                 .language = "de",
                                 .mentions = {account_id{11}, account_id{13}}};
    CHECK(entries[0].facts == post);
    REQUIRE(entries[1].facts);
    CHECK(entries[1].facts->id == post_id{60});
    CHECK(entries[1].facts->boost_of == post_id{50});
    CHECK(entries[2].facts == post);
    CHECK_FALSE(entries[3].facts);
    CHECK_FALSE(entries[4].facts); // gone
    CHECK_FALSE(entries[5].facts);
  });
}

TEST_CASE("the log is read in order, in parts, and by author", "[log]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto drafts = std::vector<log_draft>{};
    for (auto post = 1; post <= 100; ++post) {
      insert_post(db, post);
      drafts.push_back(create_of(post));
      drafts.back().author = account_id{post % 2 ? 7 : 8};
    }
    commit(db, drafts);
    CHECK(seqs(must(read_log(db, 0, 3))) == std::vector<log_seq>{1, 2, 3});
    CHECK(seqs(must(read_log(db, 98, 3))) == std::vector<log_seq>{99, 100});
    CHECK(must(read_log(db, 100, 3)).empty());
    CHECK(seqs(must(read_log_of(db, account_id{8}, 2, 2))) == std::vector<log_seq>{4, 6});
    for (const auto& entry : must(read_log(db, 0, 1'000))) { // more than one statement's facts
      REQUIRE(entry.facts);
      CHECK(entry.facts->id.value == entry.seq);
    }
  });
}

TEST_CASE("operations of the log store fail as a whole", "[log][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    insert_post(db, 1);
    insert_post(db, 2, 1);
    auto draft = create_of(1);
    draft.body = "{}";
    draft.extra = {endpoint_id{1}};
    commit(db, {draft, announce_of(1), draft});
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    CHECK(walk([](database& open) { return error_of(read_log(open, 0, 9)); }) == 6);
    walk([](database& open) { return error_of(read_log_of(open, author, 0, 9)); });
    walk([](database& open) { return error_of(newest_seq(open)); });
    walk([](database& open) { return error_of(extra_endpoints(open, 1)); });
  });
}
