// What a host that fell behind reads again: what the rule says, and nothing else.
#include "protocol/owed_rule.hpp"
#include "storage/audience_store.hpp"
#include "storage/delivery_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/owed_rows.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::add_endpoint;
using kit::add_host;
using kit::keys_of;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

constexpr auto bulk = delivery_class::bulk;
constexpr auto direct = delivery_class::direct;
constexpr auto began = time_point{1'000'000s};

/// A log by authors, hosts that follow and leave, endpoints that move; and what is owed by the
/// rule, without an index.
struct random_log {
  database& db;
  std::mt19937_64 random;
  struct row {
    log_seq seq;
    int author;
    log_kind kind;
    bool is_public;
    delivery_class cls;
    std::vector<endpoint_id> audience;
    std::set<endpoint_id> extra;
    time_point at;
  };
  std::vector<row> rows;
  std::map<std::pair<int, int>, int> follows; ///< (author, endpoint)
  std::map<int, std::pair<int, time_point>> replaced;
  std::vector<audience_id> audiences;
  log_seq apart; ///< Numbers of rows: far from each other, nothing is in doubt about who left when.

  static constexpr auto authors = 6;
  static constexpr auto hosts = 3;
  static constexpr auto endpoints_per_host = 3;

  random_log(database& open, std::uint64_t seed, log_seq distance)
      : db{open}, random{seed}, apart{distance} {
    for (auto host = 1; host <= hosts; ++host) {
      add_host(db, host);
      for (auto number = 1; number <= endpoints_per_host; ++number)
        add_endpoint(db, host, host * 10 + number);
    }
  }

  int upto(int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); }
  int any_endpoint() { return (1 + upto(hosts)) * 10 + 1 + upto(endpoints_per_host); }
  time_point now() const { return began + std::chrono::seconds{rows.size()}; }

  void step() {
    switch (upto(12)) {
    case 0:
    case 1:
      return follow(1 + upto(authors), any_endpoint());
    case 2:
      return leave(1 + upto(authors), any_endpoint());
    case 3:
      return upto(20) == 0 ? replace(any_endpoint(), any_endpoint()) : write();
    default:
      return write();
    }
  }

  void follow(int author, int endpoint) {
    ++follows[{author, endpoint}];
    must(add_follower(db, account_id{author}, endpoint_id{endpoint}));
  }
  void leave(int author, int endpoint) {
    must(remove_follower(db, account_id{author}, endpoint_id{endpoint}));
    auto& n = follows[{author, endpoint}];
    n = std::max(0, n - 1);
  }
  void replace(int old, int by) {
    if (old / 10 == by / 10 || replaced.contains(old) || replaced.contains(by))
      return;
    for (const auto& [other, taker] : replaced)
      if (taker.first == old) // no chains: they are made short when they are stored
        return;
    replaced[old] = {by, now()};
    must(db.run("UPDATE endpoint SET replaced_by = $1, replaced_at = $2 WHERE id = $3",
                {by, now(), old}));
  }

  void write() {
    constexpr auto kinds = std::array{log_kind::create, log_kind::update, log_kind::remove,
                                      log_kind::undo_announce, log_kind::like};
    auto made = row{.seq = apart * (std::ssize(rows) + 1),
                    .author = 1 + upto(authors),
                    .kind = kinds.at(static_cast<std::size_t>(upto(5))),
                    .is_public = upto(3) > 0,
                    .cls = upto(4) == 0 ? direct : bulk,
                    .audience = {},
                    .extra = {},
                    .at = now()};
    auto audience = audience_id{};
    if (upto(5) > 0)
      audience =
          must(audience_for_next_post(db, account_id{made.author}, audience_id{1'000 + made.seq}));
    if (takes_back(made.kind) && !audiences.empty()) // what had an older audience
      audience = audiences[static_cast<std::size_t>(upto(static_cast<int>(audiences.size())))];
    if (audience) {
      made.audience = must(endpoints_of(db, audience));
      made.author =
          static_cast<int>(must(db.run("SELECT author FROM audience WHERE id = $1", {audience}))
                               .rows[0][0]
                               .integer());
      audiences.push_back(audience);
    }
    for (auto number = upto(4) - 1; number > 0; --number)
      made.extra.insert(endpoint_id{any_endpoint()});
    must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
                " VALUES ($1, $2, $3, $4, 'p/0/1', $5, $6, $7)",
                {made.seq, made.at, static_cast<int>(made.kind), made.author,
                 static_cast<int>(made.cls), made.is_public, audience}));
    for (const auto endpoint : made.extra)
      must(db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)", {made.seq, endpoint}));
    rows.push_back(std::move(made));
  }

  std::vector<unit_key> owed(int host, delivery_class cls, log_seq from, log_seq last) const {
    auto units = std::vector<unit_key>{};
    for (const auto& each : rows) {
      if (each.seq < from || each.seq > last || each.cls != cls)
        continue;
      auto endpoints = each.extra;
      for (const auto id : each.audience) {
        const auto n = follows.find({each.author, static_cast<int>(id.value)});
        if (reaches_past_followers(each.kind, each.is_public) ||
            (n != follows.end() && n->second > 0))
          endpoints.insert(id);
      }
      auto taken = std::set<endpoint_id>{};
      for (const auto id : endpoints) {
        const auto taker = replaced.find(static_cast<int>(id.value));
        const auto moved = taker != replaced.end() && each.at >= taker->second.second;
        taken.insert(moved ? endpoint_id{taker->second.first} : id);
      }
      for (const auto id : taken)
        if (id.value / 10 == host)
          units.push_back({each.seq, id});
    }
    return units;
  }
};

/// Reads page by page; hands on what each page knows of its sources, when `keeps`.
std::vector<unit_key> read_pages(database& db, missed_units wanted, bool keeps) {
  auto all = std::vector<unit_key>{};
  for (auto pages = 0; wanted.from <= wanted.upto; ++pages) {
    REQUIRE(pages < 2'000);
    const auto found = must(find_missed(db, wanted));
    std::ranges::copy(keys_of(found.units), std::back_inserter(all));
    REQUIRE(found.read_upto >= wanted.from);
    wanted.from = found.read_upto + 1;
    if (keeps)
      wanted.sources = found.sources;
  }
  return all;
}

} // namespace

TEST_CASE("what a host missed is what the rule says, page by page", "[missed]") {
  on_both([](test_database& fresh) {
    for (const auto& [seed, apart] : {std::pair{1U, 1}, {2U, 1}, {3U, 200'000}, {4U, 200'000}}) {
      CAPTURE(seed);
      const auto rolled_back = fresh.db().transact([&](database& db) -> caf::error {
        auto log = random_log{db, seed, apart};
        while (log.rows.size() < 150)
          log.step();
        for (auto host = 1; host <= random_log::hosts; ++host)
          for (const auto cls : {direct, bulk})
            for (const auto& [from, last] : {std::pair{1, 150}, {40, 90}, {120, 150}}) {
              const auto owed = log.owed(host, cls, apart * from, apart * last);
              for (const auto limit : {1, 7, 512}) {
                CAPTURE(host, from, last, limit, cls == bulk);
                const auto wanted = missed_units{.host = host_id{host},
                                                 .cls = cls,
                                                 .from = apart * from,
                                                 .upto = apart * last,
                                                 .limit = static_cast<std::size_t>(limit),
                                                 .sources = {}};
                CHECK(read_pages(db, wanted, true) == owed);
                CHECK(read_pages(db, wanted, false) == owed);
              }
            }
        return make_error(errc::conflict, "enough");
      });
      CHECK(code_of(rolled_back) == errc::conflict);
    }
  });
}
