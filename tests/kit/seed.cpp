/// Loads followers into a database whose node is not running, in one transaction:
/// `trunkline_seed DATABASE NAME COUNT [PORT]`, where DATABASE is SQLite's file or a postgres://
/// URL (or libpq's key=value form). Local ones; with PORT remote ones, each on a host of its own:
/// those of tests/process/fake_hosts.py. Prints how many followers NAME has afterwards.
#include "protocol/ids.hpp"
#include "storage/graph_store.hpp"
#include "storage/postgres_database.hpp"
#include "storage/remote_store.hpp"
#include "storage/sqlite_database.hpp"

#include <charconv>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

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

std::int64_t positive(int argc, char** argv, int index) {
  auto number = std::int64_t{0};
  const auto text = index < argc ? std::string_view{argv[index]} : std::string_view{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && number > 0 ? number : 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto count = positive(argc, argv, 3);
  const auto port = positive(argc, argv, 4);
  if (count == 0 || argc > 5 || (argc == 5 && port == 0)) {
    std::cerr << "usage: trunkline_seed DATABASE NAME COUNT [PORT]\n";
    return 64;
  }
  auto db = open(argv[1]);
  if (!db) {
    std::cerr << context_of(db.error()) << '\n';
    return 1;
  }
  const auto total = load(**db, {.name = argv[2], .count = count, .port = port});
  if (!total) {
    std::cerr << context_of(total.error()) << '\n';
    return 1;
  }
  std::cout << *total << '\n';
}
