#include "actors/lost_inbox.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "storage/endpoint_store.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace trunkline {

namespace {

/// Of one look-up; the resolver's own limits end it sooner.
constexpr auto lookup_deadline = std::chrono::minutes{2};

/// What is gone may be moved by the first who says where it is now.
caf::expected<std::string> owner_of_lost(write_context& context, endpoint_id endpoint) {
  if (auto failure = note_inbox_gone(context.db, endpoint, context.now))
    return failure;
  return find_owner_of_inbox(context.db, endpoint);
}

} // namespace

void lost_inboxes::set_resolver(resolver_handle resolver) {
  const auto lock = std::scoped_lock{guard_};
  resolver_ = std::move(resolver);
}

resolver_handle lost_inboxes::resolver() const {
  const auto lock = std::scoped_lock{guard_};
  return resolver_;
}

void lost_inboxes::report(const missing_inbox& lost) {
  const auto asked = resolver();
  if (!asked)
    return;
  if (open_.fetch_add(1) >= lookups_max) {
    --open_;
    return;
  }
  // Given back with the actor, whichever way it ends.
  const auto place =
      std::shared_ptr<void>{nullptr, [counter = shared_from_this()](void*) { --counter->open_; }};
  system_.spawn([place, asked, storage = storage_,
                 endpoint = lost.endpoint.id](caf::event_based_actor* self) {
    auto owner = command<std::string>{
        [endpoint](write_context& context) { return owner_of_lost(context, endpoint); }};
    ask_storage(
        self, storage, std::move(owner), [self, asked, place](caf::expected<std::string> uri) {
          if (!uri || uri->empty())
            return;
          self->request(asked, lookup_deadline, resolve_account{.address = *uri, .refresh = true})
              .then([place](account_id) {}, [place](const caf::error&) {});
        });
  });
}

} // namespace trunkline
