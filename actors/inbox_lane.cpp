#include "actors/inbox_lane.hpp"

#include "actors/filtered_documents.hpp"
#include "actors/gate_question.hpp"
#include "actors/messages.hpp"
#include "actors/queries_inbox.hpp"
#include "protocol/json.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::int64_t doublings_max = 20;

/// Tells whether a fetch that failed so could succeed later; whatever else is an answer.
bool may_pass(const caf::error& failure) {
  switch (code_of(failure)) {
  case errc::unavailable:
  case errc::timed_out:
  case errc::rate_limited:
  case errc::storage_busy:
  case errc::storage_full:
  case errc::commit_unknown:
  case errc::quarantined:
  case errc::crashed: // of the resolver
    return true;
  default:
    return false;
  }
}

/// Tells whether storage, and not the arrival, is to blame.
bool is_of_storage(const caf::error& failure) {
  return code_of(failure) == errc::storage_broken ||
         (may_pass(failure) && code_of(failure) != errc::crashed);
}

/// What an arrival says, and what filters see of it, when there are any.
struct read_arrival {
  activity said;
  std::optional<filtered_activity> shown;
};

caf::expected<read_arrival> read_said(const arrival& row, bool is_filtered) {
  auto document = parse_json(row.body);
  if (!document)
    return std::move(document.error());
  auto said = read_activity(*document);
  if (!said)
    return std::move(said.error());
  auto read = read_arrival{.said = std::move(*said), .shown = {}};
  if (is_filtered)
    read.shown = show_to_filters(*document, read.said);
  return read;
}

void tell(const std::function<void(std::string_view)>& at_point, std::string_view point) {
  if (at_point)
    at_point(point);
}

} // namespace

inbox_lane_handle::behavior_type
inbox_lane_state::make_behavior(host_address host, inbox_lane_dependencies dependencies,
                                inbox_lane_options options) {
  host_ = std::move(host);
  has_ = std::move(dependencies);
  options_ = options;
  read();
  return {
      [this](const wake_inbox&) { read(); },
      [this](const describe_inbox&) -> caf::result<inbox_report> { return report_; },
      [this](inbox_timer timer) { due(timer.epoch); },
  };
}

void inbox_lane_state::read() {
  woken_ = reading_;
  if (reading_ || head_ != 0)
    return;
  reading_ = true;
  rest_epoch_ = 0;
  auto besides = std::vector<arrival_id>{};
  for (const auto& [id, current] : works_)
    besides.push_back(id);
  ask_storage(self_, has_.storage, ask_next_arrival(to_key(host_), std::move(besides)),
              [this](caf::expected<std::optional<arrival>> next) { got(next); });
}

void inbox_lane_state::got(caf::expected<std::optional<arrival>>& next) {
  reading_ = false;
  const auto again = std::exchange(woken_, false);
  if (!next) {
    report_.last_error = context_of(next.error());
    return later(options_.storage_wait, 0);
  }
  if (*next)
    return begin(std::move(**next));
  if (again)
    return read();
  if (works_.empty())
    rest();
}

void inbox_lane_state::begin(arrival row) {
  const auto id = row.id;
  auto current = std::make_shared<work>();
  current->row = std::move(row);
  works_[id] = current;
  head_ = id;
  auto read = read_said(current->row, has_.gate != nullptr);
  if (!read) {
    current->hopeless = std::move(read.error());
    return go_on(id);
  }
  current->said = std::move(read->said);
  current->unjudged = std::move(read->shown);
  if (!current->unjudged)
    plan(*current);
  go_on(id);
}

void inbox_lane_state::plan(work& current) const {
  current.plan = plan_inbound(current.said, current.row.actor,
                              {.own_origin = has_.shared.own.origin, .sender = host_});
}

void inbox_lane_state::go_on(arrival_id id) {
  const auto found = works_.find(id);
  if (found == works_.end())
    return;
  const auto current = found->second;
  if (current->hopeless)
    return give_up(id);
  if (current->unjudged)
    return judge(id, *current);
  if (current->fetched == current->plan.fetches.size())
    return apply(current);
  if (!current->step().if_followed || current->is_followed)
    return fetch(id, current->step());
  ask_storage(
      self_, has_.storage, ask_is_followed(current->row.actor),
      [this, id](const caf::expected<bool>& is_followed) { fetch_if_followed(id, is_followed); });
}

