#include "actors/addressees.hpp"

#include "storage/audience_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>

namespace trunkline {

namespace {

caf::error add_audiences(database& db, addressees& to, std::span<const audience_id> audiences) {
  const auto present = endpoints_of(db, to.audience);
  if (!present)
    return present.error();
  for (const auto audience : audiences) {
    if (audience == to.audience)
      continue;
    const auto endpoints = endpoints_of(db, audience);
    if (!endpoints)
      return endpoints.error();
    std::ranges::set_difference(*endpoints, *present, std::back_inserter(to.extra));
  }
  return {};
}

} // namespace

void addressees::add(endpoint_id endpoint) {
  if (endpoint)
    extra.push_back(endpoint);
}

void addressees::settle() {
  std::ranges::sort(extra);
  extra.erase(std::unique(extra.begin(), extra.end()), extra.end());
  if (std::ssize(extra) > extra_endpoints_max)
    extra.resize(extra_endpoints_max);
}

void add_named(addressees& to, std::span<const account_reach> named, visibility seen_by) {
  for (const auto& account : named)
    to.add(seen_by == visibility::direct ? account.personal() : account.bulk());
}

caf::error add_past_audiences(database& db, addressees& to, post_id post) {
  const auto audiences = audiences_of(db, post);
  return audiences ? add_audiences(db, to, *audiences) : audiences.error();
}

caf::error add_boost_audiences(database& db, addressees& to, post_id post) {
  const auto audiences = audiences_of_boosts(db, post);
  return audiences ? add_audiences(db, to, *audiences) : audiences.error();
}

caf::error add_interactors(database& db, addressees& to, post_id post) {
  const auto endpoints = endpoints_of_interactors(db, post);
  if (!endpoints)
    return endpoints.error();
  to.extra.insert(to.extra.end(), endpoints->begin(), endpoints->end());
  return {};
}

} // namespace trunkline
