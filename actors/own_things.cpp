#include "actors/own_things.hpp"

#include "protocol/errc.hpp"
#include "storage/federation_views.hpp"
#include "storage/remote_store.hpp"

#include <string_view>
#include <utility>

namespace trunkline {

namespace {

/// What a path names: "/users/NAME", "/@NAME", and posts below them.
struct own_path {
  std::string name;
  post_id post; ///< 0: the account.
  bool is_announce = false;
};

caf::error not_here() {
  return make_error(errc::not_found, "url: names nothing of this server");
}

caf::expected<own_path> read_name(std::string_view text) {
  if (text.empty() || text.find_first_of("/?#") != std::string_view::npos)
    return not_here();
  return own_path{.name = std::string{text}};
}

/// Reads "NAME" or "NAME/statuses/ID"; `middle` is what stands between the two.
caf::expected<own_path> read_below(std::string_view text, std::string_view middle) {
  const auto slash = text.find('/');
  auto path = read_name(text.substr(0, slash));
  if (!path || slash == std::string_view::npos)
    return path;
  text.remove_prefix(slash);
  if (!text.starts_with(middle))
    return not_here();
  text.remove_prefix(middle.size());
  constexpr auto announce = std::string_view{"/activity"};
  path->is_announce = text.ends_with(announce);
  if (path->is_announce)
    text.remove_suffix(announce.size());
  const auto id = parse_id(text);
  if (!id)
    return not_here();
  path->post = post_id{*id};
  return path;
}

caf::expected<own_path> read_path(std::string_view text) {
  constexpr auto users = std::string_view{"/users/"};
  constexpr auto page = std::string_view{"/@"};
  if (text.starts_with(users))
    return read_below(text.substr(users.size()), "/statuses/");
  if (text.starts_with(page))
    return read_below(text.substr(page.size()), "/");
  return not_here();
}

/// A post by its id, or a boost by that of its Announce; the Create of a post means the post.
caf::expected<post_id> find_own_post(database& db, const own_path& path, const std::string& name,
                                     const url_space& urls) {
  auto found = find_post_by_uri(
      db, path.is_announce ? urls.activity(name, path.post) : urls.post(name, path.post),
      urls.origin);
  if (found && !*found && path.is_announce)
    found = find_post_by_uri(db, urls.post(name, path.post), urls.origin);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return not_here();
  return **found;
}

} // namespace

query<account_id> ask_own_account(std::string name, url_space urls) {
  return {
      [name = std::move(name), urls = std::move(urls)](database& db) -> caf::expected<account_id> {
        auto found = load_local_actor(db, name, urls);
        if (!found)
          return std::move(found.error());
        return found->id;
      }};
}

query<resolved_thing> ask_own_thing(std::string path, url_space urls) {
  return {[text = std::move(path),
           urls = std::move(urls)](database& db) -> caf::expected<resolved_thing> {
    const auto named = read_path(text);
    if (!named)
      return named.error();
    auto owner = load_local_actor(db, named->name, urls);
    if (!owner)
      return std::move(owner.error());
    if (!named->post)
      return resolved_thing{.account = owner->id};
    auto found = find_own_post(db, *named, owner->document.name, urls);
    if (!found)
      return std::move(found.error());
    return resolved_thing{.post = *found};
  }};
}

} // namespace trunkline
