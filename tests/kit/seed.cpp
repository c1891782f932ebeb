/// Loads followers into a database whose node is not running, in one transaction:
/// `trunkline_seed DATABASE NAME COUNT [PORT]`, where DATABASE is SQLite's file or a postgres://
/// URL (or libpq's key=value form). Local ones; with PORT remote ones, each on a host of its own:
/// those of tests/process/fake_hosts.py. Prints how many followers NAME has afterwards.
///
/// By the thousand, for bench/delivery.py (tests/kit/seed_bulk.hpp says what is made):
/// `trunkline_seed DATABASE followers AUTHOR,AUTHOR... FIRST-LAST PATTERN PORT`,
/// `trunkline_seed DATABASE hosts FIRST-LAST PATTERN PORT`,
/// `trunkline_seed DATABASE log AUTHOR,AUTHOR... ITEMS FILLERS [DAYS]`.
#include "protocol/ids.hpp"
#include "storage/graph_store.hpp"
#include "storage/postgres_database.hpp"
#include "storage/remote_store.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/seed_bulk.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace trunkline;

namespace {

/// Seeded ids lie long before any that a node gives.
constexpr auto seed_start = time_point{std::chrono::sys_days{std::chrono::year{2001} / 1 / 1}};

caf::expected<std::unique_ptr<database>> open(const std::string& where) {
  if (where.starts_with("postgres") || where.find('=') != std::string::npos)
    return open_postgres(where);
  return open_sqlite(where, sqlite_mode::writer);
}

caf::error add_follower(database& db, account_id followee, std::int64_t number) {
  const auto id = account_id{make_id(seed_start + std::chrono::milliseconds{number}, 0, 0)};
  const auto name = "seeded_" + std::to_string(number);
  auto made = db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                     " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                     {id, name, name, "https://seed.invalid/users/" + name, seed_start});
  if (!made)
    return std::move(made.error());
  auto followed = db.run("INSERT INTO follow(follower, followee, at) VALUES ($1, $2, $3)"
                         " ON CONFLICT DO NOTHING",
                         {id, followee, seed_start});
  return followed ? caf::error{} : std::move(followed.error());
}

/// What to load: `port` 0 for local followers.
struct seed_wish {
  std::string name;
  std::int64_t count = 0;
  std::int64_t port = 0;
};

caf::error add_remote_follower(database& db, account_id followee, std::int64_t number,
                               std::int64_t port) {
  const auto index = number - 1;
  auto host = host_address{.scheme = "http",
                           .name = "127.1." + std::to_string(index / 250) + "." +
                                   std::to_string(index % 250 + 1),
                           .port = port};
  const auto origin = "http://" + to_name(host);
  auto actor = remote_actor{.id = origin + "/users/u", .type = "Person", .name = "u"};
  actor.inbox = actor.id + "/inbox";
  actor.shared_inbox = origin + "/inbox";
  actor.followers = actor.id + "/followers";
  actor.url = actor.id;
  // Eight ids a follower: its account, host and endpoints.
  const auto ids =
      [next = seed_start + std::chrono::hours{1} +
              std::chrono::milliseconds{number * 8}]() mutable -> caf::expected<std::int64_t> {
    next += std::chrono::milliseconds{1};
    return make_id(next, 0, 0);
  };
  const auto follower = store_remote_account(db, actor, host, ids, seed_start);
  if (!follower)
    return follower.error();
  const auto followed = store_follow(db, {*follower, followee}, {}, true,
                                     actor.id + "/follow/" + std::to_string(number), seed_start);
  return followed ? caf::error{} : followed.error();
}

caf::expected<std::int64_t> load(database& db, const seed_wish& wish) {
  const auto& name = wish.name;
  const auto found = db.run("SELECT id FROM account WHERE folded = $1 AND host_id IS NULL", {name});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "account: " + name);
  const auto followee = found->rows[0][0].id<account_id>();
  auto failure = db.transact([&](database& open) -> caf::error {
    for (auto number = std::int64_t{1}; number <= wish.count; ++number)
      if (auto refused = wish.port ? add_remote_follower(open, followee, number, wish.port)
                                   : add_follower(open, followee, number))
        return refused;
    return {};
  });
  if (failure)
    return failure;
  const auto total = db.run("SELECT count(*) FROM follow WHERE followee = $1", {followee});
  if (!total)
    return total.error();
  return total->rows[0][0].integer();
}

