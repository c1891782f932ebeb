#include "tests/simulation/delivery_history.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <array>
#include <utility>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;
using kit::host_order_kind;

std::string words_of(const kit::host_order_given& wish) {
  constexpr auto kinds = std::to_array(
      {"pause", "resume", "block", "unblock", "flush", "drain", "limit", "replay", "discard"});
  return std::string{kinds[static_cast<std::size_t>(wish.kind)]} + " " + wish.host;
}

} // namespace

/// Its outcome is looked at later.
template <class Message>
void delivery_history::give(const kit::host_order_given& wish, Message message) {
  oracle_.tell(words_of(wish));
  const auto number = oracle_.bans().wanted(wish, now());
  const auto reply = world_.actors.start_done(world_.hosts, std::move(message));
  orders_.push_back({number, [reply]() -> std::optional<caf::error> {
                       if (!reply.ready())
                         return std::nullopt;
                       return reply.failure();
                     }});
}

void delivery_history::give_wish(host_order_kind kind, const std::string& host,
                                 decltype(operate_host::wish) ordered) {
  auto wish = kit::host_order_given{.kind = kind, .host = host, .in_flight = {}, .per_s = {}};
  if (const auto* limit = std::get_if<limit_wish>(&ordered)) {
    wish.in_flight = limit->in_flight;
    wish.per_s = limit->per_s;
  }
  oracle_.tell(words_of(wish));
  const auto number = oracle_.bans().wanted(wish, now());
  const auto reply = world_.actors.start<operated_host>(
      world_.hosts, operate_host{.host = kit::delivery_world::address(host),
                                 .wish = std::move(ordered),
                                 .dry_run = false});
  const auto reopens = kind == host_order_kind::replay;
  orders_.push_back({number,
                     [this, reply, reopens]() -> std::optional<caf::error> {
                       if (!reply.ready())
                         return std::nullopt;
                       if (!reply.get())
                         return reply.get().error();
                       if (reopens)
                         oracle_.offered_again(reply.get()->units);
                       return caf::error{};
                     },
                     reopens});
}

void delivery_history::poll_orders() {
  std::erase_if(orders_, [this](const order& given) {
    const auto outcome = given.outcome();
    if (!outcome)
      return false;
    oracle_.tell("order " + std::to_string(given.number) +
                 " is answered: " + (*outcome ? context_of(*outcome) : "done"));
    mine_.orders += !*outcome;
    if (*outcome && given.reopens && code_of(*outcome) != errc::not_found)
      oracle_.offered_again_perhaps();
    if (*outcome)
      oracle_.bans().failed(given.number, now());
    else
      oracle_.bans().done(given.number, now());
    return true;
  });
}

/// Whoever was to answer them is gone: what came of them is not known.
void delivery_history::give_up_orders() {
  for (const auto& lost : std::exchange(orders_, {}))
    if (lost.reopens)
      oracle_.offered_again_perhaps();
}

void delivery_history::command() {
  const auto& host = some_host();
  const auto address = kit::delivery_world::address(host);
  switch (below(6)) {
  case 0:
    return give({.kind = host_order_kind::pause, .host = host, .in_flight = {}, .per_s = {}},
                pause_host{address});
  case 1:
  case 2:
    return give({.kind = host_order_kind::resume, .host = host, .in_flight = {}, .per_s = {}},
                resume_host{address});
  case 3:
    return caf::anon_send(world_.hosts, retry_host{address});
  default:
    return caf::anon_send(world_.hosts, note_sign_of_life{address});
  }
}

