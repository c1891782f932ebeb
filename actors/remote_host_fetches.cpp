// What is fetched from a host, within its budget.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"
#include "protocol/delivery_verdict.hpp"
#include "protocol/errc.hpp"
#include "protocol/time.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

caf::error error_of(const exchange_failure& failure, const std::string& url) {
  const auto text = url + ": " + failure.reason;
  if (failure.name_unknown)
    return make_error(errc::not_found, text);
  return make_error(failure.timed_out ? errc::timed_out : errc::unavailable, text);
}

bool is_connect(const exchange_failure& failure) {
  return failure.phase < exchange_phase::write;
}

/// How long the host wants no more fetches, if it says so.
std::optional<std::chrono::microseconds> asked_wait(const incoming_response& response,
                                                    time_point now) {
  if (response.status != 429 && response.status != 503)
    return std::nullopt;
  return read_retry_after(find_header(response.headers, "Retry-After"), now);
}

/// "11:02:03"
std::string clock_words(time_point at) {
  return to_iso8601(std::chrono::ceil<std::chrono::seconds>(at)).substr(11, 8);
}

} // namespace

/// Returns why nothing is fetched now, if nothing is. A host that cannot be reached for deliveries
/// is not for fetches either; what it asks of fetches says nothing about its inboxes.
caf::error remote_host_core::refuse_fetches(time_point now) const {
  if (const auto until = fetches_.not_before; until > now)
    return make_error(errc::unavailable,
                      to_name(address_) + " asked to wait until " + clock_words(*until), *until);
  if (failing_to_connect_ && is_withheld(facts_.state) && facts_.next_try_at > now)
    return make_error(errc::unavailable, to_name(address_) + ": cannot be reached for now");
  return {};
}

caf::result<fetched_document> remote_host_core::fetch(fetch_document& wanted) {
  const auto url = parse_remote_url(wanted.url, {.allow_http = address_.scheme == "http"});
  if (!url || url->host != address_)
    return make_error(errc::invalid, "fetch: " + wanted.url + " is not of " + to_name(address_));
  active_at_ = has_.clock(); // its wait is not forgotten while anybody asks
  if (auto refusal = refuse_fetches(active_at_))
    return refusal;
  if (fetches_.waiting.size() >= options_.fetches_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many fetches wait");
  auto reply = self_->make_response_promise<fetched_document>();
  fetches_.waiting.push_back({std::move(wanted), reply, active_at_ + options_.fetch_wait});
  pump();
  return reply;
}

bool remote_host_core::can_fetch(time_point now) const {
  return !fetches_.waiting.empty() && fetches_.under_way < std::max<std::int64_t>(1, limit() / 2) &&
         !refuse_fetches(now) && facts_.state != host_state::probing;
}

/// Of a host that cannot be reached any request shows whether it is back.
void remote_host_core::start_fetch() {
  auto& open = begin_exchange(is_withheld(facts_.state) && failing_to_connect_);
  const auto id = open.id;
  open.fetch = std::move(fetches_.waiting.front());
  fetches_.waiting.pop_front();
  ++fetches_.under_way;
  const auto& wanted = open.fetch->wanted;
  send(id,
       {.scheme = facts_.scheme == signature_scheme::rfc9421 ? signature_scheme::rfc9421
                                                             : signature_scheme::cavage,
        .url = wanted.url},
       {.method = http_method::get,
        .url = wanted.url,
        .headers = {{"Accept", wanted.accept}},
        .response_bytes_max = wanted.bytes_max});
}

void remote_host_core::conclude_fetch(host_exchange& done, exchange_outcome& outcome) {
  --fetches_.under_way;
  if (const auto* failure = outcome.failure()) {
    note_error(0, "fetch: " + failure->reason, failure);
    if (is_connect(*failure) || facts_.state == host_state::probing)
      note_failure(done.id, {.reason = failure->reason}, failure);
    done.fetch->reply.deliver(error_of(*failure, done.fetch->wanted.url));
    return;
  }
  ++report_.fetched;
  if (is_withheld(facts_.state) && failing_to_connect_)
    note_success(done.id, outcome.timing.total, false);
  auto& response = std::get<incoming_response>(outcome.result);
  const auto now = has_.clock();
  if (const auto wait = asked_wait(response, now)) {
    fetches_.not_before = std::max(fetches_.not_before.value_or(now), now + *wait);
    done.fetch->reply.deliver(refuse_fetches(now));
    return;
  }
  done.fetch->reply.deliver(fetched_document{.status = response.status,
                                             .headers = std::move(response.headers),
                                             .body = std::move(response.body)});
}

void remote_host_core::expire_fetches(time_point now) {
  if (fetches_.waiting.empty())
    return;
  const auto refusal = refuse_fetches(now);
  while (!fetches_.waiting.empty() && (refusal || fetches_.waiting.front().due <= now)) {
    fetches_.waiting.front().reply.deliver(
        refusal ? refusal : make_error(errc::timed_out, to_name(address_) + ": the host is busy"));
    fetches_.waiting.pop_front();
  }
}

} // namespace trunkline
