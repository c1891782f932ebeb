#include "kit/home_model.hpp"

#include <algorithm>

namespace trunkline::kit {

viewer_graph home_model::graph_of(account_id viewer) const {
  auto graph = viewer_graph{.viewer = viewer};
  for (const auto& [edge, options] : follows) {
    if (edge.first != viewer || !options.accepted)
      continue;
    graph.followees.push_back({edge.second, options.show_boosts});
    auto languages = std::vector<std::string>{};
    for (auto rest = options.languages; !rest.empty();) {
      const auto end = std::min(rest.find(','), rest.size());
      languages.push_back(rest.substr(0, end));
      rest.erase(0, end + 1);
    }
    if (!languages.empty())
      graph.languages.push_back({edge.second, languages});
  }
  for (const auto& [blocker, blocked] : blocks) {
    if (blocker == viewer)
      graph.blocked.push_back(blocked);
    if (blocked == viewer)
      graph.blocking.push_back(blocker);
  }
  for (const auto& [edge, expires_at] : mutes)
    if (edge.first == viewer)
      graph.muted.push_back({edge.second, expires_at});
  return graph;
}

std::vector<post_facts> home_model::all_facts() const {
  auto facts = std::vector<post_facts>{};
  for (const auto& [id, post] : posts) {
    if (!post.boost_of) {
      facts.push_back(post);
      continue;
    }
    const auto boosted = posts.find(post.boost_of);
    if (boosted == posts.end())
      continue;
    facts.push_back(post);
    facts.back().mentions = boosted->second.mentions;
  }
  return facts;
}

std::vector<post_id> home_model::home(account_id viewer, time_point now) const {
  return home_of(graph_of(viewer), all_facts(), now, posts.size());
}

void home_model::erase_post(post_id post) {
  posts.erase(post);
  std::erase_if(posts, [post](const auto& held) { return held.second.boost_of == post; });
}

bool home_model::has_boost(account_id author, post_id boosted) const {
  return std::ranges::any_of(posts, [&](const auto& held) {
    return held.second.author == author && held.second.boost_of == boosted;
  });
}

} // namespace trunkline::kit
