#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/delivery_store.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// Waits before the next try of an exception; after the last one it is a dead letter.
constexpr auto exception_waits =
    std::to_array<std::chrono::seconds>({30s, 2min, 10min, 1h, 6h, 24h});

std::optional<std::chrono::seconds> wait_after(std::int64_t attempts) {
  const auto at = static_cast<std::size_t>(std::max<std::int64_t>(attempts, 1)) - 1;
  return at < exception_waits.size() ? std::optional{exception_waits[at]} : std::nullopt;
}

bool is_same_object(const delivery_unit& one, const delivery_unit& other) {
  return one.to->id == other.to->id && one.object == other.object;
}

bool is_connect(const exchange_failure& failure) {
  return failure.phase < exchange_phase::write;
}

} // namespace

bool remote_host_state::joins(const delivery_unit& unit) const {
  return std::ranges::any_of(
      exceptions_, [&](const auto& each) { return is_same_object(each.second.unit, unit); });
}

/// Returns an exception whose turn it is: those of one object go in order, one at a time. A probe
/// waits for none, and takes the one that was tried least lately.
std::optional<delivery_unit> remote_host_state::due_exception(time_point now, bool as_probe) const {
  auto passed = std::set<std::pair<endpoint_id, object_key>>{};
  for (const auto& [id, open] : exchanges_)
    if (!open.fetch)
      passed.emplace(open.item.unit.to->id, open.item.unit.object);
  const waiting_exception* found = nullptr;
  for (const auto& [key, waiting] : exceptions_) {
    if (!passed.emplace(key.endpoint, waiting.unit.object).second)
      continue;
    const auto at = waiting.row.next_try_at.value_or(now);
    if ((as_probe || at <= now) && (!found || at < found->row.next_try_at.value_or(now)))
      found = &waiting;
  }
  return found ? std::optional{found->unit} : std::nullopt;
}

void remote_host_state::deliver(queued_unit item, bool is_exception) {
  const auto id = ++newest_;
  auto& open = exchanges_[id];
  open.item = std::move(item);
  open.is_exception = is_exception;
  open.slot = std::exchange(slot_, nullptr);
  open.scheme = facts_.scheme == signature_scheme::rfc9421 ? signature_scheme::rfc9421
                                                           : signature_scheme::cavage;
  read_body(id);
}

void remote_host_state::read_body(exchange_id id) {
  const auto seq = exchanges_.at(id).item.unit.seq;
  if (const auto known = has_.bodies->find(seq))
    return sign(id, *known);
  auto question = query<outgoing_activity>{[seq](database& db) { return read_outgoing(db, seq); }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, id, seq](caf::expected<outgoing_activity> read) {
                if (!read)
                  return give_up(id, read.error());
                if (!read->body)
                  return give_up(id, make_error(errc::not_found, "its text was kept long enough"));
                const auto body = delivery_body{read->body, read->sha256, read->signer};
                has_.bodies->put(seq, body);
                sign(id, body);
              });
}

void remote_host_state::sign(exchange_id id, const delivery_body& body) {
  const auto& open = exchanges_.at(id);
  const auto& unit = open.item.unit;
  self_
      ->request(has_.signing, options_.sign_deadline,
                sign_request{.signer = body.signer,
                             .scheme = open.scheme,
                             .method = http_method::post,
                             .url = unit.to->url,
                             .body = body.text,
                             .body_sha256 = body.sha256,
                             .cls = unit.cls,
                             .with_previous_key = unit.kind == log_kind::rotate_key})
      .then([this, id, body](signed_headers& made) { post(id, body, std::move(made.headers)); },
            [this, id](const caf::error& failure) { give_up(id, failure); });
}

void remote_host_state::post(exchange_id id, const delivery_body& body, http_headers headers) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end())
    return;
  headers.emplace_back("Content-Type", "application/activity+json");
  send(id, {.method = http_method::post,
            .url = found->second.item.unit.to->url,
            .headers = std::move(headers),
            .body = body.text});
}

void remote_host_state::send(exchange_id id, outgoing_request request) {
  has_.sender->send(std::move(request),
                    [me = remote_host_handle{self_}, id](exchange_outcome outcome) {
                      caf::anon_send(me, exchange_ended{id, std::move(outcome)});
                    });
}

