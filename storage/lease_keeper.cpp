#include "storage/lease_keeper.hpp"

#include "storage/partitions.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr auto names = std::to_array<std::string_view>(
    {"joining", "standing_by", "serving", "leaving", "left", "doubled"});

/// A lease as old as a machine can be: none.
constexpr auto no_time = boot_time::min();

bool is_final(lease_phase phase) {
  return phase == lease_phase::left || phase == lease_phase::doubled;
}

} // namespace

std::string_view to_string(lease_phase phase) {
  return names[static_cast<std::size_t>(phase)];
}

lease_keeper::lease_keeper(join_wish wish, clock now, reporter report)
    : wish_{std::move(wish)}, now_{std::move(now)}, report_{std::move(report)}, next_{now_()},
      observing_since_{next_} {
  status_.held_until = no_time;
}

boot_time lease_keeper::step(database& db) {
  const auto now = now_();
  if (is_final(status_.phase))
    return boot_time::max();
  if (now >= next_) {
    if (status_.phase == lease_phase::joining)
      return join(db);
    return status_.phase == lease_phase::leaving ? tell_leaving(db) : renew(db);
  }
  if (aside_due_ && now >= *aside_due_)
    return stand_aside(db);
  if (now >= status_.held_until) // it may not decide about others
    return next_;
  if (admit_due_ && now >= *admit_due_)
    return be_admitted(db);
  if (free_due_ && now >= *free_due_)
    return give_free(db);
  for (auto& [node, lease] : watched_)
    if (now >= lease.due)
      return take_over_from(db, lease);
  return next_due();
}

void lease_keeper::leave() {
  if (is_final(status_.phase) || status_.phase == lease_phase::leaving)
    return;
  const auto was_in = status_.phase != lease_phase::joining;
  lose(was_in ? lease_phase::leaving : lease_phase::left);
}

void lease_keeper::look() {
  if (status_.phase == lease_phase::standing_by || status_.phase == lease_phase::serving)
    next_ = std::min(next_, now_());
}

boot_time lease_keeper::join(database& db) {
  const auto sent = now_();
  const auto answer = join_cluster(db, wish_);
  if (!answer)
    return retry(answer.error(), sent);
  const auto got = now_();
  status_.failure = {};
  if (const auto* node = std::get_if<joined_node>(&*answer)) {
    enter(*node, sent, got);
    return next_;
  }
  const auto& wait = std::get<join_wait>(*answer);
  status_.waits_for = wait.holder;
  wish_.waited_out = wait.lease;
  next_ = got + std::max<boot_clock::duration>(wait.length, renew_pause);
  return next_;
}

void lease_keeper::enter(const joined_node& node, boot_time sent, boot_time got) {
  wish_.waited_out.reset();
  status_.phase = node.serves ? lease_phase::serving : lease_phase::standing_by;
  status_.held_until = sent + held_for;
  status_.id = node.id;
  status_.slot = node.slot;
  status_.incarnation = node.incarnation;
  status_.waits_for.clear();
  observing_since_ = got;
  next_ = got; // to see who else is there
}

boot_time lease_keeper::renew(database& db) {
  const auto words = report_ ? report_() : renewal_words{};
  const auto sent = now_();
  auto answer = renew_lease(db, status_.fence(), words);
  if (!answer)
    return retry(answer.error(), sent);
  const auto got = now_();
  status_.failure = {};
  status_.view = std::move(answer->view);
  if (answer->answer == lease_answer::held)
    confirm(sent, got);
  else
    lose(answer->answer == lease_answer::raised ? lease_phase::doubled : lease_phase::joining);
  return next_due();
}

void lease_keeper::confirm(boot_time sent, boot_time got) {
  const auto& view = status_.view;
  const auto was_fenced = sent >= status_.held_until || got >= sent + held_for;
  if (was_fenced || view.server != server_)
    observing_since_ = got;
  server_ = view.server;
  status_.held_until = sent + held_for;
  const auto* serving = view.serving();
  status_.phase =
      serving && serving->id == status_.id ? lease_phase::serving : lease_phase::standing_by;
  watch(got);
  judge(got);
  next_ = std::max<boot_time>(sent + renew_every, got + renew_pause);
}

