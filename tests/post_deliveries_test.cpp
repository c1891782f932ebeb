#include "storage/post_deliveries.hpp"

#include "protocol/errc.hpp"
#include "storage/audience_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/owed_rows.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

using lines = std::vector<std::string>;

constexpr auto author = account_id{5};
constexpr auto at = time_point{1'000s};
constexpr auto everybody = audience_id{77};

struct row {
  log_seq seq = 0;
  log_kind kind = log_kind::create;
  std::string key = "p/0/12";
  bool is_public = true;
  audience_id audience;
  std::vector<int> extra;
  account_id by = author;
};

void add(database& db, const row& next) {
  must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
              " VALUES ($1, $2, $3, $4, $5, 2, $6, $7)",
              {next.seq, at + std::chrono::seconds{next.seq}, static_cast<int>(next.kind), next.by,
               next.key, next.is_public, next.audience}));
  for (const auto endpoint : next.extra)
    must(db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)", {next.seq, endpoint}));
}

void add_post(database& db, int id, std::optional<int> boost_of = {}) {
  must(db.run("INSERT INTO post(id, author, visibility, created_at, boost_of)"
              " VALUES ($1, $2, 1, 1, $3)",
              {id, author, boost_of ? sql_value{*boost_of} : sql_value{}}));
}

void add_exception(database& db, int host, int endpoint, log_seq seq, int status,
                   const std::string& error) {
  must(db.run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
              " attempts, next_try_at) VALUES ($1, $2, $3, 'p/0/12', $4, $5, 3, $6)",
              {host, endpoint, seq, status, error, at}));
}

/// Hosts 1 to 3, whose endpoints are ten times them and one to two more; those with 1 follow.
void prepare(database& db) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
              " VALUES (5, 'Alice', 'alice', 'https://ours/Alice', 1)"));
  for (const auto host : {1, 2, 3}) {
    kit::add_host(db, host);
    for (const auto endpoint : {host * 10 + 1, host * 10 + 2})
      kit::add_endpoint(db, host, endpoint);
    must(add_follower(db, author, endpoint_id{host * 10 + 1}));
  }
  REQUIRE(must(audience_for_next_post(db, author, everybody)) == everybody);
}

lines said(const post_deliveries& found) {
  auto all = lines{};
  for (const auto& host : found.page) {
    auto text = host.address.name + ":";
    for (const auto& unit : host.units)
      text += " " + std::to_string(unit.seq) + ">" + to_string(unit.endpoint) +
              (unit.exception ? "!" + unit.exception->error : "");
    all.push_back(text);
  }
  return all;
}

post_deliveries of(database& db, int post, int after = 0, std::size_t limit = 100) {
  return must(
      find_post_deliveries(db, {.post = post_id{post}, .after = host_id{after}, .limit = limit}));
}

lines letters(database& db, const dead_letter_wish& wish) {
  auto all = lines{};
  for (const auto& each : must(list_dead_letters(db, wish)))
    all.push_back(each.address.name + " " + std::to_string(each.row.unit.seq) + ">" +
                  to_string(each.row.unit.endpoint));
  return all;
}

} // namespace

TEST_CASE("where a post went, and what went wrong", "[post_deliveries]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add_post(db, 12);
    add(db, {.seq = 1, .audience = everybody, .extra = {22, 11}});
    add(db, {.seq = 2, .key = "p/0/13", .audience = everybody});
    add(db, {.seq = 3, .kind = log_kind::update, .extra = {12}});
    add_exception(db, 2, 21, 1, 1, "status 500");
    add_exception(db, 1, 12, 3, 2, "status 422");
    add_exception(db, 1, 11, 2, 2, "of another post");
    const auto found = of(db, 12);
    CHECK(said(found) == lines{"h1.example: 1>11 3>12!status 422",
                               "h2.example: 1>21!status 500 1>22", "h3.example: 1>31"});
    CHECK(found.author == author);
    CHECK(found.hosts == 3);
    CHECK(found.units == 5);
    CHECK(found.exceptions == 1);
    CHECK(found.dead == 1);
    REQUIRE(found.rows.size() == 2);
    CHECK(found.rows[0].endpoints == 4);
    CHECK(found.rows[1].kind == log_kind::update);
    CHECK(found.rows[1].at == at + 3s);
    CHECK(found.page[1].units[0].exception->next_try_at == std::optional{at});
    CHECK(found.page[1].units[0].exception->attempts == 3);
    CHECK(found.page[1].units[0].url == "https://inbox/21");
  });
}

