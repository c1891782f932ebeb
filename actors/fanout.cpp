#include "actors/fanout.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr auto unread_check_interval = std::chrono::hours{1};

/// Returns what the row does to the rings of its author's followers; nothing for a row that does
/// nothing to them. A boost that is taken back leaves its reference: readers find it gone.
std::optional<ring_update> update_of(const log_entry& row) {
  using what = ring_update::what;
  switch (row.kind) {
  case log_kind::create:
  case log_kind::announce:
    return row.facts ? std::optional{ring_update{what::insert, *row.facts}} : std::nullopt;
  case log_kind::update:
    return row.facts ? std::optional{ring_update{what::refilter, *row.facts}} : std::nullopt;
  case log_kind::remove:
    return ring_update{what::remove, {.id = {row.object.target}, .author = row.author}};
  default:
    return std::nullopt;
  }
}

/// Returns whose graph the row changes; 0 for nobody.
std::array<account_id, 2> changed_graphs(const log_entry& row) {
  switch (row.kind) {
  case log_kind::follow:
  case log_kind::undo_follow:
  case log_kind::mute:
  case log_kind::undo_mute:
  case log_kind::domain_block:
  case log_kind::undo_domain_block:
    return {account_id{row.object.actor}, {}};
  case log_kind::block: // ends the follows of both
  case log_kind::undo_block:
    return {account_id{row.object.actor}, account_id{row.object.target}};
  case log_kind::remove_actor:
    return {account_id{row.object.target}, {}};
  default:
    return {};
  }
}

/// Tells whether the row makes a home wrong that was read before it with this graph.
bool changes(const viewer_graph& graph, const log_entry& row) {
  if (std::ranges::count(changed_graphs(row), graph.viewer) > 0)
    return true;
  return row.kind == log_kind::remove_actor && graph.follow_of({row.object.target});
}

} // namespace

fanout_state::~fanout_state() {
  for (auto& [seq, reply] : waiting_)
    reply.deliver(make_error(errc::unavailable, "fanout: shutting down"));
}

fanout_handle::behavior_type fanout_state::make_behavior(fanout_dependencies dependencies,
                                                         fanout_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  self_->delayed_send(self_, unread_check_interval, drop_unread_homes{});
  return {
      [this](const apply_rows& news) { apply(news); },
      [this](const install_home& wish) { return install(wish); },
      [this](const await_applied& wish) { return await(wish); },
      [this](describe_fanout) { return describe(); },
      [this](continue_fanout) {
        continue_sent_ = false;
        pump();
      },
      [this](drop_unread_homes) { drop_unread(); },
  };
}

void fanout_state::apply(const apply_rows& news) {
  if (!std::exchange(started_, true))
    forgotten_ = received_ = news.rows.empty() ? news.upto : news.rows.front().seq - 1;
  tell_dispatcher(news);
  for (const auto& row : news.rows)
    take(row);
  received_ = std::max(received_, news.upto);
  if (news.end_seen_at) {
    // The older of two waits for the shorter time; the newest is worth the most.
    if (ticks_.size() == 2)
      ticks_.pop_back();
    ticks_.push_back({received_, *news.end_seen_at});
  }
  pump();
}

void fanout_state::tell_dispatcher(const apply_rows& news) {
  if (!has_.dispatcher)
    return;
  auto copy = dispatch_rows{.previous = received_, .upto = std::max(received_, news.upto)};
  for (const auto& row : news.rows)
    if (row.audience || !row.extra.empty())
      copy.rows.push_back(row);
  self_->send(has_.dispatcher, std::move(copy));
}

void fanout_state::take(const log_entry& row) {
  received_ = row.seq;
  for (const auto& cache : has_.caches)
    cache->apply(row);
  for (const auto viewer : changed_graphs(row))
    if (viewer)
      has_.rings->drop(viewer, row.seq);
  if (row.kind == log_kind::remove_actor)
    has_.rings->drop_followers({row.object.target}, row.seq);
  if (auto update = update_of(row))
    enqueue({.seq = row.seq, .update = std::move(*update)});
  keep(row);
}

