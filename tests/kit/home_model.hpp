/// A small social network in memory, and its homes by `home_of`: what served timelines are held
/// against. It knows nothing of storage, rings or logs.
#pragma once

#include "protocol/home.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

struct home_model {
  using pair = std::pair<account_id, account_id>;

  struct follow {
    bool accepted = true;
    bool show_boosts = true;
    std::string languages; ///< "de,fr"; "" for all.
  };

  std::map<post_id, post_facts> posts; ///< `mentions` of a boost are empty.
  std::map<pair, follow> follows;
  std::set<pair> blocks;
  std::map<pair, std::optional<time_point>> mutes;

  viewer_graph graph_of(account_id viewer) const;

  /// Every post, boosts of deleted ones excepted, with whom boosts name.
  std::vector<post_facts> all_facts() const;

  /// The whole home, newest first.
  std::vector<post_id> home(account_id viewer, time_point now) const;

  /// Removes the post and its boosts.
  void erase_post(post_id post);
  bool has_boost(account_id author, post_id boosted) const;
};

} // namespace trunkline::kit
