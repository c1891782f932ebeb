// How much of the log is read for a host that fell behind.
#include "storage/audience_store.hpp"
#include "storage/delivery_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/counting_database.hpp"
#include "tests/kit/owed_rows.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using kit::add_endpoint;
using kit::add_host;
using kit::counting_database;
using kit::keys_of;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

constexpr auto bulk = delivery_class::bulk;
constexpr auto far = host_id{1};

/// The lines of a plan that say something; plans are too long to be printed.
std::vector<std::string> lines_with(const std::string& plan, std::string_view what) {
  auto lines = std::vector<std::string>{};
  auto text = std::istringstream{plan};
  for (auto line = std::string{}; std::getline(text, line);)
    if (line.find(what) != std::string::npos)
      lines.push_back(line);
  return lines;
}

/// The log is read through the indexes that have just what is asked for.
void check_plans(const std::string& plans) {
  CHECK_FALSE(lines_with(plans, "log_owed").empty());
  for (const auto* other : {"SCAN l", "SCAN log", "Seq Scan on log", "Bitmap Heap Scan on log",
                            "using log_pkey on log l", "log_author", "log_extra_seq"}) {
    CAPTURE(other);
    auto found = lines_with(plans, other);
    std::erase_if(found, [](const auto& line) { // the row that an entry of log_extra names
      return line.find("using log_pkey") != std::string::npos &&
             line.find("rows=1 ") != std::string::npos;
    });
    CHECK(found == std::vector<std::string>{});
  }
}

