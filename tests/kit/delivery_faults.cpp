#include "kit/delivery_faults.hpp"

#include "actors/messages.hpp"
#include "kit/deaf_host.hpp"
#include "protocol/errc.hpp"

#include <chrono>
#include <utility>

namespace trunkline::kit {

log_reader_handle::behavior_type losing_hints(log_reader_handle::pointer self, log_reader_handle to,
                                              const delivery_world_options* options,
                                              std::mt19937_64* random) {
  return {
      [=](const log_hint& hint) {
        const auto happens = [random](unsigned of_100) { return (*random)() % 100 < of_100; };
        if (happens(options->hints_lost))
          return;
        if (happens(options->hints_late))
          self->delayed_send(to, std::chrono::milliseconds{(*random)() % 2'000}, hint);
        else
          self->send(to, hint);
        if (happens(options->hints_doubled))
          self->delayed_send(to, std::chrono::milliseconds{(*random)() % 2'000}, hint);
      },
      [=](describe_log question) -> caf::result<log_report> {
        return self->delegate(to, question);
      },
      [=](const read_missed& wish) -> caf::result<found_units> { return self->delegate(to, wish); },
      [](const log_has_grown&) {},
      [](poll_log) {},
      [](close_hole) {},
  };
}

signing_handle::behavior_type fake_signer(signing_handle::pointer, unsigned lost,
                                          std::mt19937_64* random,
                                          std::map<signature_scheme, int>* counts) {
  const auto sign = [=](const sign_request& wish) -> caf::expected<signed_headers> {
    if ((*random)() % 100 < lost)
      return make_error(errc::unavailable, "signer: too many wait");
    ++(*counts)[wish.scheme];
    return signed_headers{
        {{"Signed", wish.scheme == signature_scheme::rfc9421 ? "rfc9421" : "cavage"}}};
  };
  return {
      [=](const sign_request& wish) -> caf::result<signed_headers> {
        auto made = sign(wish);
        if (!made)
          return std::move(made.error());
        return std::move(*made);
      },
      [=](sign_and_send& order) {
        auto made = sign(order.wish);
        if (!made)
          return order.unsent.fail(made.error());
        std::ranges::move(made->headers, std::back_inserter(order.request.headers));
        order.unsent.let_go();
        order.sender->send(std::move(order.request), std::move(order.done));
      },
      [](ask_public_key) { return public_key_text{}; },
      [](signing_done) {},
  };
}

remote_host_handle::behavior_type losing_offers(remote_host_handle::pointer self,
                                                remote_host_handle to, unsigned lost,
                                                std::mt19937_64* random) {
  return deaf_host(
      [=](const offer_units& news) -> caf::result<void> {
        if ((*random)() % 100 < lost)
          return make_error(errc::unavailable, "region: no room");
        return self->delegate(to, news);
      },
      [=](const wake_host& wish) { self->send(to, wish); }, [](const note_sign_of_life&) {});
}

void doubling_sender::send(outgoing_request request, exchange_handler done) {
  inner_->send(std::move(request), [this, done](exchange_outcome outcome) {
    done(outcome);
    if ((*random_)() % 100 >= doubled_)
      return;
    if ((*random_)() % 2 == 0)
      outcome.result = incoming_response{.status = 202, .headers = {}, .body = {}};
    later_(std::chrono::milliseconds{(*random_)() % 20'000}, [done, outcome] { done(outcome); });
  });
}

} // namespace trunkline::kit
