#include "storage/delivery_store.hpp"

#include "protocol/errc.hpp"
#include "storage/audience_store.hpp"
#include "storage/host_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

constexpr auto far = host_id{1};
constexpr auto near = host_id{2};
constexpr auto author = account_id{5};
constexpr auto bulk = delivery_class::bulk;
constexpr auto direct = delivery_class::direct;
constexpr auto at = time_point{1'000s};
const auto far_address = host_address{"https", "far.example", 443};

struct row {
  log_seq seq = 0;
  delivery_class cls = bulk;
  bool is_public = true;
  audience_id audience;
  std::vector<int> extra;
  account_id by = author;
};

void add(database& db, const row& next) {
  must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id, body,"
              " sha256) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9)",
              {next.seq, at, next.by, "p/0/" + std::to_string(next.seq), static_cast<int>(next.cls),
               next.is_public, next.audience, blob{"body " + std::to_string(next.seq)},
               blob{"hash"}}));
  for (const auto endpoint : next.extra)
    must(db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)", {next.seq, endpoint}));
}

/// Endpoints 11, 12 and 13 on far.example, 21 on near.example; all but 13 have followers.
audience_id prepare(database& db) {
  must(ensure_host(db, far_address, far));
  must(ensure_host(db, {"https", "near.example", 443}, near));
  for (const auto& [id, host] : {std::pair{11, far}, {12, far}, {13, far}, {21, near}})
    must(ensure_endpoint(db, {host, "https://inbox/" + std::to_string(id), id == 11},
                         endpoint_id{id}));
  for (const auto id : {11, 12, 21})
    must(add_follower(db, author, endpoint_id{id}));
  return must(audience_for_next_post(db, author, audience_id{77}));
}

std::vector<std::string> names(const std::vector<delivery_unit>& units) {
  auto all = std::vector<std::string>{};
  for (const auto& unit : units)
    all.push_back(std::to_string(unit.seq) + ">" + to_string(unit.to->id));
  return all;
}

std::vector<std::string> missed(database& db, const missed_units& wanted) {
  return names(must(find_missed(db, wanted)).units);
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("what a checkpoint writes is what a start reads", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    auto changes = checkpoint{};
    for (auto number = 0; number < 256; ++number)
      for (const auto cls : {direct, bulk})
        changes.marks.push_back({static_cast<std::uint8_t>(number),
                                 cls,
                                 10 + number,
                                 {{100 + number, endpoint_id{11}}}});
    changes.backlogs = {{.host = far,
                         .cls = bulk,
                         .behind_from = 4,
                         .acked = {{6, endpoint_id{11}}, {7, endpoint_id{12}}},
                         .count = 9,
                         .counted_to = 14,
                         .oldest_at = at},
                        {.host = near, .cls = direct, .behind_from = 1, .oldest_at = at}};
    REQUIRE_FALSE(save_checkpoint(db, changes));
    const auto books = must(load_books(db));
    auto marks = books.marks;
    std::ranges::sort(marks, {}, [](const auto& mark) { return std::pair{mark.shard, mark.cls}; });
    CHECK(marks == changes.marks);
    REQUIRE(books.backlogs.size() == 2);
    const auto& read = books.backlogs[books.backlogs[0].host == far ? 0 : 1];
    CHECK(read.behind_from == 4);
    CHECK(read.acked == changes.backlogs[0].acked);
    CHECK(read.count == 9);
    CHECK(read.counted_to == 14);
    CHECK(read.oldest_at == at);

    auto next = checkpoint{};
    next.marks = {{3, bulk, 99, {}}};
    next.backlogs = {{.host = far, .cls = bulk, .behind_from = 8, .oldest_at = at}};
    next.caught_up = {{near, direct}};
    REQUIRE_FALSE(save_checkpoint(db, next));
    const auto later = must(load_books(db));
    CHECK(later.marks.size() == 512);
    REQUIRE(later.backlogs.size() == 1);
    CHECK(later.backlogs[0].behind_from == 8);
  });
}