TEST_CASE("hosts of a post come in pages, its totals are of all", "[post_deliveries]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add_post(db, 12);
    add(db, {.seq = 1, .audience = everybody});
    const auto first = of(db, 12, 0, 2);
    CHECK(said(first) == lines{"h1.example: 1>11", "h2.example: 1>21"});
    CHECK(first.hosts == 3);
    CHECK(first.units == 3);
    const auto second = of(db, 12, 2, 2);
    CHECK(said(second) == lines{"h3.example: 1>31"});
    CHECK(second.hosts == 3);
    CHECK(said(of(db, 12, 3, 2)).empty());
  });
}

TEST_CASE("whom a post is owed to is said by the rule of dispatch", "[post_deliveries]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add_post(db, 12);
    add(db, {.seq = 1, .is_public = false, .audience = everybody, .extra = {32}});
    must(remove_follower(db, author, endpoint_id{21}));
    CHECK(said(of(db, 12)) == lines{"h1.example: 1>11", "h3.example: 1>31 1>32"});
    // What takes it back goes to who had it; what moved before that goes where it is now.
    must(db.run("UPDATE endpoint SET replaced_by = 12, replaced_at = $1 WHERE id = 21", {at + 5s}));
    add(db, {.seq = 6, .kind = log_kind::remove, .is_public = false, .audience = everybody});
    CHECK(said(of(db, 12)) == lines{"h1.example: 1>11 6>11 6>12", "h3.example: 1>31 1>32 6>31"});
  });
}

TEST_CASE("a deleted post is found by its Delete, a boost by its id", "[post_deliveries]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add(db, {.seq = 1, .audience = everybody});
    CHECK(code_of(find_post_deliveries(db, {.post = post_id{12}, .after = {}}).error()) ==
          errc::not_found);
    add(db, {.seq = 2, .kind = log_kind::remove, .extra = {11}});
    CHECK(of(db, 12).rows.size() == 2);
    CHECK(of(db, 12).hosts == 3);
    add_post(db, 40, 39);
    add(db, {.seq = 3, .kind = log_kind::announce, .key = "a/5/39", .extra = {21}});
    CHECK(said(of(db, 40)) == lines{"h2.example: 3>21"});
    CHECK(code_of(find_post_deliveries(db, {.post = post_id{99}, .after = {}}).error()) ==
          errc::not_found);
  });
}

TEST_CASE("dead letters are listed newest first, of all hosts or of one", "[post_deliveries]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    for (auto seq = 1; seq <= 3; ++seq)
      add(db, {.seq = seq, .audience = everybody});
    add_exception(db, 1, 11, 1, 2, "status 404");
    add_exception(db, 2, 21, 2, 2, "status 400");
    add_exception(db, 1, 11, 3, 2, "status 404");
    add_exception(db, 3, 31, 3, 2, "status 404");
    add_exception(db, 2, 22, 3, 1, "waits");
    const auto all =
        lines{"h3.example 3>31", "h1.example 3>11", "h2.example 2>21", "h1.example 1>11"};
    CHECK(letters(db, {}) == all);
    CHECK(letters(db, {.host = host_id{1}}) == lines{"h1.example 3>11", "h1.example 1>11"});
    auto pages = lines{};
    for (auto wish = dead_letter_wish{.limit = 1};;) {
      const auto page = must(list_dead_letters(db, wish));
      if (page.empty())
        break;
      std::ranges::copy(letters(db, wish), std::back_inserter(pages));
      wish.after = page.back().row.unit;
    }
    CHECK(pages == all);
    const auto one = must(list_dead_letters(db, {.host = host_id{2}})).at(0);
    CHECK(one.author_name == "Alice");
    CHECK(one.kind == log_kind::create);
    CHECK(one.at == at + 2s);
    CHECK(one.url == "https://inbox/21");
    CHECK(one.row.error == "status 400");
    CHECK(one.row.attempts == 3);
  });
}