void inbox_lane_state::fetch_if_followed(arrival_id id, const caf::expected<bool>& is_followed) {
  const auto found = works_.find(id);
  if (found == works_.end())
    return;
  auto& current = *found->second;
  if (!is_followed)
    return later(options_.storage_wait, id);
  current.is_followed = *is_followed;
  if (!*is_followed)
    return skip(id);
  fetch(id, current.step());
}

/// Later arrivals wait for the decision: it comes soon, whatever the filters do.
void inbox_lane_state::judge(arrival_id id, const work& current) {
  ask_gate(self_, has_.gate, {.local = false, .host = to_name(host_), .actor = current.row.actor},
           *current.unjudged, [this, id](const gate_decision& decided) { judged(id, decided); });
}

void inbox_lane_state::judged(arrival_id id, const gate_decision& decided) {
  const auto found = works_.find(id);
  if (found == works_.end())
    return;
  auto& current = *found->second;
  switch (decided.what) {
  case gate_decision::kind::passed:
    current.unjudged.reset();
    apply_decision(decided, current.said);
    plan(current);
    return go_on(id);
  case gate_decision::kind::refused:
    refuse(current, decided);
    return go_on(id);
  case gate_decision::kind::later:
    return judge_later(current, decided);
  }
}

/// It ends as what there was nothing to do for.
void inbox_lane_state::refuse(work& current, const gate_decision& decided) {
  current.unjudged.reset();
  current.plan = {.fetches = {}, .is_applied = false};
  const auto reason = reason_of(decided);
  if (has_.log)
    has_.log("filter " + reason.filter + " refused " + current.row.ap_id + ": " + reason.words);
}

void inbox_lane_state::judge_later(work& current, const gate_decision& decided) {
  const auto id = current.row.id;
  report_.last_error = "filter " + decided.reason;
  if (++current.judgements < options_.judgements_max) {
    const auto doublings = std::min(current.judgements - 1, doublings_max);
    return later(options_.judgement_wait * (std::int64_t{1} << doublings), id);
  }
  current.hopeless = make_error(errc::unavailable, report_.last_error);
  go_on(id);
}

/// Lets later ones pass an arrival that waits for another server, while there is room.
void inbox_lane_state::step_aside(arrival_id id) {
  if (head_ != id || works_.size() > options_.aside_max)
    return;
  head_ = 0;
  read();
}

void inbox_lane_state::fetch(arrival_id id, const inbound_fetch& step) {
  if (step.is_elsewhere)
    step_aside(id);
  if (const auto* account = std::get_if<resolve_account>(&step.wanted))
    return ask_resolver<account_id>(id, *account);
  ask_resolver<post_id>(id, std::get<resolve_post>(step.wanted));
}

template <class Found, class Wanted>
void inbox_lane_state::ask_resolver(arrival_id id, Wanted wanted) {
  self_->request(has_.resolver, options_.fetch_deadline, std::move(wanted))
      .then([this, id](Found) { fetched(id, {}); },
            [this, id](const caf::error& failure) { fetched(id, failure); });
}

void inbox_lane_state::fetched(arrival_id id, const caf::error& failure) {
  const auto found = works_.find(id);
  if (found == works_.end())
    return;
  auto& current = *found->second;
  if (failure && current.step().is_essential && may_pass(failure))
    return missed(current, failure);
  if (!failure && !current.step().is_elsewhere)
    exhausted_ = false;
  skip(id);
}

void inbox_lane_state::skip(arrival_id id) {
  auto& current = *works_.at(id);
  ++current.fetched;
  current.failures = 0;
  go_on(id);
}

