#include "actors/inbox_waker.hpp"

#include "actors/messages.hpp"
#include "actors/queries_inbox.hpp"
#include "protocol/host_address.hpp"

#include <utility>

namespace trunkline {

inbox_waker_handle::behavior_type
inbox_waker_state::make_behavior(inbox_waker_dependencies dependencies,
                                 inbox_waker_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  self_->send(self_, wake_inboxes{});
  return {[this](wake_inboxes) { look(); }};
}

void inbox_waker_state::look() {
  ask_storage(self_, has_.storage, ask_waiting_inboxes(after_, options_.hosts_max),
              [this](const caf::expected<std::vector<std::string>>& hosts) { wake(hosts); });
}

/// After a failure the page is read again in the next round.
void inbox_waker_state::wake(const caf::expected<std::vector<std::string>>& hosts) {
  const auto is_page = hosts && hosts->size() == options_.hosts_max;
  if (hosts)
    for (const auto& key : *hosts)
      if (auto url = parse_remote_url(key, {.allow_http = true}))
        self_->send(has_.lanes, wake_inbox{std::move(url->host)});
  after_ = is_page ? hosts->back() : std::string{};
  self_->delayed_send(self_, is_page ? options_.pause : options_.interval, wake_inboxes{});
}

inbox_waker_handle::behavior_type
inbox_waker(watched_pointer<inbox_waker_handle, inbox_waker_state> self,
            inbox_waker_dependencies dependencies, inbox_waker_options options) {
  self->set_label("inbox_waker");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