/// Nothing was sent: what is not there is a dead letter, everything else waits a moment.
void remote_host_state::give_up(exchange_id id, const caf::error& failure) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end())
    return;
  auto open = std::move(found->second);
  exchanges_.erase(found);
  const auto retry_at = has_.clock() + options_.local_retry;
  if (open.fetch) {
    --fetching_;
    open.fetch->reply.deliver(failure);
  } else if (code_of(failure) == errc::not_found) {
    bury(open.item.unit, context_of(failure), 0, 0);
  } else if (!open.is_exception) {
    queue_.put_back(std::move(open.item));
  }
  if (facts_.state == host_state::probing) {
    apply(host_event::failed, "not sent: " + context_of(failure));
    try_again_at(retry_at, "not sent: " + context_of(failure));
  } else if (code_of(failure) != errc::not_found) {
    not_before_ = retry_at;
    report_.next_try_reason = "not sent: " + context_of(failure);
  }
  pump();
}

void remote_host_state::ended(exchange_ended& news) {
  const auto found = exchanges_.find(news.exchange);
  if (found == exchanges_.end())
    return;
  active_at_ = has_.clock();
  auto done = std::move(found->second);
  exchanges_.erase(found);
  if (done.fetch)
    conclude_fetch(news.exchange, done, news.outcome);
  else
    conclude(news.exchange, done, news.outcome);
  done.slot.reset();
  pump();
}

void remote_host_state::conclude(exchange_id id, exchange& done, const exchange_outcome& outcome) {
  const auto now = has_.clock();
  const auto* response = outcome.response();
  const auto* failure = outcome.failure();
  const auto& unit = done.item.unit;
  const auto verdict = judge(
      {.status = response ? response->status : 0,
       .fully_written = failure && failure->fully_written(),
       .failure = failure ? std::string_view{failure->reason} : std::string_view{},
       .retry_after = response ? find_header(response->headers, "Retry-After") : std::string_view{},
       .shared_inbox = unit.to->shared,
       .known = facts_.scheme,
       .used = done.scheme,
       .answered_lately = facts_.last_ok_at && now - *facts_.last_ok_at <= proven_for},
      now);
  if (verdict.outcome != delivery_outcome::delivered)
    note_error(response ? response->status : 0, verdict.reason);
  if ((verdict.asks_for_actor || verdict.asks_for_inbox) && has_.on_missing)
    has_.on_missing({.endpoint = *unit.to, .status = response->status});
  if (verdict.outcome == delivery_outcome::sign_again) {
    const auto again = ++newest_;
    done.scheme = signature_scheme::rfc9421;
    exchanges_.emplace(again, std::move(done));
    return read_body(again);
  }
  done.status = response ? response->status : 0;
  if (done.is_exception) {
    conclude_exception(id, done, verdict);
  } else {
    tell_of_try(done, verdict);
    switch (verdict.outcome) {
    case delivery_outcome::dead_letter:
      bury(unit, verdict.reason, 1, done.status);
      break;
    case delivery_outcome::item_failed:
      except(std::move(done.item), verdict.reason, 1);
      break;
    case delivery_outcome::host_busy:
      queue_.put_back(std::move(done.item));
      break;
    case delivery_outcome::host_failed:
      if (verdict.may_be_items && newest_ok_ > id) {
        except(std::move(done.item), verdict.reason, 1);
        return;
      }
      done.item.failed_sent = verdict.may_be_items ? id : 0;
      done.item.own_failures += verdict.may_be_items;
      queue_.put_back(std::move(done.item));
      break;
    default:
      ++report_.delivered;
      settle(unit);
    }
  }
  if (verdict.outcome == delivery_outcome::host_busy)
    return note_busy(id, verdict);
  // What one activity meets again and again says nothing of the others.
  const auto is_own = done.is_exception && verdict.may_be_items;
  if (verdict.outcome == delivery_outcome::host_failed && is_own &&
      facts_.state != host_state::probing)
    return;
  if (verdict.outcome == delivery_outcome::host_failed)
    return note_failure(id, verdict.reason, failure && is_connect(*failure), verdict.retry_after);
  const auto acknowledged = verdict.outcome == delivery_outcome::delivered;
  if (acknowledged && facts_.scheme != done.scheme) {
    facts_.scheme = done.scheme;
    facts_changed_ = true;
  }
  note_success(id, outcome.timing.total, acknowledged);
}

