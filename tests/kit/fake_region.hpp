/// A region of hosts, and a dispatcher, that write down what they are told and answer as a test
/// says.
#pragma once

#include "actors/messages.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::kit {

using words = std::vector<std::string>;

/// What the region of hosts was told, and what it answers.
struct fake_region {
  words told; ///< "pause https://slow.example:443"
  std::function<caf::result<host_report>(const host_address&)> describe;
  std::function<caf::result<operated_host>(const operate_host&)> operate = [](const operate_host&) {
    return operated_host{};
  };
  std::function<caf::result<host_queue>(const list_queue&)> queue = [](const list_queue&) {
    return host_queue{};
  };
  caf::error refusal;
  std::function<void(const host_address&, std::string_view)> change;
};

inline remote_host_handle::behavior_type region_of(std::shared_ptr<fake_region> region) {
  const auto change = [region](const host_address& host,
                               std::string_view what) -> caf::result<void> {
    region->told.push_back(std::string{what} + " " + to_key(host));
    if (region->refusal)
      return region->refusal;
    region->change(host, what);
    return caf::unit;
  };
  return {
      [](const offer_units&) -> caf::result<void> { return caf::unit; },
      [](const wake_host&) {},
      [](const note_sign_of_life&) {},
      [](const fetch_document&) -> caf::result<fetched_document> {
        return caf::sec::bad_function_call;
      },
      [change](const pause_host& wish) { return change(wish.host, "pause"); },
      [change](const resume_host& wish) { return change(wish.host, "resume"); },
      [change](const retry_host& wish) { return change(wish.host, "retry"); },
      [region](const operate_host& order) -> caf::result<operated_host> {
        region->told.push_back("operate " + to_key(order.host));
        return region->refusal ? caf::result<operated_host>{region->refusal}
                               : region->operate(order);
      },
      [region](const list_queue& wish) -> caf::result<host_queue> {
        region->told.push_back("queue " + to_key(wish.host));
        return region->queue(wish);
      },
      [region](const describe_host& wish) -> caf::result<host_report> {
        region->told.push_back("describe " + to_key(wish.host));
        return region->describe(wish.host);
      },
      [](const host_timer&) {},
      [](const exchange_ended&) {},
      [](const place_granted&) {},
  };
}

/// What the books know.
struct fake_books {
  log_seq dispatched = 1'000;
  std::function<bool(const ask_open_units::question&)> is_open = [](const auto&) { return false; };
  int flushes = 0;
};

inline dispatcher_handle::behavior_type books_of(std::shared_ptr<fake_books> books) {
  return {
      [](begin_delivery) {},
      [](const dispatch_rows&) {},
      [](const host_progress&) {},
      [](const adopt_host&) -> caf::result<host_cursor> { return host_cursor{}; },
      [books](const ask_open_units& wish) -> caf::result<open_units> {
        auto answer = open_units{};
        for (const auto& unit : wish.units)
          answer.open.push_back(books->is_open(unit));
        return answer;
      },
      [books](flush_books) -> caf::result<void> {
        ++books->flushes;
        return caf::unit;
      },
      [](const own_host_shards&) {},
      [](const give_up_host_shards&) -> caf::result<void> { return caf::unit; },
      [books](describe_dispatcher) -> caf::result<dispatcher_report> {
        return dispatcher_report{.dispatched = books->dispatched};
      },
      [](checkpoint_due) {},
  };
}

} // namespace trunkline::kit
