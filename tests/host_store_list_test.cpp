// Hosts as the admin API lists them.

#include "storage/host_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

const auto now = time_point{1000s};

struct host_row {
  int id;
  std::string name;
  std::int64_t waiting = 0; ///< Half of it in each class.
  std::int64_t fail_streak = 0;
  std::string scheme = "https";
};

void add(database& db, const host_row& row) {
  must(db.run("INSERT INTO host(id, scheme, name, port, fail_streak) VALUES ($1, $2, $3, 443, $4)",
              {row.id, row.scheme, row.name, row.fail_streak}));
  for (auto cls = 1; row.waiting > 0 && cls <= 2; ++cls)
    must(db.run("INSERT INTO host_backlog(host_id, class, behind_from, count, counted_to, bytes,"
                " oldest_at) VALUES ($1, $2, 0, $3, 0, 0, $4)",
                {row.id, cls, row.waiting / 2, now + std::chrono::seconds{row.id * cls}}));
}

void add_hosts(database& db) {
  add(db, {.id = 1, .name = "d.example", .waiting = 4});
  add(db, {.id = 2, .name = "c.example", .waiting = 10, .fail_streak = 1});
  add(db, {.id = 3, .name = "b_1.example", .fail_streak = 7});
  add(db, {.id = 4, .name = "a.example"});
  add(db, {.id = 5, .name = "b11.example", .waiting = 4});
}

lines names(const std::vector<host_summary>& hosts) {
  auto all = lines{};
  for (const auto& host : hosts)
    all.push_back(host.address.name.substr(0, host.address.name.find('.')));
  return all;
}

/// Reads a whole list, two hosts at a time.
lines in_pages(database& db, host_list_wish wish) {
  auto all = std::vector<host_summary>{};
  wish.limit = 2;
  for (auto page = must(list_hosts(db, wish)); !page.empty(); page = must(list_hosts(db, wish))) {
    all.insert(all.end(), page.begin(), page.end());
    wish.after = place_of(wish.order, page.back());
  }
  return names(all);
}

} // namespace

TEST_CASE("hosts come in each order, a page at a time, equal ones by id", "[host_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_hosts(db);
    CHECK(in_pages(db, {.order = host_order::backlog}) == lines{"c", "d", "b11", "b_1", "a"});
    CHECK(in_pages(db, {.order = host_order::oldest}) == lines{"d", "c", "b11", "b_1", "a"});
    CHECK(in_pages(db, {.order = host_order::failures}) == lines{"b_1", "c", "d", "a", "b11"});
    CHECK(in_pages(db, {.order = host_order::name}).front() == "a");
    CHECK(in_pages(db, {.order = host_order::name}).back() == "d");
    CHECK(in_pages(db, {.order = host_order::name}).size() == 5);
  });
}

TEST_CASE("a list of hosts can be narrowed by state, pause and part of the name", "[host_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_hosts(db);
    must(db.run("UPDATE host SET state = 4 WHERE id IN (2, 5)"));
    must(set_paused(db, {"https", "c.example", 443}, true));
    CHECK(names(must(list_hosts(db, {.state = host_state::suspended}))) == lines{"c", "b11"});
    CHECK(names(must(list_hosts(db, {.only_paused = true}))) == lines{"c"});
    CHECK(names(must(list_hosts(db, {.part = "b_1"}))) == lines{"b_1"});
    CHECK(names(must(list_hosts(db, {.part = "1.ex"}))) == lines{"b11", "b_1"});
    CHECK(must(list_hosts(db, {.part = "%"})).empty());
    CHECK(names(must(list_hosts(db, {.state = host_state::suspended, .part = "b"}))) ==
          lines{"b11"});
  });
}

TEST_CASE("a host is shown with what waits for it and what has failed", "[host_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_hosts(db);
    for (const auto status : {1, 1, 2})
      must(db.run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status,"
                  " error, attempts) VALUES (2, 1, (SELECT count(*) FROM delivery_exception), '',"
                  " $1, '', 1)",
                  {status}));
    const auto shown = must(summary_of(db, {"https", "c.example", 443}));
    REQUIRE(shown);
    CHECK(shown->facts.id == host_id{2});
    CHECK(shown->facts.fail_streak == 1);
    CHECK(shown->waiting == 10);
    CHECK(shown->oldest_at == now + 2s);
    CHECK(shown->exceptions == 2);
    CHECK(shown->dead == 1);
    CHECK_FALSE(must(summary_of(db, {"http", "c.example", 443})));
    CHECK_FALSE(must(summary_of(db, {"https", "c.example", 8443})));
    kit::walk_every_n(db, [](database& open) {
      auto found = list_hosts(open, {});
      return found ? caf::error{} : std::move(found.error());
    });
  });
}
