#include "kit/delivery_oracle.hpp"

#include "tests/kit/both_databases.hpp"

#include <algorithm>
#include <ostream>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

/// A host tells what it has settled at once, or as much later as its options say.
const auto told_within = std::chrono::microseconds{remote_host_options{}.told_every};
/// The time between two checkpoints, and a little.
const auto forgotten_at_most = std::chrono::microseconds{1'010ms} + told_within;
/// An end of a follow counts a second after it was made.
constexpr auto unfollow_takes = 1s;
/// Whatever is in flight has its answer by then.
constexpr auto answered_within = 20s;

bool is_for_good(const peer_answer& answer) {
  return !answer.failure && answer.status >= 400 && answer.status < 500 && answer.status != 401 &&
         answer.status != 403 && answer.status != 408 && answer.status != 425 &&
         answer.status != 429;
}

bool changes_nothing(const caf::error& failure) {
  const auto code = code_of(failure);
  return code == errc::storage_busy || code == errc::storage_full;
}

} // namespace

void delivery_oracle::tell(const std::string& what) {
  if (!story_)
    return;
  for (; lines_told_ < world_.lines.size(); ++lines_told_)
    *story_ << "  " << world_.lines[lines_told_] << '\n';
  *story_ << world_.elapsed().count() / 1'000 << " ms: " << what << '\n';
}

int delivery_oracle::write(delivery_world::row next) {
  const auto at = rows_.size();
  next.text = std::to_string(at + 1);
  tell("row " + next.text + " of " + std::to_string(next.author.value) + ", kind " +
       std::to_string(static_cast<int>(next.kind)) + ", about " + std::to_string(next.object) +
       (next.is_public ? "" : ", private"));
  rows_.push_back({.draft = next, .written_at = world_.elapsed(), .acked_at = {}});
  world_.write(std::move(next), [this, at](const caf::error& failure) {
    if (failure) {
      rows_[at].failed = changes_nothing(failure);
      return;
    }
    rows_[at].acked_at = world_.elapsed();
    if (broken_at_ && world_.elapsed() > *broken_at_) // what was committed before is on its way
      violations_.push_back("acknowledged after the disk failed: row " + std::to_string(at + 1));
  });
  return static_cast<int>(at) + 1;
}

void delivery_oracle::unfollow(account_id author, endpoint_id endpoint) {
  unfollowed_[{author, endpoint}] = world_.elapsed();
  world_.unfollow(author, endpoint, [this, author, endpoint](const caf::error&) {
    unfollowed_[{author, endpoint}] = world_.elapsed();
  });
}

void delivery_oracle::forget_order(const std::string& host) {
  const auto is_its = [&](const std::string& url) {
    return url.starts_with("https://" + host + "/");
  };
  std::erase_if(newest_about_, [&](const auto& each) { return is_its(each.first.first); });
  std::erase_if(newest_in_line_, [&](const auto& each) { return is_its(std::get<0>(each.first)); });
}

void delivery_oracle::crashed() {
  tell("the node is killed");
  crashes_.push_back(world_.elapsed());
  if (!faults_.empty() && faults_.back().second == moment::max() && broken_at_)
    faults_.back().second = world_.elapsed();
  broken_at_.reset();
  bans_.node_died(world_.elapsed());
  pending_.clear();
  in_flight_.clear();
  newest_about_.clear();
  newest_in_line_.clear();
  unreplaced_.clear();
}

void delivery_oracle::host_ended(const std::string& host) {
  tell("the actor of " + host + " is killed");
  host_ends_[host].insert(world_.elapsed());
  in_flight_.erase(host);
  unreplaced_.clear();
  std::erase_if(pending_, [&](const auto& each) {
    return each.second.first.starts_with("https://" + host + "/");
  });
  forget_order(host);
}

void delivery_oracle::storage_failing(bool fails) {
  tell(fails ? "commits fail" : "commits succeed");
  if (fails)
    faults_.emplace_back(world_.elapsed(), moment::max());
  else if (!faults_.empty())
    faults_.back().second = world_.elapsed();
}

void delivery_oracle::storage_broken() {
  if (broken_at_)
    return;
  broken_at_ = world_.elapsed();
  if (faults_.empty() || faults_.back().second != moment::max())
    storage_failing(true);
}

