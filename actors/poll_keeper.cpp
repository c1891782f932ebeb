#include "actors/poll_keeper.hpp"

#include "actors/account_changes.hpp"
#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "storage/log_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Polls of other servers are theirs to tell of.
caf::expected<caf::unit_t> tell(write_context& context, const poll_keeper_dependencies& has,
                                post_id poll) {
  const auto row = find_post(context.db, poll);
  if (!row)
    return row.error();
  if (!*row || (*row)->uri)
    return caf::unit;
  auto author = acting_account{(*row)->author, has.domain, has.urls, has.ids};
  return author.tell_votes(context, poll);
}

} // namespace

poll_keeper_handle::behavior_type
poll_keeper_state::make_behavior(poll_keeper_dependencies dependencies,
                                 poll_keeper_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  self_->delayed_send(self_, options_.interval, keep_house{});
  return {[this](keep_house) { look(); }};
}

void poll_keeper_state::look() {
  const auto since = seen_ ? time_point{} : has_.clock() - options_.lookback_time;
  ask_storage(self_, has_.storage,
              query<voted_polls>{[seen = seen_, since,
                                  limits = options_](database& db) -> caf::expected<voted_polls> {
                if (seen)
                  return read_votes(db, *seen, since, limits.votes_max);
                const auto newest = newest_seq(db);
                if (!newest)
                  return newest.error();
                const auto from = std::max<log_seq>(0, *newest - limits.lookback);
                return read_votes(db, from, since, limits.votes_max);
              }},
              [this](const caf::expected<voted_polls>& found) { take(found); });
}

/// After a failure the next round reads the same rows.
void poll_keeper_state::take(const caf::expected<voted_polls>& found) {
  if (found) {
    seen_ = found->upto;
    waiting_ = found->posts;
  }
  tell_next();
}

/// A poll of which nobody could be told is told of after its next vote.
void poll_keeper_state::tell_next() {
  if (waiting_.empty())
    return self_->delayed_send(self_, options_.interval, keep_house{});
  const auto poll = waiting_.back();
  waiting_.pop_back();
  ask_storage(self_, has_.storage, command<caf::unit_t>{[has = has_, poll](write_context& context) {
                return tell(context, has, poll);
              }},
              [this](const caf::expected<caf::unit_t>&) { tell_next(); });
}

poll_keeper_handle::behavior_type
poll_keeper(watched_pointer<poll_keeper_handle, poll_keeper_state> self,
            poll_keeper_dependencies dependencies, poll_keeper_options options) {
  self->set_label("poll_keeper");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