TEST_CASE("exceptions and facts are written by a checkpoint", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add(db, {.seq = 3, .extra = {11, 12}});
    const auto key = [](int endpoint) { return unit_key{3, endpoint_id{endpoint}}; };
    const auto waiting = delivery_exception{.unit = key(11),
                                            .object = {object_kind::post, 0, 3},
                                            .error = "status 500",
                                            .attempts = 2,
                                            .next_try_at = at + 30s};
    auto dead = waiting;
    dead.unit = key(12);
    dead.status = exception_status::dead;
    auto changes = checkpoint{};
    changes.exceptions = {{far, key(11), waiting}, {far, key(12), dead}};
    changes.facts = {{.id = far,
                      .state = host_state::suspended,
                      .fail_streak = 4,
                      .first_fail_at = at,
                      .next_try_at = at + 1h,
                      .window = 7,
                      .paused = true, // is not written
                      .scheme = signature_scheme::rfc9421,
                      .last_ok_at = at - 1h}};
    REQUIRE_FALSE(save_checkpoint(db, changes));
    const auto read = must(waiting_exceptions(db, far, 10));
    REQUIRE(read.size() == 1);
    CHECK(read[0].row == waiting);
    CHECK(read[0].unit.to->url == "https://inbox/11");
    CHECK(read[0].unit.author == author);
    CHECK(must(count_dead_letters(db, far)) == 1);
    auto facts = changes.facts[0];
    facts.paused = false;
    CHECK(must(find_host(db, far_address)) == std::optional{facts});

    const auto hosts = must(waiting_hosts(db));
    REQUIRE(hosts.size() == 1);
    CHECK(hosts[0].address == far_address);
    CHECK(hosts[0].next_try_at == std::optional{at + 1h});
    REQUIRE_FALSE(clear_next_try(db, far_address));
    CHECK(must(waiting_hosts(db))[0].next_try_at == std::optional{at + 30s}); // the exception's
    CHECK_FALSE(must(find_host(db, far_address))->next_try_at);

    auto gone = checkpoint{};
    gone.exceptions = {{far, key(11), std::nullopt}};
    REQUIRE_FALSE(save_checkpoint(db, gone));
    CHECK(must(waiting_exceptions(db, far, 10)).empty());
    CHECK(must(waiting_hosts(db)).empty());
  });
}

TEST_CASE("of the books those of some shards are read", "[delivery_store][shards]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    const auto of_far = shard_set{}.set(host_shard(far_address));
    auto changes = checkpoint{};
    for (auto number = 0; number < 256; ++number)
      changes.marks.push_back({static_cast<std::uint8_t>(number), bulk, 10 + number, {}});
    changes.backlogs = {{.host = far, .cls = bulk, .behind_from = 4, .oldest_at = at},
                        {.host = near, .cls = bulk, .behind_from = 5, .oldest_at = at}};
    REQUIRE_FALSE(save_checkpoint(db, changes));
    must(db.run("UPDATE host SET drained_after = id"));
    const auto books = must(load_books(db, of_far));
    REQUIRE(books.marks.size() == 1);
    CHECK(books.marks[0].shard == host_shard(far_address));
    REQUIRE(books.backlogs.size() == 1);
    CHECK(books.backlogs[0].host == far);
    const auto waiting = must(waiting_hosts(db, of_far));
    REQUIRE(waiting.size() == 1);
    CHECK(waiting[0].id == far);
    const auto drained = must(drained_hosts(db, of_far));
    REQUIRE(drained.size() == 1);
    CHECK(drained[0].id == far);
    CHECK(drained[0].shard == host_shard(far_address));
    CHECK(drained[0].after == far.value);

    CHECK(must(load_books(db, ~of_far)).backlogs.size() == 1);
    CHECK(must(waiting_hosts(db, ~of_far)).size() == 1);
    CHECK(must(drained_hosts(db, ~of_far)).size() == 1);
    const auto found = must(find_endpoints(db, std::vector{endpoint_id{11}}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].shard == host_shard(found[0].host));
  });
}

TEST_CASE("a host that has no row cannot be paused", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    REQUIRE_FALSE(set_paused(db, far_address, true));
    CHECK(must(find_host(db, far_address))->paused);
    CHECK(code_of(set_paused(db, {"https", "nobody.example", 443}, true)) == errc::not_found);
    CHECK_FALSE(clear_next_try(db, {"https", "nobody.example", 443}));
    CHECK_FALSE(must(find_host(db, {"https", "nobody.example", 443})));
  });
}

TEST_CASE("rows for other servers are read in pages", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    const auto audience = prepare(db);
    add(db, {.seq = 1, .audience = audience});
    add(db, {.seq = 2}); // for nobody
    add(db, {.seq = 3, .cls = direct, .is_public = false, .extra = {13, 11}});
    add(db, {.seq = 4, .audience = audience, .extra = {13}});
    add(db, {.seq = 5});
    const auto all = must(read_deliverable(db, 0, 10));
    CHECK(all.upto == 5); // everything was looked at
    REQUIRE(all.rows.size() == 3);
    CHECK(all.rows[0].audience == audience);
    CHECK(all.rows[1].extra == std::vector{endpoint_id{11}, endpoint_id{13}});
    CHECK(all.rows[1].cls == direct);
    CHECK_FALSE(all.rows[1].is_public);
    CHECK(all.rows[2].extra == std::vector{endpoint_id{13}});
    const auto page = must(read_deliverable(db, 0, 2));
    CHECK(page.upto == 3);
    CHECK(page.rows.size() == 2);
    CHECK(must(read_deliverable(db, 5, 2)).rows.empty());
  });
}