/// Makes a log of 2^`doublings` rows by 10,000 authors, some of which are owed to host 1.
void fill_log(database& db, int doublings, int authors_followed) {
  add_host(db, 1);
  add_host(db, 2);
  add_endpoint(db, 1, 11);
  add_endpoint(db, 2, 21);
  must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
              " VALUES (1, 0, 1, 1, 'p/0/1', 2, 1, 7)"));
  must(db.transact([&](database& open) {
    for (auto round = 0; round < doublings; ++round)
      must(open.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
                    " SELECT seq + (SELECT max(seq) FROM log), at, kind,"
                    " 1 + (seq + (SELECT max(seq) FROM log)) * 7919 % 10000, object_key, class,"
                    " public, audience_id FROM log"));
    must(open.run("UPDATE log SET audience_id = 0 WHERE seq % 3 = 0"));
    must(open.run("INSERT INTO log_extra(seq, endpoint_id) SELECT seq, 21 FROM log"
                  " WHERE seq % 5 = 0"));
    for (auto author = 1; author <= authors_followed; ++author)
      must(open.run("INSERT INTO follower_endpoint(author, endpoint_id, n) VALUES ($1, 11, 1)",
                    {author}));
    return caf::error{};
  }));
  const auto members = must(audience_for_next_post(db, account_id{1}, audience_id{}));
  CHECK_FALSE(members);
  must(add_follower(db, account_id{20'000}, endpoint_id{11}));
  must(audience_for_next_post(db, account_id{20'000}, audience_id{7}));
  if (db.dialect() == "postgres")
    must(db.run("ANALYZE"));
}

} // namespace

TEST_CASE("a host reads a few rows for each that it missed, and never the log", "[missed]") {
  on_both([](test_database& fresh) {
    for (const auto authors : {1, 64, 5'000}) {
      CAPTURE(authors);
      const auto rolled_back = fresh.db().transact([&](database& db) -> caf::error {
        fill_log(db, 15, authors);
        auto counted = counting_database{db};
        auto units = std::size_t{0};
        auto wanted = missed_units{
            .host = far, .cls = bulk, .from = 1, .upto = 1 << 15, .limit = 512, .sources = {}};
        for (auto pages = 0; pages < 8 && wanted.from <= wanted.upto; ++pages) {
          counted.explains = pages < 2;
          const auto found = must(find_missed(counted, wanted));
          units += found.units.size();
          wanted.from = found.read_upto + 1;
          wanted.sources = found.sources;
        }
        CHECK(units >= std::min<std::size_t>(std::size_t(authors), 8 * 512));
        CHECK(counted.rows <= 10 + static_cast<std::size_t>(authors) + 5 * units);
        check_plans(counted.plans);
        return make_error(errc::conflict, "enough");
      });
      CHECK(code_of(rolled_back) == errc::conflict);
    }
  });
}

TEST_CASE("who writes little is found among a few who write nearly everything", "[missed]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    fill_log(db, 16, 2);
    must(db.run("UPDATE log SET author = CASE WHEN seq < 6000 AND seq % 1000 = 1 THEN 1"
                " ELSE 30000 + seq % 3 END, audience_id = 7"));
    must(db.run("UPDATE log_extra SET endpoint_id = 11 WHERE seq IN (100, 200)"));
    if (!fresh.is_sqlite())
      must(db.run("ANALYZE"));
    auto counted = counting_database{db};
    counted.explains = true;
    auto wanted = missed_units{
        .host = far, .cls = bulk, .from = 1, .upto = 1 << 16, .limit = 3, .sources = {}};
    auto seqs = std::vector<log_seq>{};
    while (wanted.from <= wanted.upto) {
      const auto found = must(find_missed(counted, wanted));
      for (const auto& unit : found.units)
        seqs.push_back(unit.seq);
      wanted.from = found.read_upto + 1; // and looks for its sources anew
    }
    CHECK(seqs == std::vector<log_seq>{1, 100, 200, 1'001, 2'001, 3'001, 4'001, 5'001});
    CHECK(counted.rows <= 100);
    check_plans(counted.plans);
  });
}

TEST_CASE("what authors write that is not owed to a host is not read for it", "[missed]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    fill_log(db, 16, 2);
    // Author 1 likes a lot and posts 10 times; author 2, whom nobody there follows any more, posts
    // a lot and takes 3 posts back.
    must(
        db.run("UPDATE log SET author = 1, audience_id = CASE WHEN seq % 2000 = 0 THEN 7 ELSE 0 END"
               " WHERE seq <= 20000"));
    must(db.run("UPDATE log SET author = 2, audience_id = 7 WHERE seq > 20000"));
    must(db.run("UPDATE log SET kind = 3 WHERE seq IN (30000, 40000, 50000)"));
    must(db.run("UPDATE follower_endpoint SET n = 0, left_seq = -100000 WHERE author = 2"));
    auto counted = counting_database{db};
    const auto found = must(find_missed(
        counted,
        {.host = far, .cls = bulk, .from = 1, .upto = 1 << 16, .limit = 512, .sources = {}}));
    CHECK(found.units.size() == 13);
    CHECK(found.read_upto == 1 << 16);
    CHECK(counted.rows <= 40);
    CHECK_FALSE(found.sources);
    // Author 3 was followed after the most of it.
    must(db.run("UPDATE log SET author = 3 WHERE seq > 60000"));
    must(db.run("INSERT INTO follower_endpoint(author, endpoint_id, n, from_seq)"
                " VALUES (3, 11, 1, 65530)"));
    const auto later = must(find_missed(
        db,
        {.host = far, .cls = bulk, .from = 60'001, .upto = 1 << 16, .limit = 512, .sources = {}}));
    CHECK(keys_of(later.units).front() == unit_key{65'531, endpoint_id{11}});
    CHECK(later.units.size() == 6);
  });
}

TEST_CASE("authors found empty are not asked again in the next page", "[missed]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    fill_log(db, 14, 2'000);
    auto wanted = missed_units{
        .host = far, .cls = bulk, .from = 16'000, .upto = 1 << 14, .limit = 16, .sources = {}};
    auto first = counting_database{db};
    const auto found = must(find_missed(first, wanted));
    REQUIRE(found.sources);
    wanted.from = found.read_upto + 1;
    auto anew = counting_database{db};
    const auto expected = keys_of(must(find_missed(anew, wanted)).units);
    wanted.sources = found.sources;
    auto known = counting_database{db};
    CHECK(keys_of(must(find_missed(known, wanted)).units) == expected);
    CHECK(anew.rows > known.rows);
    CHECK(known.rows < 200);
    // What does not fit is not used.
    wanted.host = host_id{2};
    const auto other = keys_of(must(find_missed(db, wanted)).units);
    CHECK_FALSE(other.empty());
    CHECK(other.front().endpoint == endpoint_id{21});
    wanted.host = far;
    wanted.from = 1;
    CHECK(must(find_missed(db, wanted)).units.front().seq < 100);
  });
}

TEST_CASE("rows that the log has no more are told", "[missed]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    const auto wanted =
        missed_units{.host = far, .cls = bulk, .from = 1, .upto = 9, .limit = 5, .sources = {}};
    CHECK(must(find_missed(db, wanted)).gone_upto == 0);
    fill_log(db, 4, 1);
    CHECK(must(find_missed(db, wanted)).gone_upto == 0);
    must(db.run("DELETE FROM log WHERE seq <= 5"));
    CHECK(must(find_missed(db, wanted)).gone_upto == 5);
  });
}

TEST_CASE("an exception whose row is gone is told as such", "[missed]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    fill_log(db, 3, 1);
    for (const auto seq : {2, 4})
      must(db.run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status,"
                  " error, attempts) VALUES (1, 11, $1, 'p/0/7', 1, 'status 500', 2)",
                  {seq}));
    must(db.run("DELETE FROM log WHERE seq <= 3"));
    const auto waiting = must(waiting_exceptions(db, far, 10));
    REQUIRE(waiting.size() == 2);
    CHECK(waiting[0].is_gone);
    CHECK(waiting[0].unit.object.target == 7);
    CHECK(waiting[0].unit.key() == unit_key{2, endpoint_id{11}});
    CHECK_FALSE(waiting[1].is_gone);
    CHECK(waiting[1].row.attempts == 2);
  });
}