/// A replay makes the oracle forgive order and repeats of its host: one seed of four has any.
void delivery_history::order_more() {
  const auto& host = some_host();
  switch (below(seed_ % 4 == 0 ? 8 : 5)) {
  case 0:
    return give_wish(host_order_kind::flush, host, flush_wish{});
  case 1:
  case 2:
    return give_wish(host_order_kind::limit, host,
                     limit_wish{.in_flight = 1 + static_cast<std::int64_t>(below(3)),
                                .per_s = 1 + static_cast<std::int64_t>(below(4))});
  case 3:
    return give_wish(host_order_kind::limit, host, limit_wish{});
  case 4:
    return give_wish(host_order_kind::drain, host, drain_wish{});
  case 5:
    return give_wish(
        host_order_kind::replay, host,
        replay_wish{.from_seq = 1 + static_cast<log_seq>(below(80)), .from_time = {}, .about = {}});
  case 6: {
    const auto about =
        static_cast<std::int64_t>(1 + below(static_cast<std::size_t>(next_object_) + 1));
    return give_wish(host_order_kind::replay, host,
                     replay_wish{.from_seq = {},
                                 .from_time = {},
                                 .about = object_key{object_kind::post, 0, about}});
  }
  default: {
    const auto discards = chance(50);
    return give_wish(discards ? host_order_kind::discard : host_order_kind::replay, host,
                     dead_letters_wish{.units = {}, .discard = discards});
  }
  }
}

/// What is to be called with the answer of the writer.
std::function<void(const caf::error&)>
delivery_history::note_outcome(const kit::host_order_given& wish) {
  oracle_.tell(words_of(wish));
  const auto number = oracle_.bans().wanted(wish, now());
  return [this, number](const caf::error& failure) {
    if (failure)
      oracle_.bans().failed(number, now());
    else
      oracle_.bans().done(number, now());
  };
}

/// A second later nothing goes there, whatever waits.
void delivery_history::block_for_a_while() {
  if (!blocked_.empty()) {
    unblock(blocked_.back());
    return blocked_.pop_back();
  }
  blocked_.push_back(some_host());
  world_.block(
      blocked_.back(),
      note_outcome(
          {.kind = host_order_kind::block, .host = blocked_.back(), .in_flight = {}, .per_s = {}}));
}

void delivery_history::unblock(const std::string& host) {
  world_.unblock(
      host,
      note_outcome({.kind = host_order_kind::unblock, .host = host, .in_flight = {}, .per_s = {}}));
}

/// While its host is paused a post is made and deleted: the wire shows the Delete alone.
void delivery_history::supersede() {
  const auto at = below(endpoints_.size());
  const auto host = names_[at / (endpoints_.size() / names_.size())];
  const auto address = kit::delivery_world::address(host);
  give({.kind = host_order_kind::pause, .host = host, .in_flight = {}, .per_s = {}},
       pause_host{address});
  world_.advance(1'500ms);
  poll_orders();
  if (world_.actors.is_stopped() || !orders_.empty())
    return;
  const auto report = world_.actors.ask<host_report>(world_.hosts, describe_host{address});
  if (report && report->paused && report->waiting == 0 && !report->behind &&
      report->exceptions == 0) {
    auto about = make_object(false);
    about.is_public = true;
    about.named = {endpoints_[at]};
    const auto made = write(about, log_kind::create, false);
    const auto end = write(about, log_kind::remove, false);
    world_.advance(1'500ms);
    const auto known = world_.actors.ask<host_report>(world_.hosts, describe_host{address});
    if (known && known->waiting == 2 && oracle_.row(made).acked_at && oracle_.row(end).acked_at)
      oracle_.bans().forbid(oracle_.url_of(endpoints_[at]), made);
  }
  if (!world_.actors.is_stopped())
    give({.kind = host_order_kind::resume, .host = host, .in_flight = {}, .per_s = {}},
         resume_host{address});
}

void delivery_history::fetch() {
  const auto& host = some_host();
  world_.actors.start<fetched_document>(world_.hosts,
                                        fetch_document{.host = kit::delivery_world::address(host),
                                                       .url = "https://" + host + "/actor",
                                                       .accept = "application/activity+json"});
}

} // namespace trunkline::simulation
