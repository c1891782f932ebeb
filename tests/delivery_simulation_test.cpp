// Whole histories of outbound delivery: peers that answer, stall, refuse and lie, a node that is
// killed at any moment, storage that fails, clocks that jump; each from one seed. Replay one with
// TRUNKLINE_SEED=<seed>; TRUNKLINE_SEEDS says how many are run.
#include "actors/messages.hpp"
#include "kit/delivery_oracle.hpp"
#include "protocol/shard.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto operations_per_seed = 100;
constexpr auto hosts = std::size_t{5};
constexpr auto authors = 3;
constexpr auto on_file_every = 10; ///< Seeds between two whose database is a file.

struct sums {
  std::int64_t seeds = 0;
  std::int64_t rows = 0;
  std::int64_t owed = 0;
  std::int64_t deliveries = 0;
  std::int64_t repeats = 0;
  std::int64_t failures = 0;
  std::int64_t crashes = 0;
  std::int64_t dead = 0;
  std::int64_t rounds = 0; ///< Until all was well.
};

std::int64_t number_from(const char* name, std::int64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

kit::open_connection in(const kit::temp_folder& folder) {
  return [path = folder / "delivery.db"](bool writer) {
    return kit::must(open_sqlite(path, writer ? sqlite_mode::writer : sqlite_mode::reader));
  };
}

kit::delivery_world_options options_of(std::uint64_t seed, kit::open_connection open) {
  auto options = kit::delivery_world_options{.seed = seed,
                                             .hints_lost = static_cast<unsigned>(seed % 3) * 15,
                                             .signing_lost = seed % 4 == 0 ? 3U : 0U,
                                             .offers_lost = seed % 5 == 0 ? 20U : 0U,
                                             .open = std::move(open)};
  // Small bounds, so that a hundred operations reach them.
  options.host.queue = {.references_max = 4 + seed % 5, .lane_max = 2, .refill_at = 2};
  options.host.queue.acked_max = 64;
  options.host.refill_units = 3 + seed % 4;
  options.host.exceptions_max = 12;
  options.host.idle_after = 5s;
  options.dispatcher.books.acked_max = 8 + seed % 8;
  options.dispatcher.books.idle_rows_max = 20;
  options.dispatcher.rows_max = 8;
  options.dispatcher.batch_max = 3;
  options.dispatcher.outstanding_max = 4;
  options.slots = 8;
  return options;
}

/// Names of hosts of which some share a shard: their mark is one.
std::vector<std::string> some_names() {
  auto names = std::vector<std::string>{};
  for (auto number = 0; names.size() < hosts; ++number) {
    const auto name = "h" + std::to_string(number) + ".example";
    if (const auto shard = host_shard("https", name, 443); shard == 7 || shard == 8)
      names.push_back(name);
  }
  return names;
}

class simulation {
public:
  simulation(std::uint64_t seed, kit::open_connection open)
      : random_{seed}, world_{options_of(seed, std::move(open))}, oracle_{world_} {
    static const auto names = some_names();
    names_ = names;
    for (const auto& name : names_) {
      std::ranges::move(world_.add_host(name), std::back_inserter(endpoints_));
      set_mood(name);
    }
    for (auto author = 1; author <= authors; ++author)
      for (const auto endpoint : endpoints_)
        if (below(2) == 0)
          world_.follow(account_id{author}, endpoint);
  }

  /// Returns what does not agree.
  std::vector<std::string> run(sums& total) {
    for (auto step = 0; step < operations_per_seed; ++step) {
      operate(total);
      world_.actors.settle_partly(below(60));
    }
    heal(total);
    auto wrong = oracle_.violations();
    std::ranges::move(oracle_.missing(), std::back_inserter(wrong));
    check_books(wrong);
    total.rows += world_.count("SELECT count(*) FROM log");
    total.dead += world_.count("SELECT count(*) FROM delivery_exception");
    total.owed += oracle_.owed();
    total.deliveries += oracle_.deliveries();
    total.repeats += oracle_.repeats();
    total.failures += oracle_.failures();
    return wrong;
  }

private:
  std::size_t below(std::size_t end) { return random_() % end; }
  const std::string& some_host() { return names_[below(names_.size())]; }
  std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
    return std::chrono::milliseconds{below(static_cast<std::size_t>(most.count()) + 1)};
  }

  void set_mood(const std::string& host) {
    const auto after = 1ms + up_to(300ms);
    const auto answer = [after](int status, http_headers headers = {}) {
      return [=](const outgoing_request&) {
        return kit::peer_answer{.status = status, .headers = headers, .after = after};
      };
    };
    switch (below(14)) {
    case 0:
      return world_.peers->set_rule(host, answer(503));
    case 1:
      return world_.peers->set_rule(host, answer(503, {{"Retry-After", "3"}}));
    case 2:
      return world_.peers->set_rule(host, answer(429, {{"Retry-After", "2"}}));
    case 3:
      return world_.peers->set_rule(host, [](const outgoing_request&) { return kit::no_answer(); });
    case 4:
      return world_.peers->set_rule(host,
                                    [](const outgoing_request&) { return kit::no_connection(); });
    case 5:
      return world_.peers->set_rule(host, answer(below(2) ? 410 : 404));
    case 6:
      return world_.peers->set_rule(host, answer(below(2) ? 403 : 400));
    case 7:
      return world_.peers->set_rule(host, [after](const outgoing_request& request) {
        const auto is_new = find_header(request.headers, "Signed") == "rfc9421";
        return kit::peer_answer{.status = is_new ? 202 : 401, .after = after};
      });
    case 8:
    case 9:
      return world_.peers->set_rule(host, [this](const outgoing_request&) {
        const auto chance = below(4);
        if (chance == 0)
          return kit::no_answer();
        return kit::peer_answer{.status = chance == 1 ? 500 : 202, .after = 1ms + up_to(100ms)};
      });
    case 10:
      return world_.peers->set_rule(host, [after](const outgoing_request& request) {
        const auto is_poison = request.body && std::stoi(*request.body) % 5 == 0;
        return kit::peer_answer{.status = is_poison ? 500 : 202, .after = after};
      });
    default:
      return world_.peers->set_rule(host, answer(202));
    }
  }

  void publish() {
    auto row = kit::delivery_world::row{
        .author = account_id{static_cast<std::int64_t>(1 + below(authors))}};
    row.object = row.author.value * 1'000 + static_cast<std::int64_t>(below(6));
    const auto kind = below(6);
    row.kind = kind == 0 ? log_kind::remove : kind == 1 ? log_kind::update : log_kind::create;
    row.cls = row.object % 3 == 0 ? delivery_class::direct : delivery_class::bulk; // for life
    row.to_followers = below(5) != 0;
    for (auto more = below(3); more > 0; --more)
      row.extra.push_back(endpoints_[below(endpoints_.size())]);
    oracle_.write(std::move(row));
  }

  void operate(sums& total) {
    switch (below(30)) {
    default:
      return publish();
    case 0:
    case 1:
      return set_mood(some_host());
    case 2:
    case 3:
    case 4:
      return world_.advance(up_to(1'500ms));
    case 5:
      return world_.advance(up_to(12'000ms));
    case 6:
      world_.actors.step_wall_clock(std::chrono::minutes{below(90)});
      return world_.advance(1s);
    case 7:
      return crash(total);
    case 8:
      return end_host();
    case 9:
      return command();
    case 10:
      return fetch();
    case 11:
      return change_follower();
    case 12:
      return disturb_storage();
    }
  }

  void crash(sums& total) {
    if (below(2) == 0)
      return;
    ++total.crashes;
    oracle_.crashed();
    const auto begins = below(4) != 0;
    world_.restart(begins);
    if (begins)
      return;
    publish();
    world_.advance(up_to(500ms));
    world_.begin();
  }

  void end_host() {
    const auto& host = some_host();
    if (below(3) == 0) {
      caf::anon_send(world_.hosts, passivate_host{kit::delivery_world::address(host)});
      return;
    }
    oracle_.host_ended(host);
    world_.kill_host(host);
    world_.settle();
  }

  void command() {
    const auto host = kit::delivery_world::address(some_host());
    switch (below(5)) {
    case 0:
      return caf::anon_send(world_.hosts, pause_host{host});
    case 1:
    case 2:
      return caf::anon_send(world_.hosts, resume_host{host});
    case 3:
      return caf::anon_send(world_.hosts, retry_host{host});
    default:
      return caf::anon_send(world_.hosts, note_sign_of_life{host});
    }
  }

  void fetch() {
    const auto& host = some_host();
    world_.actors.start<fetched_document>(world_.hosts,
                                          fetch_document{.host = kit::delivery_world::address(host),
                                                         .url = "https://" + host + "/actor",
                                                         .accept = "application/activity+json"});
  }

  void change_follower() {
    const auto author = account_id{static_cast<std::int64_t>(1 + below(authors))};
    const auto endpoint = endpoints_[below(endpoints_.size())];
    if (below(2) == 0)
      world_.follow(author, endpoint);
    else
      world_.unfollow(author, endpoint);
  }

  void disturb_storage() {
    auto& faults = world_.storage.faults();
    if (faults.at_call) {
      faults = {};
      return oracle_.storage_failing(false);
    }
    if (below(2) == 0)
      return;
    oracle_.storage_failing(true);
    faults.at_call = [this](std::int64_t) {
      return below(3) == 0 ? make_error(errc::unavailable, "storage: away") : caf::error{};
    };
  }

  bool is_done() {
    const auto books = world_.books();
    return books.hosts_open == 0 && books.hosts_behind == 0 && books.outstanding == 0 &&
           world_.peers->in_flight() == 0 &&
           world_.count("SELECT count(*) FROM delivery_exception WHERE status = 1") == 0 &&
           world_.count("SELECT count(*) FROM host_backlog") == 0;
  }

  void heal(sums& total) {
    if (world_.storage.faults().at_call)
      oracle_.storage_failing(false);
    world_.storage.faults() = {};
    for (const auto& host : names_) {
      world_.peers->set_status(host, 202);
      caf::anon_send(world_.hosts, resume_host{kit::delivery_world::address(host)});
    }
    world_.advance(16s);
    for (auto round = 0; round < 30 && !is_done(); ++round) {
      ++total.rounds;
      world_.actors.step_wall_clock(25h);
      for (const auto& host : names_)
        caf::anon_send(world_.hosts, wake_host{kit::delivery_world::address(host)});
      world_.advance(5s);
    }
  }

  /// Nothing waits, and a node that is started again sends nothing.
  void check_books(std::vector<std::string>& wrong) {
    if (!is_done())
      wrong.push_back("not everything came to an end");
    for (const auto& host : names_) {
      const auto report = world_.report(host);
      if (report.waiting != 0 || report.exceptions != 0 || report.behind || report.in_flight != 0)
        wrong.push_back(host + ": " + std::to_string(report.waiting) + " wait, " +
                        std::to_string(report.exceptions) + " exceptions, " + report.state);
    }
    world_.advance(2s);
    const auto before = oracle_.deliveries() + oracle_.failures();
    oracle_.crashed();
    world_.restart();
    world_.advance(5s);
    if (oracle_.deliveries() + oracle_.failures() != before || world_.peers->in_flight() != 0)
      wrong.push_back("a restart sent something again");
  }

  std::mt19937_64 random_;
  kit::delivery_world world_;
  kit::delivery_oracle oracle_;
  std::vector<std::string> names_;
  std::vector<endpoint_id> endpoints_;
};

} // namespace

TEST_CASE("every history of delivery ends with everything delivered, in order, and no more",
          "[delivery_simulation]") {
  const auto only = number_from("TRUNKLINE_SEED", 0);
  const auto first = only ? only : 1;
  const auto last = only ? only : number_from("TRUNKLINE_SEEDS", 200);
  auto total = sums{};
  for (auto seed = first; seed <= last; ++seed) {
    const auto folder = kit::temp_folder{};
    auto history = simulation{static_cast<std::uint64_t>(seed),
                              seed % on_file_every == 0 ? in(folder) : kit::open_connection{}};
    const auto wrong = history.run(total);
    ++total.seeds;
    INFO("replay with TRUNKLINE_SEED=" << seed);
    CAPTURE(wrong);
    CHECK(wrong.empty());
  }
  std::cout << "delivery: " << total.seeds << " seeds, " << total.rows << " rows, " << total.owed
            << " units owed, " << total.deliveries << " taken, " << total.repeats << " repeated, "
            << total.failures << " failed, " << total.dead << " dead letters, " << total.crashes
            << " crashes, " << total.rounds << " rounds\n";
  if (only)
    return;
  CHECK(total.deliveries > 100 * total.seeds);
  CHECK(total.crashes > total.seeds);
  CHECK(total.failures > 10 * total.seeds);
}
