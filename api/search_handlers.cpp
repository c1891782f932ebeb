// Search: what is known here, and with `resolve` what is at an address elsewhere.
#include "actors/messages.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::size_t query_bytes_max = 2'048;
constexpr std::int64_t results_usual = 20;
constexpr std::int64_t results_max = 40;
constexpr std::int64_t offset_max = 10'000;

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

/// "@name@domain" or "name@domain", without what a URL has.
bool is_address(std::string_view text) {
  const auto at = text.find('@', 1);
  return at != std::string_view::npos && at + 1 < text.size() &&
         text.find_first_of(" /") == std::string_view::npos;
}

/// The id of a tag is its folded name: clients ask for tags by name, and an id is any text.
json_array to_entities(const std::vector<std::string>& tags, const api_services& services) {
  auto entities = json_array{};
  for (const auto& tag : tags)
    entities.emplace_back(json_object{{"id", fold_tag(tag)},
                                      {"name", tag},
                                      {"url", services.here.urls.tag_page(fold_tag(tag))},
                                      {"history", json_array{}}});
  return entities;
}

json_array to_entities(const std::vector<account_view>& accounts, const api_services& services) {
  auto entities = json_array{};
  for (const auto& account : accounts)
    entities.emplace_back(to_entity(account, services.here));
  return entities;
}

using search_end = std::function<void(const search_view&)>;

void search_here(gateway_state& gateway, search_wish wish, const http_reply& reply,
                 const search_end& then) {
  ask(gateway, ask_search(std::move(wish), gateway.services->viewing()), reply, then);
}

/// Looks up what the text names elsewhere; what cannot be found there may still be found here.
void search_everywhere(gateway_state& gateway, search_wish wish, const http_reply& reply,
                       search_end then) {
  const auto& services = *gateway.services;
  const auto without = [&gateway, wish, reply, then](const caf::error&) {
    search_here(gateway, wish, reply, then);
  };
  if (is_url(wish.text))
    return gateway.self
        ->request(services.resolver, services.options.search_deadline, resolve_url{wish.text})
        .then(
            [&gateway, wish, reply, then](const resolved_thing& found) mutable {
              wish.found_account = found.account;
              wish.found_post = found.post;
              search_here(gateway, std::move(wish), reply, then);
            },
            without);
  auto address = wish.text.starts_with('@') ? wish.text.substr(1) : wish.text;
  gateway.self
      ->request(services.resolver, services.options.search_deadline,
                resolve_account{.address = std::move(address)})
      .then(
          [&gateway, wish, reply, then](account_id found) mutable {
            wish.found_account = found;
            search_here(gateway, std::move(wish), reply, then);
          },
          without);
}

/// People paste addresses of pages; what is asked for is known by its id.
std::string id_of_page(const std::string& text, const api_services& services) {
  const auto pages = services.here.urls.origin + "/@";
  if (!text.starts_with(pages))
    return text;
  const auto path = std::string_view{text}.substr(pages.size());
  const auto slash = path.find('/');
  const auto name = path.substr(0, slash);
  if (slash == std::string_view::npos)
    return services.own_urls.actor(name);
  const auto post = parse_id(path.substr(slash + 1));
  return post ? services.own_urls.post(name, post_id{*post}) : text;
}

void run_search(gateway_state& gateway, const matched_request& request, search_wish wish,
                bool resolve, const http_reply& reply, search_end then) {
  const auto& services = *gateway.services;
  wish.viewer = request.who.account;
  wish.own_domain = services.options.domain;
  wish.own_origin = services.own_urls.origin;
  wish.text = id_of_page(wish.text, services);
  const auto is_ours = wish.text.starts_with(services.own_urls.origin + "/");
  const auto elsewhere =
      (is_url(wish.text) && !is_ours) || (wish.accounts && is_address(wish.text));
  const auto may_resolve = request.who.account || request.who.is_program;
  if (resolve && may_resolve && services.resolver && elsewhere)
    return search_everywhere(gateway, std::move(wish), reply, std::move(then));
  search_here(gateway, std::move(wish), reply, then);
}

caf::expected<search_wish> read_wish(param_reader& reader) {
  auto wish = search_wish{.text = reader.text("q").value_or("")};
  wish.limit =
      std::clamp<std::int64_t>(reader.number("limit").value_or(results_usual), 1, results_max);
  wish.offset = std::clamp<std::int64_t>(reader.number("offset").value_or(0), 0, offset_max);
  wish.followed_only = reader.flag("following").value_or(false);
  while (wish.text.starts_with(' '))
    wish.text.erase(0, 1);
  while (wish.text.ends_with(' '))
    wish.text.pop_back();
  if (wish.text.empty())
    reader.fail(make_error(errc::invalid, "q: must not be blank"));
  if (wish.text.size() > query_bytes_max)
    reader.fail(make_error(errc::invalid, "q: at most 2,048 bytes"));
  if (reader.failure())
    return reader.failure();
  return wish;
}

} // namespace

void search(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto resolve = reader.flag("resolve").value_or(false);
  const auto type = reader.text("type").value_or("");
  auto wish = read_wish(reader);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  wish->followed_only = wish->followed_only && request.who.account;
  if (type.empty()) {
    wish->offset = 0; // of which of the three lists?
  } else {
    wish->accounts = type == "accounts";
    wish->statuses = type == "statuses";
    wish->tags = type == "hashtags";
  }
  const auto viewer = request.who.account;
  run_search(gateway, request, std::move(*wish), resolve, reply,
             [&gateway, reply, viewer](const search_view& found) {
               const auto& services = *gateway.services;
               reply(json_response(
                   json_object{{"accounts", to_entities(found.accounts, services)},
                               {"statuses", to_entities(found.posts, viewer, services.here)},
                               {"hashtags", to_entities(found.tags, services)}}));
             });
}

void search_for_accounts(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto resolve = reader.flag("resolve").value_or(false);
  auto wish = read_wish(reader);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  wish->statuses = wish->tags = false;
  run_search(gateway, request, std::move(*wish), resolve, reply,
             [&gateway, reply](const search_view& found) {
               reply(json_response(to_entities(found.accounts, *gateway.services)));
             });
}

} // namespace trunkline