TEST_CASE("a host reads what it missed from its two indexes", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    const auto audience = prepare(db);
    add(db, {.seq = 1, .audience = audience});
    add(db, {.seq = 2, .extra = {13, 21}});
    add(db, {.seq = 3, .audience = audience, .extra = {11, 13}});
    add(db, {.seq = 4, .cls = direct, .extra = {11}});
    add(db, {.seq = 5, .extra = {21}}); // another host's
    add(db, {.seq = 6, .audience = audience, .by = account_id{6}});
    CHECK(missed(db, {.host = far, .cls = bulk, .from = 1, .upto = 9}) ==
          list{"1>11", "1>12", "2>13", "3>11", "3>12", "3>13"});
    CHECK(missed(db, {.host = far, .cls = bulk, .from = 2, .upto = 2}) == list{"2>13"});
    CHECK(missed(db, {.host = far, .cls = direct, .from = 1, .upto = 9}) == list{"4>11"});
    CHECK(missed(db, {.host = near, .cls = bulk, .from = 1, .upto = 9}) ==
          list{"1>21", "2>21", "3>21", "5>21"});
    CHECK(missed(db, {.host = host_id{9}, .cls = bulk, .from = 1, .upto = 9}).empty());
  });
}

TEST_CASE("a row that is not public is owed to who follows by now, and to who is named",
          "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    const auto audience = prepare(db);
    add(db, {.seq = 1, .is_public = false, .audience = audience, .extra = {13}});
    must(remove_follower(db, author, endpoint_id{12}));
    CHECK(missed(db, {.host = far, .cls = bulk, .from = 1, .upto = 1}) == list{"1>11", "1>13"});
    CHECK(must(present_endpoints(db, author)) == std::vector{endpoint_id{11}, endpoint_id{21}});
  });
}

TEST_CASE("pages of what was missed leave nothing out and cut no row", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    const auto audience = prepare(db);
    for (auto seq = log_seq{1}; seq <= 30; ++seq)
      add(db, {.seq = seq,
               .audience = seq % 3 == 0 ? audience : audience_id{},
               .extra = seq % 2 == 0 ? std::vector{11, 12, 13} : std::vector<int>{}});
    const auto whole = missed(db, {.host = far, .cls = bulk, .from = 1, .upto = 30});
    CHECK(whole.size() == 15 * 3 + 5 * 2);
    for (const auto limit : {1, 2, 3, 4, 7, 100}) {
      CAPTURE(limit);
      auto pages = list{};
      auto from = log_seq{1};
      for (auto rounds = 0; rounds < 60 && from <= 30; ++rounds) {
        const auto page = must(find_missed(db, {.host = far,
                                                .cls = bulk,
                                                .from = from,
                                                .upto = 30,
                                                .limit = static_cast<std::size_t>(limit)}));
        REQUIRE(page.read_upto >= from); // it gets on
        std::ranges::move(names(page.units), std::back_inserter(pages));
        from = page.read_upto + 1;
      }
      CHECK(pages == whole);
    }
  });
}

TEST_CASE("endpoints are found with their hosts", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    const auto found =
        must(find_endpoints(db, std::vector{endpoint_id{21}, endpoint_id{11}, endpoint_id{99}}));
    REQUIRE(found.size() == 2);
    CHECK(found[0].endpoint->url == "https://inbox/11");
    CHECK(found[0].endpoint->shared);
    CHECK(found[0].endpoint->host == far);
    CHECK(found[0].host == far_address);
    CHECK_FALSE(found[1].endpoint->shared);
    CHECK(found[1].host.name == "near.example");
  });
}

TEST_CASE("what is sent for a row is its body, or known to be gone", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    add(db, {.seq = 1});
    add(db, {.seq = 2});
    must(db.run("UPDATE log SET body = NULL, signer = 9 WHERE seq = 2"));
    const auto first = must(read_outgoing(db, 1));
    REQUIRE(first.body);
    CHECK(*first.body == "body 1");
    CHECK(first.sha256 == "hash");
    CHECK(first.signer == author);
    const auto second = must(read_outgoing(db, 2));
    CHECK_FALSE(second.body);
    CHECK(second.signer == account_id{9});
    const auto none = read_outgoing(db, 3);
    REQUIRE_FALSE(none);
    CHECK(code_of(none.error()) == errc::not_found);
  });
}

TEST_CASE("damaged lists are found", "[delivery_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    auto changes = checkpoint{};
    changes.marks = {{3, bulk, 9, {{10, endpoint_id{11}}}}};
    REQUIRE_FALSE(save_checkpoint(db, changes));
    must(db.run("UPDATE shard_mark SET acked = $1", {blob{"\x80"}}));
    const auto books = load_books(db);
    REQUIRE_FALSE(books);
    CHECK(code_of(books.error()) == errc::storage_broken);
  });
}