/// Each node refuses and admits itself, by what all of them have said.
void lease_keeper::judge(boot_time got) {
  aside_due_.reset();
  admit_due_.reset();
  const auto& view = status_.view;
  const auto* own = view.find(status_.id);
  if (!own)
    return;
  const auto is_kept = kept_nodes(view).contains(own->id);
  const auto is_refused = own->refused_since.has_value();
  cut_since_ = is_kept ? std::nullopt : std::optional{cut_since_.value_or(got)};
  whole_since_ = is_kept && is_refused ? std::optional{whole_since_.value_or(got)} : std::nullopt;
  const auto matters = own->shards() > 0 ? has_receiver(view, own->id) : !is_refused;
  if (cut_since_ && matters)
    aside_due_ = *cut_since_ + cut_for;
  if (is_refused && !has_others(view, own->id))
    admit_due_ = got;
  else if (whole_since_)
    admit_due_ = *whole_since_ + whole_for;
}

void lease_keeper::watch(boot_time got) {
  const auto& view = status_.view;
  auto seen = std::map<std::int64_t, watched_lease>{};
  for (const auto& node : view.nodes) {
    if (node.id == status_.id || !may_write(node.state))
      continue;
    const auto known = watched_.find(node.id);
    const auto is_same = known != watched_.end() && known->second.mark == node.mark();
    auto lease =
        watched_lease{.mark = node.mark(), .since = is_same ? known->second.since : got, .due = {}};
    lease.due = due_of(lease, node, got);
    seen.emplace(node.id, lease);
  }
  watched_ = std::move(seen);
  free_due_ = view.free_shards() > 0 ? std::optional{got} : std::nullopt;
}

boot_time lease_keeper::due_of(const watched_lease& lease, const cluster_node& node,
                               boot_time got) const {
  const auto& now = status_.view.now;
  // Where the database cannot tell, because its clock was set back, a whole lease must pass here.
  const auto cannot_tell = is_over(node.lease_until, now) && node.lease_until > now;
  const auto over = cannot_tell ? lease.since + lease_length + lease_grace
                                : got + time_until_over(node.lease_until, now);
  return std::max<boot_time>({over, lease.since + unchanged_for, observing_since_ + observed_for});
}

void lease_keeper::lose(lease_phase phase) {
  status_.phase = phase;
  status_.held_until = no_time;
  watched_.clear();
  free_due_.reset();
  cut_since_.reset();
  whole_since_.reset();
  aside_due_.reset();
  admit_due_.reset();
  next_ = is_final(phase) ? boot_time::max() : now_();
}

boot_time lease_keeper::take_over_from(database& db, watched_lease& lease) {
  const auto sent = now_();
  const auto result = take_over(db, status_.fence(), lease.mark);
  if (!result) {
    status_.failure = result.error();
    lease.due = sent + renew_every;
    return next_due();
  }
  status_.failure = {};
  lease.due = boot_time::max(); // the next view tells
  if (*result != takeover::not_due)
    next_ = now_();
  return next_due();
}

boot_time lease_keeper::give_free(database& db) {
  const auto sent = now_();
  const auto given = give_free_shards(db, status_.fence());
  if (!given) {
    status_.failure = given.error();
    free_due_ = sent + renew_every;
    return next_due();
  }
  status_.failure = {};
  free_due_.reset();
  if (*given)
    next_ = now_();
  return next_due();
}

/// Twice: the first time it lets go of the lease, which must be known before the commit lets
/// another node serve. When nothing comes of it the next renewal takes the lease up again.
boot_time lease_keeper::stand_aside(database& db) {
  if (status_.held_until != no_time) {
    status_.held_until = no_time;
    return now_();
  }
  const auto answer = step_aside(db, status_.fence());
  status_.failure = answer ? caf::error{} : answer.error();
  aside_due_.reset(); // the next view tells
  next_ = now_();
  if (answer && *answer == step_aside_answer::left)
    lose(lease_phase::joining);
  return next_due();
}

boot_time lease_keeper::be_admitted(database& db) {
  const auto sent = now_();
  status_.failure = readmit(db, status_.fence());
  admit_due_.reset();
  if (status_.failure)
    admit_due_ = sent + renew_every;
  else
    next_ = now_();
  return next_due();
}

boot_time lease_keeper::tell_leaving(database& db) {
  const auto sent = now_();
  if (const auto gone = leave_cluster(db, status_.fence()); !gone)
    return retry(gone.error(), sent);
  status_.failure = {};
  lose(lease_phase::left);
  return next_;
}

boot_time lease_keeper::retry(const caf::error& failure, boot_time sent) {
  status_.failure = failure;
  next_ = std::max<boot_time>(sent + renew_every, now_() + renew_pause);
  return next_due();
}

boot_time lease_keeper::next_due() const {
  auto due = next_;
  for (const auto& other : {free_due_, aside_due_, admit_due_})
    if (other)
      due = std::min(due, *other);
  for (const auto& [node, lease] : watched_)
    due = std::min(due, lease.due);
  return due;
}

} // namespace trunkline