/// Reads a number that is at least `least`; -1 when it is none.
std::int64_t number_in(std::string_view text, std::int64_t least = 1) {
  auto number = std::int64_t{0};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto is_whole = problem == std::errc{} && end == text.data() + text.size();
  return is_whole && number >= least ? number : -1;
}

std::vector<std::string> names_in(std::string_view text) {
  auto names = std::vector<std::string>{};
  while (!text.empty()) {
    const auto name = text.substr(0, text.find(','));
    names.emplace_back(name);
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return names;
}

/// Reads "FIRST-LAST PATTERN PORT".
kit::seeded_hosts hosts_in(const std::vector<std::string>& words) {
  const auto dash = words[0].find('-');
  return {.first = number_in(words[0].substr(0, dash), 0),
          .last = dash == std::string::npos ? -1 : number_in(words[0].substr(dash + 1), 0),
          .pattern = words[1],
          .port = number_in(words[2])};
}

bool are_right(const kit::seeded_hosts& hosts) {
  return hosts.first >= 0 && hosts.last >= hosts.first && hosts.port > 0 &&
         hosts.pattern.find('%') != std::string::npos;
}

caf::error misused() {
  return make_error(errc::invalid,
                    "usage: trunkline_seed DATABASE NAME COUNT [PORT]\n"
                    "       trunkline_seed DATABASE followers AUTHORS FIRST-LAST PATTERN PORT\n"
                    "       trunkline_seed DATABASE hosts FIRST-LAST PATTERN PORT\n"
                    "       trunkline_seed DATABASE log AUTHORS ITEMS FILLERS [DAYS]");
}

caf::error load_followers(database& db, const std::vector<std::string>& words) {
  const auto hosts = hosts_in({words[1], words[2], words[3]});
  if (!are_right(hosts))
    return misused();
  for (const auto& author : names_in(words[0]))
    if (auto failure = kit::seed_followers(db, author, hosts))
      return failure;
  return {};
}

caf::error load_hosts(database& db, const std::vector<std::string>& words) {
  const auto hosts = hosts_in(words);
  return are_right(hosts) ? kit::seed_hosts(db, hosts) : misused();
}

caf::error load_log(database& db, const std::vector<std::string>& words) {
  const auto log = kit::seeded_log{.authors = names_in(words[0]),
                                   .items = number_in(words[1]),
                                   .fillers = number_in(words[2], 0),
                                   .days_behind = words.size() > 3 ? number_in(words[3]) : 0};
  if (log.authors.empty() || log.items < 1 || log.fillers < 0 || log.days_behind < 0)
    return misused();
  return kit::seed_log(db, log);
}

/// Prints how many followers the account has afterwards.
caf::error load_account(database& db, const std::vector<std::string>& words) {
  const auto count = number_in(words[1]);
  const auto port = words.size() > 2 ? number_in(words[2]) : 0;
  if (count < 0 || port < 0)
    return misused();
  const auto total = load(db, {.name = words[0], .count = count, .port = port});
  if (!total)
    return total.error();
  std::cout << *total << '\n';
  return {};
}

caf::error obey(database& db, std::vector<std::string> words) {
  if (words.size() == 2 || words.size() == 3)
    return load_account(db, words);
  const auto what = words.empty() ? std::string{} : words[0];
  const auto in_one = [&](auto load) {
    words.erase(words.begin());
    return db.transact([&](database& open) { return load(open, words); });
  };
  if (what == "followers" && words.size() == 5)
    return in_one(load_followers);
  if (what == "hosts" && words.size() == 4)
    return in_one(load_hosts);
  if (what == "log" && (words.size() == 4 || words.size() == 5))
    return in_one(load_log);
  return misused();
}

} // namespace

int main(int argc, char** argv) {
  auto db = argc > 1 ? open(argv[1]) : misused();
  auto failure = db ? obey(**db, {argv + 2, argv + argc}) : db.error();
  if (!failure)
    return 0;
  std::cerr << context_of(failure) << '\n';
  return code_of(failure) == errc::invalid ? 64 : 1;
}