/// After the last try it is applied with what there is: the rest may be known from before.
void inbox_lane_state::missed(work& current, const caf::error& failure) {
  report_.last_error = context_of(failure);
  if (++current.failures < tries_of(current)) {
    report_.failures = current.failures;
    const auto doublings = std::min(current.failures - 1, doublings_max);
    return later(options_.first_wait * (std::int64_t{1} << doublings), current.row.id);
  }
  if (!current.step().is_elsewhere)
    exhausted_ = true;
  current.end = arrival_end::given_up;
  current.fetched = current.plan.fetches.size();
  go_on(current.row.id);
}

/// What others wait for is tried once when it lies elsewhere, or when its own server has not
/// answered all tries before.
std::int64_t inbox_lane_state::tries_of(const work& current) const {
  if (current.step().is_elsewhere)
    return current.row.id == head_ ? 1 : options_.tries_elsewhere_max;
  return exhausted_ ? 1 : options_.tries_max;
}

/// Ends the row first: what has ended already, by a job whose answer was lost, has no effect again.
void inbox_lane_state::apply(const std::shared_ptr<work>& current) {
  auto job = [current, shared = has_.shared, effect = has_.apply,
              at_point = has_.at_point](write_context& context) -> caf::expected<bool> {
    auto ended = end_arrival(context.db, current->row.id, current->end);
    if (!ended || !*ended)
      return ended;
    if (current->plan.is_applied)
      if (auto failure = effect(context, shared, current->row, current->said))
        return failure;
    tell(at_point, "inbox_applying");
    return true;
  };
  ask_storage(self_, has_.storage, command<bool>{std::move(job)},
              [this, id = current->row.id](const caf::expected<bool>& done) { applied(id, done); });
}

void inbox_lane_state::applied(arrival_id id, const caf::expected<bool>& done) {
  const auto found = works_.find(id);
  if (found == works_.end())
    return;
  if (!done) {
    report_.last_error = context_of(done.error());
    if (is_of_storage(done.error()))
      return later(options_.storage_wait, id);
    found->second->hopeless = done.error();
    return give_up(id);
  }
  tell(has_.at_point, "inbox_applied");
  ++(found->second->end == arrival_end::done ? report_.applied : report_.given_up);
  ended(id);
}

void inbox_lane_state::give_up(arrival_id id) {
  ask_storage(self_, has_.storage, give_up_arrival(id),
              [this, id](const caf::expected<bool>& done) {
                const auto found = works_.find(id);
                if (found == works_.end())
                  return;
                if (!done)
                  return later(options_.storage_wait, id);
                if (has_.log)
                  has_.log("inbox " + to_name(host_) + " gave up " + found->second->row.ap_id +
                           ": " + context_of(found->second->hopeless));
                report_.last_error = context_of(found->second->hopeless);
                ++report_.given_up;
                ended(id);
              });
}

void inbox_lane_state::ended(arrival_id id) {
  works_.erase(id);
  if (head_ == id || head_ == 0)
    report_.failures = 0;
  if (head_ == id)
    head_ = 0;
  read();
}

void inbox_lane_state::later(std::chrono::seconds wait, arrival_id id) {
  timers_[++epoch_] = id;
  self_->delayed_send(self_, wait, inbox_timer{epoch_});
}

void inbox_lane_state::due(std::uint64_t epoch) {
  if (epoch == rest_epoch_)
    return self_->send(has_.region, passivate_host{host_, self_->id()});
  const auto found = timers_.find(epoch);
  if (found == timers_.end())
    return;
  const auto id = found->second;
  timers_.erase(found);
  if (id == 0)
    return read();
  go_on(id);
}

/// Nothing is open: it asks to be stopped when nothing has come for a while.
void inbox_lane_state::rest() {
  rest_epoch_ = ++epoch_;
  self_->delayed_send(self_, options_.idle_after, inbox_timer{rest_epoch_});
}

inbox_lane_handle::behavior_type
inbox_lane(watched_pointer<inbox_lane_handle, inbox_lane_state> self, host_address host,
           inbox_lane_dependencies dependencies, inbox_lane_options options) {
  self->set_label("inbox_lane " + to_key(host));
  return self->state.make_behavior(std::move(host), std::move(dependencies), options);
}

} // namespace trunkline
