#include "actors/queries_deliveries.hpp"

#include "storage/post_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// The path below the first of `origins` that fits; "" when none does.
std::string_view path_below(std::string_view url, const std::vector<std::string>& origins) {
  for (const auto& origin : origins)
    if (url.starts_with(origin) && url.substr(origin.size()).starts_with('/'))
      return url.substr(origin.size());
  return {};
}

/// "/users/alice/statuses/12/activity" and "/@alice/12" are about post 12.
std::string_view id_in(std::string_view path) {
  path = path.substr(0, path.find_first_of("#?"));
  if (constexpr auto create = std::string_view{"/activity"}; path.ends_with(create))
    path.remove_suffix(create.size());
  if (!path.starts_with("/users/") && !path.starts_with("/@"))
    return {};
  return path.substr(path.rfind('/') + 1);
}

} // namespace

caf::expected<post_id> read_own_post(const std::string& text,
                                     const std::vector<std::string>& origins) {
  if (const auto id = parse_id(text))
    return post_id{*id};
  if (const auto id = parse_id(id_in(path_below(text, origins))))
    return post_id{*id};
  return make_error(errc::invalid, "post: must be the id or the URL of a post of this server");
}

query<object_key> ask_object_of(post_id post) {
  return {[post](database& db) -> caf::expected<object_key> {
    const auto found = find_post(db, post);
    if (!found)
      return found.error();
    if (*found && (*found)->boost_of)
      return object_key{.kind = object_kind::announce,
                        .actor = (*found)->author.value,
                        .target = (*found)->boost_of.value};
    // Also of a post that is gone: its Delete may still be owed.
    return object_key{.kind = object_kind::post, .target = post.value};
  }};
}

query<post_deliveries> ask_post_deliveries(post_deliveries_wish wish) {
  return {[wish](database& db) { return find_post_deliveries(db, wish); }};
}

query<std::vector<dead_letter>> ask_dead_letters(dead_letter_wish wish) {
  return {[wish](database& db) { return list_dead_letters(db, wish); }};
}

} // namespace trunkline
