#include "kit/account_oracle.hpp"

#include "protocol/codes.hpp"
#include "protocol/object_key.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace trunkline::kit {

namespace {

std::vector<sql_row> rows(database& db, std::string_view sql) {
  auto found = db.run(sql);
  if (!found)
    throw std::runtime_error{context_of(found.error())};
  return std::move(found->rows);
}

outcome outcome_of(const caf::error& failure) {
  if (!failure)
    return outcome::acknowledged;
  switch (code_of(failure)) {
  case errc::crashed:
  case errc::commit_unknown:
  case errc::timed_out:
    return outcome::unknown;
  default:
    return outcome::refused;
  }
}

void take(operation& one, const caf::error& failure) {
  one.ended = outcome_of(failure);
  if (failure)
    one.why = code_of(failure);
}

/// Returns the number after "/statuses/".
std::int64_t id_in(const std::string& ap_id) {
  const auto at = ap_id.find("/statuses/");
  return at == std::string::npos ? 0 : std::stoll(ap_id.substr(at + 10));
}

std::string text_of(const operation& done) {
  return "operation " + std::to_string(static_cast<int>(done.kind)) + " of " +
         to_string(done.account) + " on " + std::to_string(done.target) + " '" + done.text + "'";
}

} // namespace

log_seq account_oracle::newest_seq() {
  return rows(db_, "SELECT COALESCE(MAX(seq), 0) FROM log")[0][0].integer();
}

void account_oracle::sent(operation started) {
  started.begun_at = newest_seq();
  operations_.push_back(std::move(started));
}

void account_oracle::collect() {
  const auto newest = newest_seq();
  for (auto index = first_open_; index < operations_.size(); ++index) {
    auto& one = operations_[index];
    if (one.ended != outcome::open)
      continue;
    if (auto* done = std::get_if<pending_done>(&one.answer); done && done->ready())
      take(one, done->failure());
    if (auto* made = std::get_if<pending_reply<post_id>>(&one.answer); made && made->ready()) {
      take(one, made->get() ? caf::error{} : made->get().error());
      if (made->get()) {
        one.result = *made->get();
        if (one.kind == operation_kind::publish)
          posts_.emplace_back(one.result, one.account);
      }
    }
    one.ended_at = newest;
  }
  while (first_open_ < operations_.size() && operations_[first_open_].ended != outcome::open)
    ++first_open_;
}

void account_oracle::lose_open() {
  collect();
  for (auto& one : operations_)
    if (one.ended == outcome::open)
      one.ended = outcome::unknown;
}

std::vector<std::string> account_oracle::verify() {
  wrong_.clear();
  for (const auto& one : operations_)
    if (one.ended == outcome::open)
      complain("never answered: " + text_of(one));
  replay_log();
  check_posts();
  check_keys();
  check_refusals();
  check_texts();
  check_relations();
  return std::move(wrong_);
}

int account_oracle::state_of(const relation& about) const {
  const auto known = history_.find(about);
  return known == history_.end() ? 0 : known->second.back().second;
}

void account_oracle::set(log_seq seq, const relation& about, int state) {
  history_[about].emplace_back(seq, state);
}

void account_oracle::replay_log() {
  const auto log = rows(db_, "SELECT seq, kind, author, object_key, ap_id FROM log ORDER BY seq");
  for (const auto& row : log) {
    const auto key = parse_object_key(row[3].text());
    if (!key) {
      complain("log: bad object key " + row[3].text());
      continue;
    }
    if (key->kind == object_kind::post && row[1].integer() == 1)
      fates_[key->target].author = row[2].integer();
    replay(row[0].integer(), row[1].integer(),
           {static_cast<char>(key->kind), key->actor, key->target});
  }
  check_ids(log);
}

