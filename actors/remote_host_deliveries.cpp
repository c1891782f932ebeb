// From a unit to its verdict.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"
#include "actors/outgoing_bodies.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"

#include <utility>

namespace trunkline {

void remote_host_core::deliver(queued_unit item, bool is_exception) {
  auto& open = begin_exchange(is_withheld(facts_.state));
  open.item = std::move(item);
  open.is_exception = is_exception;
  open.scheme = facts_.scheme == signature_scheme::rfc9421 ? signature_scheme::rfc9421
                                                           : signature_scheme::cavage;
  if (is_exception)
    exceptions_.set_out(open.item.unit, true);
  read_body(open.id);
}

void remote_host_core::read_body(exchange_id id) {
  const auto seq = find_exchange(id)->item.unit.seq;
  if (const auto known = has_.bodies->find(seq))
    return sign(id, *known);
  ask_storage(self_, has_.storage, ask_body(has_.bodies, seq, has_.urls, has_.clock()),
              [this, id](const caf::expected<delivery_body>& read) {
                if (!read)
                  return give_up(id, read.error(), unit_outcome::expired);
                sign(id, *read);
              });
}

void remote_host_core::sign(exchange_id id, const delivery_body& body) {
  const auto* open = find_exchange(id);
  if (!open)
    return;
  const auto& unit = open->item.unit;
  if (!may_deliver(unit))
    return give_up(id, make_error(errc::unavailable, "an order came first"), unit_outcome::expired);
  send(id,
       {.signer = body.signer,
        .scheme = open->scheme,
        .method = http_method::post,
        .url = unit.to->url,
        .body = body.text,
        .body_sha256 = body.sha256,
        .cls = unit.cls,
        .with_previous_key = unit.kind == log_kind::rotate_key},
       {.method = http_method::post,
        .url = unit.to->url,
        .headers = {{"Content-Type", "application/activity+json"}},
        .body = body.text});
}

/// Nothing was sent. What is not there will not be later: the unit ends; all else waits a moment.
void remote_host_core::give_up(exchange_id id, const caf::error& failure,
                               unit_outcome if_not_found) {
  auto open = end_exchange(id);
  if (!open)
    return;
  const auto is_gone = code_of(failure) == errc::not_found;
  if (open->fetch) {
    --fetches_.under_way;
    open->fetch->reply.deliver(failure);
  } else if (open->is_exception) {
    exceptions_.set_out(open->item.unit, false);
    discard_exceptions_due_ = true;
    if (is_gone)
      end_exception(open->item.unit, if_not_found);
    for (const auto& each : exceptions_.about(open->item.unit))
      replace_exceptions(each.unit);
  } else if (is_gone) {
    settle(open->item.unit, if_not_found);
  } else {
    queue_.put_back(std::move(open->item));
    discard_due_ = true;
  }
  const auto reason = "not sent: " + context_of(failure);
  if (open->is_probe && facts_.state == host_state::probing)
    apply(probe_failure(failing_for()), reason);
  if (!is_gone)
    wait_until(has_.clock() + options_.local_retry, reason);
  pump();
}

void remote_host_core::ended(exchange_ended& news) {
  if (news.unsent) // of an account that is gone nothing is sent any more
    return give_up(news.exchange, news.unsent, unit_outcome::cancelled);
  if (gated_sender::is_barred(news.outcome))
    return give_up(news.exchange, make_error(errc::unavailable, "an order came first"),
                   unit_outcome::cancelled);
  auto done = end_exchange(news.exchange);
  if (!done)
    return;
  active_at_ = has_.clock();
  tell_guard(news.outcome);
  if (done->fetch)
    conclude_fetch(*done, news.outcome);
  else
    conclude(*done, news.outcome);
  done.reset(); // its place with it
  pump();
}

delivery_verdict remote_host_core::verdict_of(const host_exchange& done,
                                              const exchange_outcome& outcome) const {
  const auto now = has_.clock();
  const auto* response = outcome.response();
  const auto* failure = outcome.failure();
  return judge(
      {.status = response ? response->status : 0,
       .fully_written = failure && failure->fully_written(),
       .failure = failure ? std::string_view{failure->reason} : std::string_view{},
       .retry_after = response ? find_header(response->headers, "Retry-After") : std::string_view{},
       .shared_inbox = done.item.unit.to->shared,
       .known = facts_.scheme,
       .used = done.scheme,
       .answered_lately = facts_.last_ok_at && now - *facts_.last_ok_at <= proven_for},
      now);
}

void remote_host_core::conclude(host_exchange& done, const exchange_outcome& outcome) {
  const auto verdict = verdict_of(done, outcome);
  const auto* failure = outcome.failure();
  done.status = failure ? 0 : outcome.response()->status;
  if (verdict.outcome != delivery_outcome::delivered)
    note_error(done.status, verdict.reason, failure);
  if ((verdict.asks_for_actor || verdict.asks_for_inbox) && has_.on_missing)
    has_.on_missing({.endpoint = *done.item.unit.to, .status = done.status});
  if (verdict.outcome == delivery_outcome::sign_again)
    return sign_again(done);
  if (failure && failure->timed_out && failure->fully_written())
    note_ended_early(done);
  const auto id = done.id;
  const auto scheme = done.scheme;
  const auto was_full = exceptions_.size() >= options_.exceptions_max;
  const auto may_blame_host = conclude_item(done, verdict);
  switch (verdict.outcome) {
  case delivery_outcome::host_busy:
    return note_busy(id, verdict);
  case delivery_outcome::host_failed:
    if (may_blame_host)
      note_failure(id, verdict, failure);
    return;
  case delivery_outcome::item_failed:
    if (was_full)
      return note_full();
    break;
  default:
    break;
  }
  const auto acknowledged = verdict.outcome == delivery_outcome::delivered;
  if (acknowledged && facts_.scheme != scheme) {
    facts_.scheme = scheme;
    news_.facts = true;
  }
  note_success(id, outcome.timing.total, acknowledged);
}

/// The peer got all of it and may still be at work at it: what is newer of its object waits until
/// the limit of the request.
void remote_host_core::note_ended_early(const host_exchange& done) {
  if (!done.sent_at || steady() - *done.sent_at >= options_.request_limit)
    return;
  early_.doubted_at = std::max(early_.doubted_at, *done.sent_at);
  queue_.hold_again();
  doubt(done.item.unit);
}

void remote_host_core::doubt(const delivery_unit& unit) {
  const auto about = std::pair{unit.to->id, unit.object};
  if (early_.doubtful.size() >= options_.exceptions_max && !early_.doubtful.contains(about))
    return;
  auto& newest = early_.doubtful[about];
  newest = std::max(newest, unit.seq);
}

/// The same request once more, with the place of the first; unless an operator wants fewer since.
void remote_host_core::sign_again(host_exchange& done) {
  done.scheme = signature_scheme::rfc9421;
  done.id = ++newest_;
  done.sent_at.reset();
  const auto id = done.id;
  const auto is_over =
      facts_.limit_in_flight && std::cmp_greater_equal(exchanges_.size(), *facts_.limit_in_flight);
  exchanges_.push_back(std::move(done));
  if (is_over)
    return give_up(id, make_error(errc::unavailable, "an order came first"), {});
  read_body(id);
}

/// What becomes of the item. Tells whether its failure may be its host's: what one activity meets
/// again and again, or where others succeed, says nothing of the host.
bool remote_host_core::conclude_item(host_exchange& done, const delivery_verdict& verdict) {
  if (done.is_exception) {
    conclude_exception(done, verdict);
    return !verdict.may_be_items || facts_.state == host_state::probing || is_outage();
  }
  tell_of_try(done, verdict);
  switch (verdict.outcome) {
  case delivery_outcome::dead_letter:
    bury(done.item.unit, verdict.reason, 1, done.status);
    return false;
  case delivery_outcome::item_failed:
    except(std::move(done.item), verdict.reason, 1);
    return false;
  case delivery_outcome::host_failed:
    if (verdict.may_be_items && newest_ok_ > done.id) {
      except(std::move(done.item), verdict.reason, 1);
      return false;
    }
    done.item.failed_sent = verdict.may_be_items ? done.id : 0;
    done.item.own_failures += verdict.may_be_items && !is_outage();
    [[fallthrough]];
  case delivery_outcome::host_busy:
    queue_.put_back(std::move(done.item));
    discard_due_ = true;
    return true;
  default:
    ++report_.delivered;
    settle(done.item.unit, unit_outcome::delivered);
    return false;
  }
}

void remote_host_core::settle(const delivery_unit& unit, unit_outcome outcome) {
  queue_.settle(unit);
  news_.settled[index_of(unit.cls)].push_back({unit.key(), outcome});
  if (on_ended_ && outcome != unit_outcome::excepted)
    on_ended_(unit);
}

/// Whoever is told of what happens hears of each try once; of a dead letter when it is buried.
void remote_host_core::tell_of_try(const host_exchange& done,
                                   const delivery_verdict& verdict) const {
  if (verdict.outcome == delivery_outcome::dead_letter)
    return;
  tell_change(done.item.unit,
              verdict.outcome == delivery_outcome::delivered ? delivery_change::delivered
                                                             : delivery_change::failed,
              done.status, verdict.reason);
}

void remote_host_core::tell_change(const delivery_unit& unit, delivery_change change, int status,
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

} // namespace trunkline
