// Whole histories of accounts on a node that is killed, passivated and whose storage fails, each
// from one seed. Replay one with TRUNKLINE_SEED=<seed>; TRUNKLINE_SEEDS says how many are run.
#include "actors/messages.hpp"
#include "kit/account_oracle.hpp"
#include "kit/test_node.hpp"
#include "tests/kit/both_databases.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::operation_kind;

namespace {

constexpr std::size_t operations_per_seed = 200;
constexpr auto disturbed_every = 15; ///< Operations between two kills or passivations.
constexpr auto accounts = 5;         ///< The last one is locked.
constexpr auto operations_bar = 200;
constexpr auto disturbances_bar = 10;

struct sums {
  std::int64_t seeds = 0;
  std::int64_t operations = 0;
  std::int64_t kills = 0;
  std::int64_t passivations = 0;
  std::int64_t acknowledged = 0;
  std::int64_t refused = 0;
  std::int64_t unknown = 0;
};

std::int64_t number_from(const char* name, std::int64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

class simulation {
public:
  simulation(std::uint64_t seed, kit::open_connection open)
      : random_{seed}, node_{open ? kit::test_node{seed, std::move(open)} : kit::test_node{seed}} {
    for (auto number = 1; number <= accounts; ++number)
      node_.add_account(account_id{number}, "user" + std::to_string(number), number == accounts);
  }

  /// Returns what does not agree.
  std::vector<std::string> run(sums& total) {
    for (auto step = 1; oracle_.operations().size() < operations_per_seed; ++step) {
      start_operation();
      if (step % disturbed_every == 0)
        disturb(total);
      node_.actors.settle_partly(below(60));
      oracle_.collect();
    }
    node_.storage.faults() = {};
    node_.actors.advance(20s);
    oracle_.collect();
    total.operations += static_cast<std::int64_t>(oracle_.operations().size());
    for (const auto& one : oracle_.operations()) {
      total.acknowledged += one.ended == kit::outcome::acknowledged;
      total.refused += one.ended == kit::outcome::refused;
      total.unknown += one.ended == kit::outcome::unknown;
    }
    return oracle_.verify();
  }

private:
  std::size_t below(std::size_t end) { return random_() % end; }
  account_id somebody() { return account_id{static_cast<std::int64_t>(1 + below(accounts))}; }
  post_id some_post() {
    const auto& known = oracle_.posts();
    return known.empty() ? post_id{1} : known[below(known.size())].first;
  }
  std::string fresh_text() { return "text " + std::to_string(++texts_); }

  template <class Message>
  void tell(operation_kind kind, std::int64_t target, Message message) {
    const auto account = message.account;
    oracle_.sent({.kind = kind,
                  .account = account,
                  .target = target,
                  .answer = node_.actors.start_done(node_.accounts, std::move(message))});
  }

  template <class Message>
  void ask(kit::operation wanted, Message message) {
    wanted.account = message.account;
    wanted.answer = node_.actors.start<post_id>(node_.accounts, std::move(message));
    oracle_.sent(std::move(wanted));
  }

  void publish(account_id who, const std::string& text, const std::string& key) {
    ask({.kind = operation_kind::publish, .text = text, .key = key},
        publish_post{who, {.text = text}, key, {}});
  }

  /// Sends again what was sent with a key: its answer may have been lost, or be under way.
  void retry() {
    const auto& known = oracle_.operations();
    for (auto tries = 0; tries < 10 && !known.empty(); ++tries)
      if (const auto& one = known[below(known.size())]; !one.key.empty()) {
        const auto again = std::tuple{one.account, one.text, one.key};
        return std::apply([this](const auto&... parts) { publish(parts...); }, again);
      }
    publish(somebody(), fresh_text(), "");
  }

  void start_operation() {
    const auto who = somebody();
    const auto other = somebody();
    const auto post = some_post();
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
      return publish(who, fresh_text(), "");
    case 3:
    case 4:
      return publish(who, fresh_text(), "key " + std::to_string(texts_));
    case 5:
      return retry();
    case 6:
      return edit(post);
    case 7:
      return remove(post);
    case 8:
    case 9:
      return ask({.kind = operation_kind::boost, .target = post.value},
                 boost_post{who, post, visibility::everyone, {}});
    case 10:
      return tell(operation_kind::unboost, post.value, unboost_post{who, post, {}});
    case 11:
    case 12:
      return follow(who, other);
    case 13:
      return tell(operation_kind::unfollow, other.value, unfollow_account{who, other, {}});
    case 14:
      return block(who, other);
    default:
      return mute(who, other);
    }
  }

  void edit(post_id id) {
    const auto text = fresh_text();
    ask({.kind = operation_kind::edit, .target = id.value, .text = text},
        edit_post{author_of(id), id, {.text = text}, {}});
  }

  void remove(post_id id) {
    if (below(3) == 0) // not every post may go
      tell(operation_kind::remove, id.value, delete_post{author_of(id), id, {}});
  }

  void follow(account_id who, account_id other) {
    const auto options = follow_options{.show_boosts = below(4) != 0};
    tell(operation_kind::follow, other.value, follow_account{who, other, options, {}});
  }

  void block(account_id who, account_id other) {
    if (who == other) // is acknowledged, and nothing happens
      return;
    if (below(2) == 0)
      return tell(operation_kind::block, other.value, block_account{who, other, {}});
    tell(operation_kind::unblock, other.value, unblock_account{who, other, {}});
  }

  void mute(account_id who, account_id other) {
    if (who == other)
      return;
    if (below(2) == 0)
      return tell(operation_kind::mute, other.value, mute_account{who, other, {}, {}});
    tell(operation_kind::unmute, other.value, unmute_account{who, other, {}});
  }

  account_id author_of(post_id id) {
    for (const auto& [known, author] : oracle_.posts())
      if (known == id)
        return author;
    return somebody();
  }

  void disturb(sums& total) {
    const auto who = somebody();
    switch (below(6)) {
    case 0:
    case 1:
      ++total.passivations;
      return node_.passivate(who);
    case 2:
    case 3:
      ++total.kills;
      return node_.kill_account(who);
    case 4:
      ++total.kills;
      node_.actors.settle_partly(below(20));
      oracle_.lose_open();
      return node_.kill_and_restart();
    default:
      ++total.passivations;
      node_.passivate(who);
      return break_storage();
    }
  }

  /// Lets one of the next calls fail, or a commit whose answer is lost.
  void break_storage() {
    auto& faults = node_.storage.faults();
    faults = {};
    const auto at = static_cast<std::int64_t>(1 + below(30));
    const auto code = below(2) == 0 ? errc::storage_busy : errc::storage_full;
    if (below(3) != 0) {
      faults.at_call = [=](std::int64_t call) {
        return call == at ? make_error(code, "simulated") : caf::error{};
      };
      return;
    }
    faults.after_commit = [=](std::int64_t commit) {
      return commit == 1 + at % 3 ? make_error(errc::commit_unknown, "simulated") : caf::error{};
    };
  }

  std::mt19937_64 random_;
  kit::test_node node_;
  kit::account_oracle oracle_{node_.db()};
  std::int64_t texts_ = 0;
};

void run_seed(std::uint64_t seed, kit::open_connection open, sums& total) {
  const auto before = total;
  const auto wrong = simulation{seed, std::move(open)}.run(total);
  ++total.seeds;
  for (const auto& line : wrong)
    UNSCOPED_INFO(line);
  INFO("replay with TRUNKLINE_SEED=" << seed);
  CHECK(wrong.empty());
  CHECK(total.operations - before.operations >= operations_bar);
  CHECK(total.kills + total.passivations - before.kills - before.passivations >= disturbances_bar);
}

void print(const char* where, const sums& total) {
  std::cout << "simulation on " << where << ": " << total.seeds << " seeds, " << total.operations
            << " operations (" << total.acknowledged << " acknowledged, " << total.refused
            << " refused, " << total.unknown << " unknown), " << total.kills + total.passivations
            << " kills and passivations (" << total.kills << " + " << total.passivations << ")\n";
}

} // namespace

TEST_CASE("nothing acknowledged is lost or doubled, whatever is killed", "[simulation]") {
  auto total = sums{};
  if (const auto seed = number_from("TRUNKLINE_SEED", 0)) {
    run_seed(static_cast<std::uint64_t>(seed), {}, total);
    return print("SQLite", total);
  }
  const auto seeds = number_from("TRUNKLINE_SEEDS", 1000);
  for (auto seed = std::int64_t{1}; seed <= seeds; ++seed)
    run_seed(static_cast<std::uint64_t>(seed), {}, total);
  print("SQLite", total);
  CHECK(total.acknowledged > total.operations / 2); // a simulation that refuses all shows nothing
  CHECK(total.unknown > 0);
}

TEST_CASE("nothing is lost on PostgreSQL either", "[simulation][postgres]") {
  auto total = sums{};
  for (auto seed = std::uint64_t{1}; seed <= 10; ++seed) {
    const auto fresh = kit::fresh_postgres();
    run_seed(
        seed, [&](bool writer) { return writer ? fresh->connect() : fresh->connect_reader(); },
        total);
  }
  print("PostgreSQL", total);
}
