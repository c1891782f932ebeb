#include "actors/recipient_book.hpp"

#include "protocol/owed_rule.hpp"
#include "storage/audience_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

caf::expected<found_recipients> read_recipients(database& db, const missing_recipients& wanted) {
  auto found = found_recipients{};
  auto endpoints = std::set<endpoint_id>(wanted.endpoints.begin(), wanted.endpoints.end());
  for (const auto audience : wanted.audiences) {
    auto members = endpoints_of(db, audience);
    if (!members && code_of(members.error()) != errc::not_found)
      return std::move(members.error());
    auto& put = found.audiences[audience];
    if (members)
      put = std::move(*members);
    endpoints.insert(put.begin(), put.end());
  }
  for (const auto author : wanted.authors) {
    auto present = present_endpoints(db, author);
    if (!present)
      return std::move(present.error());
    found.present.emplace(author, std::move(*present));
  }
  const auto ids = std::vector<endpoint_id>(endpoints.begin(), endpoints.end());
  auto known = find_endpoints(db, ids);
  if (!known)
    return std::move(known.error());
  found.endpoints = std::move(*known);
  return found;
}

void recipient_book::make_room() {
  if (ids_ > ids_max_)
    clear();
}

void recipient_book::clear() {
  audiences_.clear();
  endpoints_.clear();
  ids_ = 0;
}

missing_recipients recipient_book::missing_for(const std::vector<log_entry>& rows) const {
  auto audiences = std::set<audience_id>{};
  auto endpoints = std::set<endpoint_id>{};
  auto authors = std::set<account_id>{};
  for (const auto& row : rows) {
    if (row.audience && !audiences_.contains(row.audience))
      audiences.insert(row.audience);
    if (row.audience && !reaches_past_followers(row.kind, row.is_public))
      authors.insert(row.author);
    for (const auto id : row.extra)
      if (!endpoints_.contains(id))
        endpoints.insert(id);
  }
  return {{audiences.begin(), audiences.end()},
          {endpoints.begin(), endpoints.end()},
          {authors.begin(), authors.end()}};
}

void recipient_book::put(const missing_recipients& wanted, const found_recipients& found) {
  for (const auto id : wanted.endpoints) // what is not found is not asked for again
    endpoints_.try_emplace(id);
  for (const auto& each : found.endpoints)
    endpoints_.insert_or_assign(each.endpoint->id, each);
  ids_ = endpoints_.size();
  for (const auto& [id, members] : found.audiences)
    audiences_.insert_or_assign(id, members);
  for (const auto& [id, members] : audiences_)
    ids_ += members.size();
}

void recipient_book::of(const log_entry& row,
                        const std::map<account_id, std::vector<endpoint_id>>& present,
                        std::vector<const endpoint_on_host*>& owed) const {
  owed.clear();
  const auto add = [&](endpoint_id id) {
    auto found = endpoints_.find(id);
    if (found == endpoints_.end() || !found->second)
      return;
    if (const auto taker = found->second->taker_of(row.at); taker != id)
      found = endpoints_.find(taker);
    if (found != endpoints_.end() && found->second)
      owed.push_back(&*found->second);
  };
  if (const auto audience = audiences_.find(row.audience); audience != audiences_.end()) {
    const auto now = present.find(row.author);
    const auto is_owed = [&](endpoint_id id) {
      return now != present.end() && std::ranges::binary_search(now->second, id);
    };
    const auto goes_to_all = reaches_past_followers(row.kind, row.is_public);
    for (const auto id : audience->second)
      if (goes_to_all || is_owed(id))
        add(id);
  }
  for (const auto id : row.extra)
    add(id);
  const auto id_of = [](const endpoint_on_host* each) { return each->endpoint->id; };
  if (!std::ranges::is_sorted(owed, {}, id_of))
    std::ranges::sort(owed, {}, id_of);
  const auto twice = std::ranges::unique(owed, {}, id_of);
  owed.erase(twice.begin(), twice.end());
}

} // namespace trunkline
