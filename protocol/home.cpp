#include "protocol/home.hpp"

#include <algorithm>
#include <functional>

namespace trunkline {

namespace {

/// Returns the element of a list sorted by account, or null.
template <class T>
const T* find_account(const std::vector<T>& sorted, account_id account) {
  const auto found = std::ranges::lower_bound(sorted, account, {}, &T::account);
  return found != sorted.end() && found->account == account ? &*found : nullptr;
}

bool names_somebody_hidden(const viewer_graph& graph, const post_facts& facts, time_point now) {
  return std::ranges::any_of(facts.mentions,
                             [&](account_id named) { return graph.hides(named, now); });
}

bool shows_boost(const viewer_graph& graph, const post_facts& facts, time_point now) {
  return graph.follow_of(facts.author)->show_boosts && !graph.hides(facts.boost_author, now) &&
         !graph.is_blocked_by(facts.boost_author);
}

bool shows_language(const viewer_graph& graph, const post_facts& facts) {
  if (facts.language.empty())
    return true;
  const auto* languages = graph.languages_of(facts.author);
  return !languages || std::ranges::find(*languages, facts.language) != languages->end();
}

bool shows_reply(const viewer_graph& graph, const post_facts& facts) {
  if (!facts.reply_author)
    return false;
  return facts.reply_author == graph.viewer || facts.reply_author == facts.author ||
         graph.follow_of(facts.reply_author);
}

} // namespace

const followee* viewer_graph::follow_of(account_id account) const {
  return find_account(followees, account);
}

const std::vector<std::string>* viewer_graph::languages_of(account_id account) const {
  const auto* limited = find_account(languages, account);
  return limited ? &limited->languages : nullptr;
}

bool viewer_graph::hides(account_id account, time_point now) const {
  if (std::ranges::binary_search(blocked, account))
    return true;
  const auto* mute = find_account(muted, account);
  return mute && (!mute->expires_at || now < *mute->expires_at);
}

bool viewer_graph::is_blocked_by(account_id account) const {
  return std::ranges::binary_search(blocking, account);
}

bool viewer_graph::shows_author(account_id account, time_point now) const {
  if (account == viewer)
    return true;
  return follow_of(account) && !hides(account, now) && !is_blocked_by(account);
}

std::optional<time_point> viewer_graph::changes_at(time_point now) const {
  auto next = std::optional<time_point>{};
  for (const auto& mute : muted)
    if (mute.expires_at && *mute.expires_at > now && (!next || *mute.expires_at < *next))
      next = mute.expires_at;
  return next;
}

bool may_belong_in_home(const viewer_graph& graph, const post_facts& facts, time_point now) {
  if (facts.author == graph.viewer)
    return true;
  if (!graph.shows_author(facts.author, now))
    return false;
  if (facts.boost_of)
    return shows_boost(graph, facts, now);
  if (facts.seen_by == visibility::direct &&
      !std::ranges::binary_search(facts.mentions, graph.viewer))
    return false;
  return !names_somebody_hidden(graph, facts, now) && shows_language(graph, facts) &&
         (!facts.reply_to || shows_reply(graph, facts));
}

bool belongs_in_home(const viewer_graph& graph, const post_facts& facts, time_point now) {
  if (!may_belong_in_home(graph, facts, now))
    return false;
  return facts.author == graph.viewer || !facts.boost_of ||
         !names_somebody_hidden(graph, facts, now);
}

std::vector<post_id> home_of(const viewer_graph& graph, std::span<const post_facts> posts,
                             time_point now, std::size_t limit) {
  auto home = std::vector<post_id>{};
  for (const auto& facts : posts)
    if (belongs_in_home(graph, facts, now))
      home.push_back(facts.id);
  std::ranges::sort(home, std::greater{});
  const auto doubled = std::ranges::unique(home);
  home.erase(doubled.begin(), doubled.end());
  if (home.size() > limit)
    home.resize(limit);
  return home;
}

} // namespace trunkline