void fanout_state::keep(const log_entry& row) {
  history_.push_back(row);
  if (history_.size() <= options_.history_max)
    return;
  forgotten_ = history_.front().seq;
  history_.pop_front();
}

void fanout_state::enqueue(work next) {
  const auto author = next.update.facts.author;
  const auto is_large = has_.rings->count_followers(author) > options_.slice_max ||
                        std::ranges::any_of(large_, [author](const work& earlier) {
                          return earlier.update.facts.author == author;
                        });
  (is_large ? large_ : small_).push_back(std::move(next));
}

void fanout_state::pump() {
  advance(small_, options_.slice_max);
  advance(large_, options_.slice_max);
  publish();
  if (!(small_.empty() && large_.empty()) && !std::exchange(continue_sent_, true))
    self_->send(self_, continue_fanout{});
}

/// Works on the queue's front until `visits_max` rings were visited. A fan-out counts as one visit
/// at least, so that many with nobody to visit end as well.
void fanout_state::advance(std::deque<work>& queue, std::size_t visits_max) {
  const auto now = has_.clock();
  while (!queue.empty() && visits_max > 0) {
    auto& next = queue.front();
    const auto visits = has_.rings->apply(next.update, next.cursor, visits_max, now);
    visits_max -= std::min(std::max<std::size_t>(visits, 1), visits_max);
    if (next.cursor.is_done())
      queue.pop_front();
  }
}

void fanout_state::publish() {
  auto applied = received_;
  if (!small_.empty())
    applied = std::min(applied, small_.front().seq - 1);
  if (!large_.empty())
    applied = std::min(applied, large_.front().seq - 1);
  has_.position->apply(applied);
  while (!ticks_.empty() && ticks_.front().upto <= applied) {
    has_.position->tick(ticks_.front().at);
    ticks_.erase(ticks_.begin());
  }
  while (!waiting_.empty() && waiting_.begin()->first <= applied) {
    waiting_.begin()->second.deliver(caf::unit);
    waiting_.erase(waiting_.begin());
  }
}

bool fanout_state::install(const install_home& wish) {
  const auto& home = wish.home;
  const auto is_missed = [&](const log_entry& row) { return row.seq > home.seq; };
  const auto missed = std::ranges::find_if(history_, is_missed);
  if (!started_ || home.seq < forgotten_ ||
      std::any_of(missed, history_.end(),
                  [&](const log_entry& row) { return changes(*home.graph, row); })) {
    ++refused_homes_;
    return false;
  }
  const auto now = has_.clock();
  has_.rings->install(home, self_->clock().now());
  for (auto row = missed; row != history_.end(); ++row)
    if (const auto update = update_of(*row);
        update && home.graph->shows_author(update->facts.author, now))
      has_.rings->apply_to(home.graph->viewer, *update, now);
  return true;
}

caf::result<void> fanout_state::await(const await_applied& wish) {
  if (has_.position->applied() >= wish.seq)
    return caf::unit;
  if (waiting_.size() >= options_.waiting_max)
    return make_error(errc::unavailable, "fanout: too many reads wait");
  auto reply = self_->make_response_promise<caf::unit_t>();
  waiting_.emplace(wish.seq, reply);
  return reply;
}

fanout_report fanout_state::describe() const {
  return {.received = received_,
          .applied = has_.position->applied(),
          .waiting_small = static_cast<std::int64_t>(small_.size()),
          .waiting_large = static_cast<std::int64_t>(large_.size()),
          .waiting_reads = static_cast<std::int64_t>(waiting_.size()),
          .refused_homes = refused_homes_,
          .mailbox = static_cast<std::int64_t>(self_->mailbox().size())};
}

void fanout_state::drop_unread() {
  has_.rings->drop_unread(self_->clock().now());
  self_->delayed_send(self_, unread_check_interval, drop_unread_homes{});
}

fanout_handle::behavior_type fanout(watched_pointer<fanout_handle, fanout_state> self,
                                    fanout_dependencies dependencies, fanout_options options) {
  self->set_label("fanout");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
