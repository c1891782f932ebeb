/// Loads local followers into a database whose node is not running, in one transaction:
/// `trunkline_seed DATABASE NAME COUNT`, where DATABASE is SQLite's file or a postgres:// URL (or
/// libpq's key=value form). Prints how many followers NAME has afterwards.
#include "protocol/ids.hpp"
#include "storage/postgres_database.hpp"
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

caf::expected<std::int64_t> load(database& db, const std::string& name, std::int64_t count) {
  const auto found = db.run("SELECT id FROM account WHERE folded = $1 AND host_id IS NULL", {name});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "account: " + name);
  const auto followee = found->rows[0][0].id<account_id>();
  auto failure = db.transact([&](database& open) -> caf::error {
    for (auto number = std::int64_t{1}; number <= count; ++number)
      if (auto refused = add_follower(open, followee, number))
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

} // namespace

int main(int argc, char** argv) {
  auto count = std::int64_t{0};
  const auto text = argc == 4 ? std::string_view{argv[3]} : std::string_view{};
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc{} ||
      count < 1) {
    std::cerr << "usage: trunkline_seed DATABASE NAME COUNT\n";
    return 64;
  }
  auto db = open(argv[1]);
  if (!db) {
    std::cerr << context_of(db.error()) << '\n';
    return 1;
  }
  const auto total = load(**db, argv[2], count);
  if (!total) {
    std::cerr << context_of(total.error()) << '\n';
    return 1;
  }
  std::cout << *total << '\n';
}