void remote_host_state::conclude_exception(exchange_id, exchange& done,
                                           const delivery_verdict& verdict) {
  const auto& unit = done.item.unit;
  const auto found = exceptions_.find(unit.key());
  if (found == exceptions_.end())
    return;
  auto& row = found->second.row;
  if (verdict.outcome == delivery_outcome::delivered) {
    ++report_.delivered;
    tell_of_try(done, verdict);
    return drop_exception(unit);
  }
  // A probe comes when the host is due, which may be long before the item is: it says nothing of
  // it.
  const auto was_due = row.next_try_at.value_or(has_.clock()) <= has_.clock();
  const auto is_its_own = verdict.outcome == delivery_outcome::item_failed || verdict.may_be_items;
  row.attempts += was_due && is_its_own;
  row.error = verdict.reason;
  const auto wait = wait_after(row.attempts);
  if (verdict.outcome == delivery_outcome::dead_letter || !wait)
    return bury(unit, verdict.reason, row.attempts, done.status);
  tell_of_try(done, verdict);
  row.next_try_at =
      has_.clock() + std::max<std::chrono::microseconds>(*wait, verdict.retry_after.value_or(0us));
  change_exception(found->second);
}

void remote_host_state::settle(const delivery_unit& unit) {
  queue_.settle(unit);
  settled_[index_of(unit.cls)].push_back(unit.key());
}

/// Whoever is told of what happens hears of each try once; of a dead letter when it is buried.
void remote_host_state::tell_of_try(const exchange& done, const delivery_verdict& verdict) const {
  if (verdict.outcome == delivery_outcome::dead_letter)
    return;
  tell_change(done.item.unit,
              verdict.outcome == delivery_outcome::delivered ? delivery_change::delivered
                                                             : delivery_change::failed,
              done.status, verdict.reason);
}

void remote_host_state::tell_change(const delivery_unit& unit, delivery_change change, int status,
                                    const std::string& error) const {
  if (has_.on_delivery)
    has_.on_delivery({.at = has_.clock(),
                      .seq = unit.seq,
                      .change = change,
                      .host = to_name(address_),
                      .inbox = unit.to->url,
                      .status = status,
                      .error = error});
}

/// A dead letter: kept with its reason, and settled.
void remote_host_state::bury(const delivery_unit& unit, const std::string& reason,
                             std::int64_t attempts, int status) {
  ++report_.dead;
  tell_change(unit, delivery_change::dead, status, reason);
  change_exception({.unit = unit,
                    .row = {.unit = unit.key(),
                            .object = unit.object,
                            .status = exception_status::dead,
                            .error = reason,
                            .attempts = attempts,
                            .next_try_at = std::nullopt}});
  if (exceptions_.erase(unit.key()) == 0)
    settle(unit);
}

/// Lets its lane pass a unit: it is covered by a row of its own from now on.
void remote_host_state::except(queued_unit item, const std::string& reason, std::int64_t attempts) {
  const auto unit = item.unit;
  if (exceptions_.size() >= options_.exceptions_max) {
    queue_.put_back(std::move(item));
    facts_.fail_streak = std::max(facts_.fail_streak, failures_max);
    if (!facts_.first_fail_at)
      facts_.first_fail_at = has_.clock();
    try_again_at(has_.clock() + backoff(facts_.fail_streak, {}, chance()), "too many exceptions");
    return apply(facts_.state == host_state::probing ? host_event::failed
                                                     : host_event::failed_often,
                 "too many exceptions");
  }
  if (unit.kind == log_kind::remove) {
    auto replaced = std::vector<delivery_unit>{};
    for (const auto& waiting : exceptions_)
      if (is_same_object(waiting.second.unit, unit) &&
          std::ranges::none_of(exchanges_, [&](const auto& open) {
            return !open.second.fetch && open.second.item.unit.key() == waiting.first;
          }))
        replaced.push_back(waiting.second.unit);
    for (const auto& each : replaced)
      drop_exception(each);
  }
  auto waiting = waiting_exception{.unit = unit,
                                   .row = {.unit = unit.key(),
                                           .object = unit.object,
                                           .status = exception_status::waiting,
                                           .error = reason,
                                           .attempts = attempts,
                                           .next_try_at = has_.clock() + exception_waits[0]}};
  change_exception(waiting);
  exceptions_.insert_or_assign(unit.key(), std::move(waiting));
  settle(unit);
}

void remote_host_state::change_exception(const waiting_exception& changed) {
  changes_.push_back({facts_.id, changed.unit.key(), changed.row});
}

void remote_host_state::drop_exception(const delivery_unit& unit) {
  exceptions_.erase(unit.key());
  changes_.push_back({facts_.id, unit.key(), std::nullopt});
}

} // namespace trunkline
