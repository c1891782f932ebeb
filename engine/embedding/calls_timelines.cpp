// Typed calls that read lists of posts, and the subscription to one.
#include "engine/embedding/calls.hpp"
#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/entities_in.hpp"
#include "engine/embedding/node_embedding.hpp"
#include "engine/embedding/subscriptions.hpp"

namespace trunkline {

namespace {

constexpr auto page_limit_max = 40;

/// Adds "name=id" to `query` when there is an id.
std::optional<failure> add_id(const program_call& call, std::string_view name,
                              const std::string& text, std::string& query) {
  if (text.empty())
    return std::nullopt;
  const auto id = call.read_id(name, text);
  if (!id)
    return id.error();
  query.append("&").append(name).append("=").append(text);
  return std::nullopt;
}

result<std::string> query_of(const program_call& call, const page& part) {
  if (part.limit < 1 || part.limit > page_limit_max)
    return call.refuse("limit", "must be 1 to 40");
  auto query = "limit=" + std::to_string(part.limit);
  if (auto problem = add_id(call, "max_id", part.max_id, query))
    return *problem;
  if (auto problem = add_id(call, "since_id", part.since_id, query))
    return *problem;
  if (auto problem = add_id(call, "min_id", part.min_id, query))
    return *problem;
  return query;
}

result<std::vector<post_card>> read_list(program_call& call, const std::string& path,
                                         account_id viewer, const page& part) {
  const auto query = query_of(call, part);
  if (!query)
    return query.error();
  const auto found = call.ask({.path = path, .query = *query}, viewer);
  if (!found)
    return found.error();
  return to_post_cards(*found);
}

} // namespace

result<std::vector<post_card>> engine::home(std::string_view account, const page& part) {
  auto call = program_call{entry_of(state_->inside), "home"};
  const auto viewer = call.read_id("account", account);
  if (!viewer)
    return viewer.error();
  return read_list(call, "/api/v1/timelines/home", account_id{*viewer}, part);
}

result<std::vector<post_card>> engine::posts_of(std::string_view account, std::string_view author,
                                                const page& part) {
  auto call = program_call{entry_of(state_->inside), "posts_of"};
  const auto viewer = call.read_id("account", account);
  if (!viewer)
    return viewer.error();
  const auto whose = call.read_id("author", author);
  if (!whose)
    return whose.error();
  return read_list(call, "/api/v1/accounts/" + std::to_string(*whose) + "/statuses",
                   account_id{*viewer}, part);
}

result<subscription> engine::subscribe(std::string_view account, timeline_function call) {
  auto asking = program_call{entry_of(state_->inside), "subscribe"};
  const auto whose = asking.read_id("account", account);
  if (!whose)
    return whose.error();
  if (!call)
    return asking.refuse("call", "there is nothing to call");
  // Reading it once tells whether the account may, and puts the timeline into memory.
  const auto there = read_list(asking, "/api/v1/timelines/home", account_id{*whose}, {.limit = 1});
  if (!there)
    return there.error();
  return state_->inside.embedding().subscribe(account_id{*whose}, std::move(call));
}

} // namespace trunkline
