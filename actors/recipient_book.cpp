#include "actors/recipient_book.hpp"

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
    if (row.audience && !row.is_public)
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

std::vector<const endpoint_on_host*>
recipient_book::of(const log_entry& row,
                   const std::map<account_id, std::vector<endpoint_id>>& present) const {
  auto owed = std::set<endpoint_id>(row.extra.begin(), row.extra.end());
  if (const auto audience = audiences_.find(row.audience); audience != audiences_.end()) {
    const auto now = present.find(row.author);
    for (const auto id : audience->second)
      if (row.is_public || (now != present.end() && std::ranges::binary_search(now->second, id)))
        owed.insert(id);
  }
  auto known = std::vector<const endpoint_on_host*>{};
  for (const auto id : owed)
    if (const auto found = endpoints_.find(id); found != endpoints_.end() && found->second)
      known.push_back(&*found->second);
  return known;
}

} // namespace trunkline
