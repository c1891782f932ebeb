#include "kit/delivery_oracle.hpp"

#include "storage/audience_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

/// The time between two checkpoints, and a little.
constexpr auto forgotten_at_most = 1'010ms;

bool is_for_good(const peer_answer& answer) {
  return !answer.failure && answer.status >= 400 && answer.status < 500 && answer.status != 401 &&
         answer.status != 403 && answer.status != 408 && answer.status != 425 &&
         answer.status != 429;
}

} // namespace

void delivery_oracle::write(delivery_world::row next) {
  next.text = std::to_string(rows_.size() + 1);
  rows_.push_back(next);
  world_.write(std::move(next));
}

void delivery_oracle::crashed() {
  crashes_.push_back(world_.elapsed());
  pending_.clear();
  newest_about_.clear();
  newest_in_line_.clear();
}

void delivery_oracle::host_ended(const std::string& host) {
  host_ends_[host].insert(world_.elapsed());
  const auto is_its = [&](const std::string& url) {
    return url.starts_with("https://" + host + "/");
  };
  std::erase_if(pending_, [&](const auto& each) { return is_its(each.second.first); });
  std::erase_if(newest_about_, [&](const auto& each) { return is_its(each.first.first); });
  std::erase_if(newest_in_line_, [&](const auto& each) { return is_its(std::get<0>(each.first)); });
}

void delivery_oracle::storage_failing(bool fails) {
  if (fails)
    faults_.emplace_back(world_.elapsed(), moment::max());
  else if (!faults_.empty())
    faults_.back().second = world_.elapsed();
}

void delivery_oracle::complain(const unit& key, const std::string& what) {
  violations_.push_back("at " + std::to_string(world_.elapsed().count() / 1000) + " ms: " + what +
                        ": row " + std::to_string(key.second) + " to " + key.first);
}

bool delivery_oracle::fails(const unit& key) const {
  return failing_.contains({key.first, rows_[static_cast<std::size_t>(key.second) - 1].object});
}

/// A crash forgets what was settled since the last checkpoint that was surely committed.
bool delivery_oracle::may_repeat(const history& past, const std::string& host) const {
  if (const auto ends = host_ends_.find(host);
      ends != host_ends_.end() && ends->second.contains(*past.taken_at))
    return true;
  if (static_cast<std::size_t>(past.life) >= crashes_.size())
    return false;
  auto forgotten = crashes_[static_cast<std::size_t>(past.life)] - forgotten_at_most;
  for (auto fault = faults_.rbegin(); fault != faults_.rend(); ++fault)
    if (fault->first <= crashes_[static_cast<std::size_t>(past.life)] &&
        (fault->second == moment::max() || fault->second + 1s >= forgotten))
      forgotten = std::min(forgotten, fault->first - forgotten_at_most);
  return *past.taken_at >= forgotten;
}

void delivery_oracle::judge(const unit& key, const std::string& host) {
  const auto& row = rows_[static_cast<std::size_t>(key.second) - 1];
  const auto& past = units_[key];
  if (past.taken_at) {
    ++repeats_;
    if (!may_repeat(past, host))
      complain(key, "sent again after it was taken");
  }
  for (const auto& [number, other] : pending_) {
    const auto& open = rows_[static_cast<std::size_t>(other.second) - 1];
    if (other.first != key.first || open.author != row.author)
      continue;
    if (open.object == row.object)
      complain(key, "two in flight about one object");
    else if (!fails(key) && !fails(other))
      complain(key, "two in flight in a lane");
  }
  auto& of_object = newest_about_[{key.first, row.object}];
  if (of_object > key.second)
    complain(key, "after " + std::to_string(of_object) + ", which is about the same object");
  of_object = std::max(of_object, key.second);
  auto& in_line = newest_in_line_[{key.first, row.author.value, static_cast<int>(row.cls)}];
  if (in_line > key.second && !fails(key))
    complain(key, "after " + std::to_string(in_line) + " of the same author");
  in_line = std::max(in_line, key.second);
}

void delivery_oracle::sent(const sent_request& request) {
  if (request.request.method != http_method::post)
    return;
  const auto key = unit{request.request.url, std::stoi(request.body())};
  judge(key, request.host);
  pending_.emplace(request.number, key);
}

void delivery_oracle::answered(const sent_request& request, const peer_answer& answer) {
  const auto found = pending_.find(request.number);
  if (found == pending_.end())
    return;
  const auto key = found->second;
  pending_.erase(found);
  auto& past = units_[key];
  if (!answer.failure && answer.status / 100 == 2) {
    ++deliveries_;
    past.taken_at = world_.elapsed();
    past.life = static_cast<int>(crashes_.size());
    return;
  }
  ++failures_;
  failing_.insert({key.first, rows_[static_cast<std::size_t>(key.second) - 1].object});
  past.refused = past.refused || is_for_good(answer);
}

std::vector<std::string> delivery_oracle::missing() {
  auto lost = std::vector<std::string>{};
  auto& db = world_.db();
  auto urls = std::map<endpoint_id, std::string>{};
  for (const auto& row : must(db.run("SELECT id, url FROM endpoint")).rows)
    urls[row[0].id<endpoint_id>()] = row[1].text();
  auto dead = std::set<std::pair<endpoint_id, std::int64_t>>{};
  for (const auto& row :
       must(db.run("SELECT endpoint_id, seq FROM delivery_exception WHERE status = 2")).rows)
    dead.emplace(row[0].id<endpoint_id>(), row[1].integer());
  for (const auto& row : must(db.run("SELECT seq, body, audience_id FROM log ORDER BY seq")).rows) {
    const auto number = std::stoi(row[1].bytes());
    const auto& draft = rows_[static_cast<std::size_t>(number) - 1];
    auto owed = must(endpoints_of(db, row[2].id<audience_id>()));
    owed.insert(owed.end(), draft.extra.begin(), draft.extra.end());
    std::ranges::sort(owed);
    owed.erase(std::unique(owed.begin(), owed.end()), owed.end());
    for (const auto endpoint : owed) {
      ++owed_;
      const auto key = unit{urls.at(endpoint), number};
      const auto& past = units_[key];
      const auto is_dead = dead.contains({endpoint, row[0].integer()});
      if (is_dead && !past.refused)
        lost.push_back("given up without a reason: " + std::to_string(number) + " to " + key.first);
      if (past.taken_at || is_dead)
        continue;
      const auto is_replaced = std::ranges::any_of(units_, [&](const auto& each) {
        const auto& later = rows_[static_cast<std::size_t>(each.first.second) - 1];
        return each.first.first == key.first && each.first.second > number &&
               later.object == draft.object && later.kind == log_kind::remove &&
               (each.second.taken_at || each.second.refused);
      });
      if (!is_replaced || !fails(key))
        lost.push_back("never delivered: " + std::to_string(number) + " to " + key.first);
    }
  }
  return lost;
}

} // namespace trunkline::kit