/// Each row must be a change of what the rows before it left.
void account_oracle::replay(log_seq seq, std::int64_t kind, const relation& about) {
  const auto [letter, actor, target] = about;
  const auto was = state_of(about);
  const auto is_post_alive = [&](std::int64_t id) {
    const auto post = fates_.find(id);
    return post != fates_.end() && !post->second.removed;
  };
  const auto expect = [&](bool right) {
    if (!right)
      complain("log row " + std::to_string(seq) + " of kind " + std::to_string(kind) +
               " cannot follow: " + letter + "/" + std::to_string(actor) + "/" +
               std::to_string(target));
  };
  const auto is_blocked =
      state_of({'b', actor, target}) != 0 || state_of({'b', target, actor}) != 0;
  switch (static_cast<log_kind>(kind)) {
  case log_kind::create:
    expect(was == 0);
    return set(seq, about, 1);
  case log_kind::update:
    expect(is_post_alive(target));
    return void(++fates_[target].edits);
  case log_kind::remove:
    expect(is_post_alive(target));
    fates_[target].removed = true;
    for (auto& [other, states] : history_) // its boosts go with it
      if (std::get<0>(other) == 'a' && std::get<2>(other) == target && states.back().second != 0)
        states.emplace_back(seq, 0);
    return;
  case log_kind::announce:
    expect(was == 0 && is_post_alive(target));
    return set(seq, about, 1);
  case log_kind::follow:
    expect(was != 2 && !is_blocked);
    return set(seq, about, 1);
  case log_kind::follow_request:
    expect(was != 1 && !is_blocked);
    return set(seq, about, 2);
  case log_kind::undo_follow:
    expect(was == 1);
    return set(seq, about, 0);
  case log_kind::reject_follow:
    expect(was == 2);
    return set(seq, about, 0);
  case log_kind::block:
    expect(was == 0 && state_of({'f', actor, target}) == 0 && state_of({'f', target, actor}) == 0);
    return set(seq, about, 1);
  case log_kind::mute:
    expect(was == 0);
    return set(seq, about, 1);
  case log_kind::undo_announce:
  case log_kind::undo_block:
  case log_kind::undo_mute:
    expect(was == 1);
    return set(seq, about, 0);
  default:
    complain("log: unexpected kind " + std::to_string(kind));
  }
}

void account_oracle::check_ids(const std::vector<sql_row>& log) {
  auto newest = std::map<std::int64_t, std::int64_t>{};
  for (const auto& row : log) {
    const auto kind = static_cast<log_kind>(row[1].integer());
    if (kind != log_kind::create && kind != log_kind::announce)
      continue;
    const auto id = id_in(row[4].text());
    auto& last = newest[row[2].integer()];
    if (id <= last)
      complain("ids of an author do not rise: " + std::to_string(id));
    last = id;
  }
}

void account_oracle::check_posts() {
  auto stored = std::set<std::int64_t>{};
  for (const auto& row :
       rows(db_, "SELECT p.id, p.author, (SELECT COUNT(*) FROM post_edit e WHERE e.post_id = p.id)"
                 " FROM post p WHERE p.boost_of IS NULL")) {
    const auto fate = fates_.find(row[0].integer());
    stored.insert(row[0].integer());
    if (fate == fates_.end() || fate->second.removed)
      complain("post without its row of the log: " + std::to_string(row[0].integer()));
    else if (fate->second.edits != row[2].integer() || fate->second.author != row[1].integer())
      complain("edits or author differ from the log: " + std::to_string(row[0].integer()));
  }
  for (const auto& [id, fate] : fates_)
    if (!fate.removed && !stored.contains(id))
      complain("lost post " + std::to_string(id));
  for (const auto& done : operations_) {
    if (done.ended != outcome::acknowledged)
      continue;
    if (done.kind == operation_kind::publish && !fates_.contains(done.result.value))
      complain("acknowledged and never stored: " + text_of(done));
    // A boost is deleted by taking it back: its id never was a post of the log.
    if (done.kind == operation_kind::remove && stored.contains(done.target))
      complain("deleted and still there: " + text_of(done));
  }
}

/// A key stands in the post that it made, and goes with it.
void account_oracle::check_keys() {
  auto made = std::map<std::string, std::set<std::int64_t>>{};
  for (const auto& done : operations_) {
    if (done.kind != operation_kind::publish || done.ended != outcome::acknowledged ||
        done.key.empty() || fates_[done.result.value].removed)
      continue;
    made[done.key].insert(done.result.value);
    if (made[done.key].size() > 1)
      complain("one key, two posts: " + text_of(done));
  }
}

