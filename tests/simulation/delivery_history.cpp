#include "tests/simulation/delivery_history.hpp"

#include "actors/messages.hpp"
#include "protocol/shard.hpp"

#include <algorithm>
#include <iterator>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;

constexpr auto time_least = 5min;
constexpr auto steps_least = 100;
constexpr auto hosts = std::size_t{5};
constexpr auto authors = std::size_t{3};
constexpr auto objects_max = std::size_t{12};

kit::delivery_world_options options_of(std::uint64_t seed, kit::open_connection open,
                                       std::size_t nodes) {
  auto options = kit::delivery_world_options{.seed = seed,
                                             .hints_lost = static_cast<unsigned>(seed % 3) * 15,
                                             .hints_doubled = seed % 2 == 0 ? 10U : 0U,
                                             .hints_late = seed % 4 == 1 ? 15U : 0U,
                                             .answers_doubled = seed % 3 == 1 ? 15U : 0U,
                                             .signing_lost = seed % 4 == 0 ? 3U : 0U,
                                             .offers_lost = seed % 5 == 0 ? 20U : 0U,
                                             .open = std::move(open),
                                             .nodes = nodes};
  // Small bounds, so that a hundred posts reach them.
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
  if (seed % 7 == 3)
    options.outage = {.silence = 5s, .hosts_least = 3, .domains_least = 3};
  options.budget = {.healthy = 6, .unproven = 4, .retry = 2, .probe = 2, .slow = 4};
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

} // namespace

delivery_history::delivery_history(std::uint64_t seed, kit::open_connection open, std::size_t nodes)
    : random_{seed}, moods_{seed + 1}, seed_{seed}, nodes_{nodes},
      world_{options_of(seed, kit::crashing(faults_, std::move(open)), nodes)}, oracle_{world_,
                                                                                        seed} {
  static const auto names = some_names();
  names_ = names;
  faults_->next = [this] { return next_fault(); };
  faults_->on_killed = [this] { world_.actors.stop(); };
  for (const auto& name : names_) {
    std::ranges::move(world_.add_host(name), std::back_inserter(endpoints_));
    set_mood(name);
  }
  for (auto author = std::size_t{1}; author <= authors; ++author)
    for (const auto endpoint : endpoints_)
      if (chance(50))
        world_.follow(account_id{static_cast<std::int64_t>(author)}, endpoint);
}

std::vector<std::string> delivery_history::run(history_sums& total) {
  for (auto step = 0; step < steps_least || now() < time_least; ++step) {
    operate();
    pass();
    oracle_.check_exceptions();
    poll_orders();
    if (chance(10))
      check_sums();
    if (faults_->is_broken && !world_.actors.is_stopped()) { // the process ends within 5 s
      world_.advance(up_to(5s));
      world_.actors.stop();
    }
    if (world_.actors.is_stopped())
      revive();
  }
  heal();
  auto wrong = std::move(wrong_);
  std::ranges::copy(oracle_.violations(), std::back_inserter(wrong));
  std::ranges::move(oracle_.missing(), std::back_inserter(wrong));
  check_books(wrong);
  add_to(total);
  return wrong;
}

account_id delivery_history::some_author() {
  return account_id{static_cast<std::int64_t>(1 + below(authors))};
}

void delivery_history::operate() {
  if (nodes_ > 1 && chance(12))
    return chance(25) ? end_node() : move_shards();
  switch (below(34)) {
  case 0:
  case 1:
  case 2:
    return set_mood(some_host());
  case 3:
    return step_clock();
  case 4:
    return crash_soon();
  case 5:
    return end_host();
  case 6:
  case 7:
    return command();
  case 8:
    return order_more();
  case 9:
    return fetch();
  case 10:
  case 11:
    return change_follower();
  case 12:
    return disturb_storage();
  case 13:
    return block_for_a_while();
  case 14:
    return supersede();
  default:
    return publish();
  }
}

/// A few messages, or some time.
void delivery_history::pass() {
  switch (below(8)) {
  case 0:
    return world_.advance(up_to(20s));
  case 1:
  case 2:
  case 3:
    return world_.advance(up_to(3s));
  default:
    return world_.actors.settle_partly(below(60));
  }
}

delivery_history::live_object delivery_history::make_object(bool is_like) {
  auto made = live_object{.author = some_author(), .number = ++next_object_, .is_like = is_like};
  made.cls = made.number % 3 == 0 ? delivery_class::direct : delivery_class::bulk;
  made.is_public = made.number % 5 != 1;
  for (auto more = below(3); more > 0; --more)
    made.named.push_back(some_endpoint());
  return made;
}

int delivery_history::write(const live_object& about, log_kind kind, bool to_followers) {
  return oracle_.write({.text = {},
                        .author = about.author,
                        .kind = kind,
                        .object = about.number,
                        .cls = about.cls,
                        .to_followers = to_followers,
                        .is_public = about.is_public,
                        .extra = about.named});
}

/// Creates, edits and deletes, and likes that are taken back and given again.
void delivery_history::publish() {
  const auto is_new = objects_.empty() || (objects_.size() < objects_max && chance(45));
  if (is_new) {
    objects_.push_back(make_object(chance(15)));
    const auto& made = objects_.back();
    write(made, made.is_like ? log_kind::like : log_kind::create, !made.is_like && !chance(15));
    return;
  }
  const auto chosen = objects_.begin() + static_cast<std::ptrdiff_t>(below(objects_.size()));
  if (chosen->is_like) {
    write(*chosen, log_kind::undo_like, false);
    if (chance(50))
      write(*chosen, log_kind::like, false);
    else
      objects_.erase(chosen);
    return;
  }
  if (chance(20))
    chosen->named.push_back(some_endpoint());
  const auto ends = chance(40);
  write(*chosen, ends ? log_kind::remove : log_kind::update, !chance(15));
  if (ends)
    objects_.erase(chosen);
}

/// They agree at every moment.
void delivery_history::check_sums() {
  const auto books = world_.actors.ask<dispatcher_report>(world_.dispatcher, describe_dispatcher{});
  if (!books)
    return;
  const auto& sums = books->sums;
  oracle_.tell("books: " + std::to_string(sums.offered) + " offered, " +
               std::to_string(sums.delivered) + " delivered, " + std::to_string(sums.pending) +
               " pending");
  if (!sums.are_balanced())
    wrong_.emplace_back("sums: not every unit was accounted for on the way");
}

void delivery_history::change_follower() {
  if (chance(50))
    oracle_.follow(some_author(), some_endpoint());
  else
    oracle_.unfollow(some_author(), some_endpoint());
}

} // namespace trunkline::simulation
