#include "actors/timeline.hpp"

#include "actors/home_page.hpp"
#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"

#include <utility>

namespace trunkline {

namespace {

constexpr auto page_limit_max = std::int64_t{40};

} // namespace

timeline_state::~timeline_state() {
  for (auto& read : waiting_)
    read.reply.deliver(make_error(errc::unavailable, "timeline: shutting down"));
}

timeline_handle::behavior_type timeline_state::make_behavior(account_id account,
                                                             passivator_handle region,
                                                             timeline_dependencies dependencies,
                                                             timeline_options options) {
  account_ = account;
  region_ = std::move(region);
  has_ = std::move(dependencies);
  options_ = options;
  last_read_ = self_->clock().now();
  self_->delayed_send(self_, options_.idle_after, timeline_idle{});
  return {
      [this](read_home& wish) { return take(wish); },
      [this](const describe_timeline&) { return describe(); },
      [this](timeline_idle) { check_idle(); },
  };
}

caf::result<home_page> timeline_state::take(read_home& wish) {
  if (wish.page.limit < 1 || wish.page.limit > page_limit_max)
    return make_error(errc::invalid, "limit: must be 1 to " + std::to_string(page_limit_max));
  ++reads_;
  ++under_way_;
  last_read_ = self_->clock().now();
  auto read = reading{.page = wish.page,
                      .reply = self_->make_response_promise<home_page>(),
                      .admission = std::move(wish.admission)};
  auto reply = read.reply;
  const auto committed = has_.position->committed();
  if (has_.position->applied() >= committed) {
    serve(std::move(read));
    return reply;
  }
  self_->request(has_.fanout, options_.applied_wait, await_applied{committed})
      .then([this, read] { serve(read); },
            [this, read](const caf::error&) { serve_from_storage(read); });
  return reply;
}

void timeline_state::serve(reading read) {
  const auto now = has_.clock();
  if (auto ring = has_.rings->read(account_, now, self_->clock().now())) {
    auto question = page_of_ring(std::move(*ring), read.page, now);
    return ask_storage(
        self_, has_.storage, std::move(question),
        [this, read](caf::expected<home_page> page) { answer_with(read, std::move(page)); });
  }
  if (waiting_.size() >= options_.waiting_max)
    return answer_with(read, make_error(errc::unavailable, "timeline: too many reads wait"));
  waiting_.push_back(std::move(read));
  if (!std::exchange(rebuilding_, true))
    rebuild();
}

void timeline_state::serve_from_storage(reading read) {
  auto question = page_of_storage(account_, read.page, has_.clock());
  ask_storage(self_, has_.storage, std::move(question),
              [this, read](caf::expected<home_page> page) { answer_with(read, std::move(page)); });
}

void timeline_state::answer_with(reading read, caf::expected<home_page> page) {
  --under_way_;
  if (page)
    read.reply.deliver(std::move(*page));
  else
    read.reply.deliver(std::move(page.error()));
}

void timeline_state::rebuild() {
  ++rebuilds_;
  ++rebuilds_in_row_;
  ask_storage(self_, has_.storage, rebuilt_home(account_, has_.clock()),
              [this](caf::expected<home_snapshot> home) { install(std::move(home)); });
}

void timeline_state::install(caf::expected<home_snapshot> home) {
  if (!home)
    return give_up_rebuild();
  self_->request(has_.fanout, options_.fanout_deadline, install_home{std::move(*home)})
      .then([this](bool is_installed) { finish_rebuild(is_installed); },
            [this](const caf::error&) { give_up_rebuild(); });
}

void timeline_state::finish_rebuild(bool is_installed) {
  if (!is_installed && rebuilds_in_row_ < options_.rebuilds_max)
    return rebuild();
  if (!is_installed)
    return give_up_rebuild();
  rebuilding_ = false;
  // A ring that is dropped again at once, by a change of the graph, is rebuilt once more.
  if (rebuilds_in_row_ >= options_.rebuilds_max && !has_.rings->describe(account_, has_.clock()))
    return give_up_rebuild();
  for (auto& read : std::exchange(waiting_, {}))
    serve(std::move(read));
  if (!rebuilding_)
    rebuilds_in_row_ = 0;
}

/// The reads that wait are answered from storage; the next read tries again to fill the ring.
void timeline_state::give_up_rebuild() {
  rebuilding_ = false;
  rebuilds_in_row_ = 0;
  for (auto& read : std::exchange(waiting_, {}))
    serve_from_storage(std::move(read));
}

timeline_report timeline_state::describe() const {
  auto report = timeline_report{.account = account_,
                                .rebuilds = rebuilds_,
                                .reads = reads_,
                                .applied = has_.position->applied(),
                                .mailbox = static_cast<std::int64_t>(self_->mailbox().size())};
  if (const auto ring = has_.rings->describe(account_, has_.clock())) {
    report.loaded = true;
    report.length = static_cast<std::int64_t>(ring->length);
    report.newest = ring->newest;
    report.oldest = ring->oldest;
  }
  return report;
}

/// One timer for all reads: a delayed message cannot be taken back.
void timeline_state::check_idle() {
  const auto idle = self_->clock().now() - last_read_;
  if (under_way_ == 0 && idle >= options_.idle_after)
    return self_->send(region_, passivate_actor{.id = account_.value, .incarnation = self_->id()});
  self_->delayed_send(self_, options_.idle_after, timeline_idle{});
}

timeline_handle::behavior_type timeline(watched_pointer<timeline_handle, timeline_state> self,
                                        account_id account, passivator_handle region,
                                        timeline_dependencies dependencies,
                                        timeline_options options) {
  self->set_label("timeline " + to_string(account));
  return self->state.make_behavior(account, std::move(region), std::move(dependencies), options);
}

} // namespace trunkline
