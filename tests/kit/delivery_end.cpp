#include "kit/delivery_oracle.hpp"
#include "storage/audience_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>
#include <optional>

namespace trunkline::kit {

namespace {

std::string bounds(std::int64_t least, std::int64_t most) {
  return std::to_string(least) + " to " + std::to_string(most);
}

} // namespace

/// What was acknowledged is there, once, in order; what was refused is not.
void delivery_oracle::judge_acknowledged(const std::vector<int>& stored,
                                         std::vector<std::string>& wrong) {
  if (!std::ranges::is_sorted(stored) || std::ranges::adjacent_find(stored) != stored.end())
    wrong.emplace_back("rows of the log are out of order, or doubled");
  for (auto number = 1; number <= static_cast<int>(rows_.size()); ++number) {
    const auto is_stored = std::ranges::binary_search(stored, number);
    if (!is_stored && row(number).acked_at)
      wrong.push_back("acknowledged and lost: row " + std::to_string(number));
    if (is_stored && row(number).failed)
      wrong.push_back("refused and stored: row " + std::to_string(number));
  }
}

std::vector<std::string> delivery_oracle::missing() {
  auto wrong = std::vector<std::string>{};
  auto& db = world_.db();
  auto dead = std::set<std::pair<endpoint_id, std::int64_t>>{};
  for (const auto& each :
       must(db.run("SELECT endpoint_id, seq FROM delivery_exception WHERE status = 2")).rows)
    dead.emplace(each[0].id<endpoint_id>(), each[1].integer());
  auto stored = std::vector<int>{};
  auto owed_units = std::set<unit>{};
  auto later = std::map<about, later_rows>{};
  ledger_.work_until(moment::max());
  for (const auto& each :
       must(db.run("SELECT seq, ap_id, audience_id FROM log WHERE ap_id IS NOT NULL"
                   " ORDER BY seq DESC"))
           .rows) {
    const auto number = std::stoi(each[1].text());
    const auto& draft = row(number).draft;
    stored.insert(stored.begin(), number);
    auto owed = must(endpoints_of(db, each[2].id<audience_id>()));
    owed.insert(owed.end(), draft.extra.begin(), draft.extra.end());
    std::ranges::sort(owed);
    owed.erase(std::unique(owed.begin(), owed.end()), owed.end());
    for (const auto endpoint : owed) {
      const auto key = unit{url_of(endpoint), number};
      owed_units.insert(key);
      judge_end(key, endpoint, dead.contains({endpoint, each[0].integer()}),
                later[{key.first, draft.object}], wrong);
    }
  }
  for (const auto& [key, past] : units_)
    if (!owed_units.contains(key))
      wrong.push_back("sent to who is not owed it: row " + std::to_string(key.second) + " to " +
                      key.first);
  judge_acknowledged(stored, wrong);
  return wrong;
}

/// Rows come newest first: `later` tells what is owed to the endpoint about the same object.
void delivery_oracle::judge_end(const unit& key, endpoint_id endpoint, bool is_dead,
                                later_rows& later, std::vector<std::string>& wrong) {
  const auto& written = row(key.second);
  const auto& draft = written.draft;
  const auto found = units_.find(key);
  const auto past = found == units_.end() ? history{} : found->second;
  const auto host = key.first.substr(8, key.first.find('/', 8) - 8);
  const auto is_named = std::ranges::find(draft.extra, endpoint) != draft.extra.end();
  const auto ends = draft.kind == log_kind::remove || draft.kind == log_kind::undo_like;
  const auto may_be_absent =
      !draft.is_public && !is_named && !ends && unfollowed_.contains({draft.author, endpoint});
  ++(may_be_absent ? counted_.owed_perhaps : counted_.owed);
  const auto is_superseded =
      (draft.kind == log_kind::create || draft.kind == log_kind::update) &&
      (later.has_remove || (draft.kind == log_kind::update && later.has_update));
  const auto is_excused = may_be_absent || bans_.excuses(host, written);
  const auto is_buried = past.refused && !is_dead && bans_.may_discard(host);
  counted_.dead += is_dead;
  counted_.buried += past.refused && !is_dead;
  counted_.taken_surely += past.taken_at && !is_dead && !may_repeat(past) && !is_replayable(past);
  counted_.superseded += is_superseded && !is_dead;
  counted_.excused += is_excused && !is_dead;
  const auto told = "row " + std::to_string(key.second) + " to " + key.first;
  if (is_dead && !past.refused && !fails(key))
    wrong.push_back("given up without a reason: " + told);
  if (!past.taken_at && !is_dead && !is_buried && !is_superseded && !is_excused)
    wrong.push_back("never delivered: " + told);
  // The newest row about an object says whether its peer should know it.
  const auto is_given_up = is_dead || is_buried;
  const auto is_judged = !later.has_any && ends && past.taken_at && !is_given_up && !is_excused &&
                         !bans_.may_replay(host);
  if (is_judged && ledger_.knows(key.first, draft.object))
    wrong.push_back("not gone at its peer: " + told);
  later.has_any = true;
  later.has_remove = later.has_remove || draft.kind == log_kind::remove;
  later.has_update = later.has_update || draft.kind == log_kind::update;
}

std::vector<std::string> delivery_oracle::compare(const delivery_sums& sums) const {
  auto wrong = std::vector<std::string>{};
  const auto check = [&](const char* name, std::int64_t number, std::int64_t least,
                         std::int64_t most) {
    if (number < least || number > most)
      wrong.push_back("sums: " + std::string{name} + " is " + std::to_string(number) +
                      ", should be " + bounds(least, most));
  };
  if (!sums.are_balanced())
    wrong.emplace_back("sums: not every unit is accounted for");
  const auto& is = counted_;
  const auto again = is.owed_perhaps + offered_again_; // each counts once more
  check("pending", sums.pending, 0, 0);
  check("expired", sums.expired, 0, 0);
  check("offered", sums.offered, is.owed, is.owed + again);
  check("delivered", sums.delivered, is.taken_surely, is.taken);
  check("dead", sums.dead, is.dead, is.dead + is.buried + offered_again_);
  check("coalesced", sums.coalesced, 0, is.superseded + offered_again_);
  check("cancelled", sums.cancelled, 0, is.excused + offered_again_);
  return wrong;
}

} // namespace trunkline::kit