/// Nothing here is malformed: it is refused for what the graph says, or for a fault, never because
/// two changes got in each other's way.
void account_oracle::check_refusals() {
  constexpr auto allowed =
      std::to_array({errc::not_found, errc::forbidden, errc::unavailable, errc::storage_busy,
                     errc::storage_full, errc::quarantined});
  for (const auto& done : operations_)
    if (done.ended == outcome::refused && std::ranges::find(allowed, done.why) == allowed.end())
      complain("refused as " + std::string{to_string(done.why)} + ": " + text_of(done));
}

/// Every text that was acknowledged is there once, in its post or a version of it; none that was
/// refused is there at all.
void account_oracle::check_texts() {
  auto found = std::map<std::string, int>{};
  for (const auto* sql :
       {"SELECT text FROM post WHERE boost_of IS NULL", "SELECT text FROM post_edit"})
    for (const auto& row : rows(db_, sql))
      ++found[row[0].text()];
  auto kept = std::map<std::string, bool>{}; // by text: must be there
  for (const auto& done : operations_) {
    if (done.text.empty() || done.ended == outcome::refused)
      continue;
    const auto id = done.kind == operation_kind::edit ? done.target : done.result.value;
    const auto fate = fates_.find(id);
    const auto stays = fate != fates_.end() && !fate->second.removed;
    auto& must = kept[done.text];
    must = must || (done.ended == outcome::acknowledged && stays);
  }
  for (const auto& [text, times] : found) {
    if (times != 1)
      complain("stored twice: " + text);
    if (!kept.contains(text))
      complain("refused and stored: " + text);
  }
  for (const auto& [text, must] : kept)
    if (must && !found.contains(text))
      complain("acknowledged and lost: " + text);
}

void account_oracle::check_relations() {
  auto stored = std::map<relation, int>{};
  for (const auto& row : rows(db_, "SELECT follower, followee, accepted FROM follow"))
    stored[{'f', row[0].integer(), row[1].integer()}] = row[2].flag() ? 1 : 2;
  for (const auto& row : rows(db_, "SELECT blocker, blocked FROM block"))
    stored[{'b', row[0].integer(), row[1].integer()}] = 1;
  for (const auto& row : rows(db_, "SELECT muter, muted FROM mute"))
    stored[{'m', row[0].integer(), row[1].integer()}] = 1;
  for (const auto& row : rows(db_, "SELECT author, boost_of FROM post WHERE boost_of IS NOT NULL"))
    stored[{'a', row[0].integer(), row[1].integer()}] = 1;
  for (const auto& [about, states] : history_)
    if (std::get<0>(about) != 'p' && states.back().second != 0)
      if (!stored.contains(about) || stored[about] != states.back().second)
        complain(std::string{"by the log, but not stored: "} + std::get<0>(about));
  for (const auto& [about, state] : stored)
    if (state_of(about) != state)
      complain(std::string{"stored, but not by the log: "} + std::get<0>(about));
  for (const auto& done : operations_)
    if (done.ended == outcome::acknowledged)
      check_history(done);
}

std::optional<account_oracle::relation> account_oracle::relation_of(const operation& done) const {
  switch (done.kind) {
  case operation_kind::boost:
  case operation_kind::unboost:
    return relation{'a', done.account.value, done.target};
  case operation_kind::follow:
  case operation_kind::unfollow:
    return relation{'f', done.account.value, done.target};
  case operation_kind::block:
  case operation_kind::unblock:
    return relation{'b', done.account.value, done.target};
  case operation_kind::mute:
  case operation_kind::unmute:
    return relation{'m', done.account.value, done.target};
  default:
    return std::nullopt;
  }
}

/// What was acknowledged must have been so at some moment between sending and answer.
void account_oracle::check_history(const operation& done) {
  const auto about = relation_of(done);
  if (!about)
    return;
  const auto is_there = done.kind == operation_kind::boost || done.kind == operation_kind::follow ||
                        done.kind == operation_kind::block || done.kind == operation_kind::mute;
  auto state = 0;
  auto was_so = false;
  for (const auto& [seq, next] : history_[*about]) {
    if (seq > done.ended_at)
      break;
    if (seq > done.begun_at)
      was_so = was_so || (state != 0) == is_there;
    state = next;
  }
  if (!was_so && (state != 0) != is_there)
    complain("acknowledged, but never so: " + text_of(done));
}

} // namespace trunkline::kit