void delivery_oracle::complain(const unit& key, const std::string& what) {
  violations_.push_back("at " + std::to_string(world_.elapsed().count() / 1'000) + " ms: " + what +
                        ": row " + std::to_string(key.second) + " to " + key.first);
  tell("WRONG: " + violations_.back());
}

void delivery_oracle::note(std::uint64_t number) {
  trace_ = (trace_ ^ number) * 1'099'511'628'211U;
}

bool delivery_oracle::fails(const unit& key) const {
  return failing_.contains({key.first, row(key.second).draft.object});
}

bool delivery_oracle::is_replayable(const history& past) const {
  return bans_.may_replay(past.host);
}

/// A crash forgets what was settled since the last checkpoint that was surely committed.
bool delivery_oracle::is_forgotten(moment taken_at, moment crash) const {
  auto forgotten = crash - forgotten_at_most;
  for (auto fault = faults_.rbegin(); fault != faults_.rend(); ++fault)
    if (fault->first <= crash &&
        (fault->second == moment::max() || fault->second + 1s >= forgotten))
      forgotten = std::min(forgotten, fault->first - forgotten_at_most);
  return taken_at >= forgotten;
}

bool delivery_oracle::may_repeat(const history& past) const {
  if (const auto ends = host_ends_.find(past.host); ends != host_ends_.end()) {
    const auto end = ends->second.lower_bound(*past.taken_at);
    if (end != ends->second.end() && *end <= *past.taken_at + told_within)
      return true;
  }
  if (const auto ends = node_ends_.find(past.host); ends != node_ends_.end()) {
    const auto end = ends->second.lower_bound(*past.taken_at);
    if (end != ends->second.end() && is_forgotten(*past.taken_at, *end))
      return true;
  }
  return static_cast<std::size_t>(past.life) < crashes_.size() &&
         is_forgotten(*past.taken_at, crashes_[static_cast<std::size_t>(past.life)]);
}

void delivery_oracle::judge(const unit& key, const std::string& host) {
  auto& past = units_[key];
  past.host = host;
  if (past.taken_at) {
    ++repeats_;
    if (!may_repeat(past) && !is_replayable(past))
      complain(key, "sent again after it was taken");
  }
  const auto& draft = row(key.second).draft;
  for (const auto& [number, other] : pending_) {
    const auto& open = row(other.second).draft;
    if (other.first != key.first || open.author != draft.author)
      continue;
    if (open.object == draft.object)
      complain(key, "two in flight about one object");
    else if (!fails(key) && !fails(other) && !bans_.may_replay(host))
      complain(key, "two in flight in a lane");
  }
  judge_order(key, host);
  judge_audience(key);
  if (const auto why = bans_.refuse(
          {.host = host, .url = key.first, .number = key.second, .in_flight = in_flight_[host] + 1},
          row(key.second), world_.elapsed()))
    complain(key, *why);
}

/// An operator may order anything to be sent again.
void delivery_oracle::judge_order(const unit& key, const std::string& host) {
  if (bans_.may_replay(host))
    return;
  const auto& draft = row(key.second).draft;
  auto& of_object = newest_about_[{key.first, draft.object}];
  if (of_object > key.second)
    complain(key, "after " + std::to_string(of_object) + ", which is about the same object");
  of_object = std::max(of_object, key.second);
  auto& in_line = newest_in_line_[{key.first, draft.author.value, static_cast<int>(draft.cls)}];
  if (in_line > key.second && !fails(key))
    complain(key, "after " + std::to_string(in_line) + " of the same author");
  in_line = std::max(in_line, key.second);
}

void delivery_oracle::read_endpoints() {
  if (!urls_.empty())
    return;
  for (const auto& each : must(world_.db().run("SELECT id, url FROM endpoint")).rows) {
    urls_[each[0].id<endpoint_id>()] = each[1].text();
    endpoints_[each[1].text()] = each[0].id<endpoint_id>();
  }
}

const std::string& delivery_oracle::url_of(endpoint_id endpoint) {
  read_endpoints();
  return urls_.at(endpoint);
}

/// What not everybody may see goes to who is named, or follows when it is handed to its host or
/// read again. What waits in memory already is not looked at once more.
void delivery_oracle::judge_audience(const unit& key) {
  const auto& draft = row(key.second).draft;
  if (draft.is_public || draft.kind == log_kind::remove || draft.kind == log_kind::undo_like)
    return;
  read_endpoints();
  const auto endpoint = endpoints_.at(key.first);
  if (std::ranges::find(draft.extra, endpoint) != draft.extra.end())
    return;
  const auto ended = unfollowed_.find({draft.author, endpoint});
  if (ended == unfollowed_.end() || row(key.second).written_at <= ended->second + unfollow_takes)
    return;
  const auto found =
      must(world_.db().run("SELECT n FROM follower_endpoint WHERE author = $1 AND endpoint_id = $2",
                           {draft.author, endpoint}));
  if (found.rows.empty() || found.rows[0][0].integer() == 0)
    complain(key, "private, to who does not follow any more");
}

void delivery_oracle::sent(const sent_request& request, const peer_answer& planned) {
  note(static_cast<std::uint64_t>(world_.elapsed().count()));
  note(std::hash<std::string>{}(request.request.url + request.body()));
  ledger_.work_until(world_.elapsed());
  if (request.request.method != http_method::post)
    return;
  const auto key = unit{request.request.url, std::stoi(request.body())};
  tell("sent " + request.body() + " to " + key.first);
  judge(key, request.host);
  pending_.emplace(request.number, key);
  ++in_flight_[request.host];
  const auto& draft = row(key.second).draft;
  ledger_.sent({key.first, key.second, draft.kind, draft.object}, world_.elapsed(), planned);
}

void delivery_oracle::answered(const sent_request& request, const peer_answer& answer) {
  note(static_cast<std::uint64_t>(world_.elapsed().count()));
  note(answer.failure ? 0 : static_cast<std::uint64_t>(answer.status));
  ledger_.work_until(world_.elapsed());
  const auto found = pending_.find(request.number);
  if (found == pending_.end())
    return;
  const auto key = found->second;
  tell("answered " + std::to_string(key.second) + " by " + key.first + ": " +
       (answer.failure ? answer.failure->reason : std::to_string(answer.status)));
  pending_.erase(found);
  --in_flight_[request.host];
  auto& past = units_[key];
  if (!answer.failure && answer.status / 100 == 2) {
    ++counted_.taken;
    past.taken_at = world_.elapsed();
    past.life = static_cast<int>(crashes_.size());
    return;
  }
  ++failures_;
  failing_.insert({key.first, row(key.second).draft.object});
  past.refused = past.refused || is_for_good(answer);
}

/// One that was in flight when the Delete came may stay until it is answered, or its host is there
/// again after a kill; any, while nothing can be written.
void delivery_oracle::check_exceptions() {
  if (!faults_.empty() && faults_.back().second == moment::max())
    return unreplaced_.clear();
  const auto found = must(world_.db().run(
      "SELECT e.endpoint_id, e.seq FROM delivery_exception e JOIN log l ON l.seq = e.seq"
      " WHERE e.status = 1 AND l.kind IN (1, 2) AND EXISTS (SELECT 1 FROM delivery_exception d"
      " JOIN log m ON m.seq = d.seq WHERE d.status = 1 AND d.endpoint_id = e.endpoint_id"
      " AND d.object_key = e.object_key AND d.seq > e.seq AND m.kind = 3)"));
  auto now = std::map<std::pair<std::int64_t, std::int64_t>, moment>{};
  for (const auto& each : found.rows) {
    const auto& url = url_of(each[0].id<endpoint_id>());
    if (!world_.runs_host(url.substr(8, url.find('/', 8) - 8)))
      continue;
    const auto key = std::pair{each[0].integer(), each[1].integer()};
    const auto before = unreplaced_.find(key);
    now[key] = before == unreplaced_.end() ? world_.elapsed() : before->second;
    if (world_.elapsed() - now[key] > answered_within)
      violations_.push_back("a Delete waits beside what it replaces: seq " +
                            std::to_string(key.second) + " to endpoint " +
                            std::to_string(key.first) + " since " +
                            std::to_string(now[key] / std::chrono::milliseconds{1}) + " ms");
  }
  unreplaced_ = std::move(now);
}

} // namespace trunkline::kit
