#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

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

} // namespace

/// A host that cannot be reached for deliveries is not for fetches either.
bool remote_host_state::refuses_fetches(time_point now) const {
  return failing_to_connect_ && is_withheld(facts_.state) && facts_.next_try_at &&
         *facts_.next_try_at > now;
}

caf::result<fetched_document> remote_host_state::fetch(fetch_document& wanted) {
  const auto url = parse_remote_url(wanted.url, {.allow_http = address_.scheme == "http"});
  if (!url || url->host != address_)
    return make_error(errc::invalid, "fetch: " + wanted.url + " is not of " + to_name(address_));
  if (refuses_fetches(has_.clock()))
    return make_error(errc::unavailable, to_name(address_) + ": cannot be reached for now");
  if (fetches_.size() >= options_.fetches_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many fetches wait");
  active_at_ = has_.clock();
  auto reply = self_->make_response_promise<fetched_document>();
  fetches_.push_back({std::move(wanted), reply, active_at_ + options_.fetch_wait});
  pump();
  return reply;
}

bool remote_host_state::can_fetch(time_point now) const {
  return !fetches_.empty() && fetching_ < std::max<std::int64_t>(1, limit() / 2) &&
         !refuses_fetches(now) && facts_.state != host_state::probing;
}

void remote_host_state::start_fetch() {
  const auto id = ++newest_;
  auto& open = exchanges_[id];
  open.slot = std::exchange(slot_, nullptr);
  open.fetch = std::move(fetches_.front());
  fetches_.pop_front();
  ++fetching_;
  const auto& wanted = open.fetch->wanted;
  if (!wanted.is_signed)
    return send(id, {.method = http_method::get,
                     .url = wanted.url,
                     .headers = {{"Accept", wanted.accept}},
                     .response_bytes_max = wanted.bytes_max});
  self_
      ->request(has_.signing, options_.sign_deadline,
                sign_request{.scheme = facts_.scheme == signature_scheme::rfc9421
                                           ? signature_scheme::rfc9421
                                           : signature_scheme::cavage,
                             .url = wanted.url})
      .then(
          [this, id](signed_headers& made) {
            const auto found = exchanges_.find(id);
            if (found == exchanges_.end())
              return;
            const auto& asked = found->second.fetch->wanted;
            made.headers.emplace_back("Accept", asked.accept);
            send(id, {.method = http_method::get,
                      .url = asked.url,
                      .headers = std::move(made.headers),
                      .response_bytes_max = asked.bytes_max});
          },
          [this, id](const caf::error& failure) { give_up(id, failure); });
}

void remote_host_state::conclude_fetch(exchange_id id, exchange& done, exchange_outcome& outcome) {
  --fetching_;
  if (const auto* failure = outcome.failure()) {
    note_error(0, "fetch: " + failure->reason);
    if (is_connect(*failure) || facts_.state == host_state::probing)
      note_failure(id, failure->reason, is_connect(*failure), std::nullopt);
    done.fetch->reply.deliver(error_of(*failure, done.fetch->wanted.url));
    return;
  }
  ++report_.fetched;
  if (is_withheld(facts_.state) && failing_to_connect_)
    note_success(id, outcome.timing.total, false);
  auto& response = std::get<incoming_response>(outcome.result);
  done.fetch->reply.deliver(fetched_document{.status = response.status,
                                             .headers = std::move(response.headers),
                                             .body = std::move(response.body)});
}

void remote_host_state::expire_fetches(time_point now) {
  while (!fetches_.empty() && (fetches_.front().due <= now || refuses_fetches(now))) {
    const auto is_late = fetches_.front().due <= now;
    fetches_.front().reply.deliver(
        make_error(is_late ? errc::timed_out : errc::unavailable,
                   to_name(address_) + (is_late ? ": the host is busy" : ": cannot be reached")));
    fetches_.pop_front();
  }
}

} // namespace trunkline
