// Notifications, as Mastodon's first version of them.
#include "actors/messages.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::int64_t notifications_usual = 40;
constexpr std::int64_t notifications_max = 80;
constexpr std::int64_t counted_usual = 100;
constexpr std::int64_t counted_max = 1'000;

json_object to_entity(const notification_view& shown, const api_services& services) {
  auto entity = json_object{{"id", std::to_string(shown.row.id)},
                            {"type", std::string{to_string(shown.row.kind)}},
                            {"group_key", "ungrouped-" + std::to_string(shown.row.id)},
                            {"created_at", to_iso8601(shown.row.at)},
                            {"account", to_entity(shown.from, services.here)}};
  if (shown.post)
    entity["status"] = to_entity(*shown.post, shown.row.owner, services.here);
  return entity;
}

/// Reads kinds; words that this server never sends select nothing.
std::vector<notification_kind> read_kinds(param_reader& reader, std::string_view name,
                                          bool& asked) {
  auto kinds = std::vector<notification_kind>{};
  const auto words = reader.texts(name);
  asked = words && !words->empty();
  for (const auto& word : words.value_or(std::vector<std::string>{}))
    if (const auto kind = parse_notification_kind(word))
      kinds.push_back(*kind);
  return kinds;
}

/// Reads which notifications are wanted; nothing when none of those can be.
std::optional<notification_wish> read_wish(param_reader& reader, account_id owner,
                                           const list_wish& page) {
  auto asked = false;
  auto hides = false;
  auto wish =
      notification_wish{.owner = owner, .page = page, .from = reader.id<account_id>("account_id")};
  wish.hidden = read_kinds(reader, "exclude_types", hides);
  wish.kinds = read_kinds(reader, "types", asked);
  if (asked && wish.kinds.empty())
    return std::nullopt;
  return wish;
}

} // namespace

void count_notifications(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto limit =
      std::clamp<std::int64_t>(reader.number("limit").value_or(counted_usual), 1, counted_max);
  auto wish = read_wish(reader, request.who.account, {.limit = limit});
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto answer = [reply](std::int64_t count) {
    reply(json_response(json_object{{"count", count}}));
  };
  if (!wish)
    return answer(0);
  ask(gateway, ask_notification_count(std::move(*wish)), reply, answer);
}

void list_notifications(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto page = read_list(reader, notifications_usual, notifications_max);
  auto wish = read_wish(reader, request.who.account, page);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  if (!wish)
    return reply(json_response(json_array{}));
  ask(gateway, ask_notifications(std::move(*wish), gateway.services->viewing()), reply,
      [&gateway, reply, http = request.http](const notification_list_view& list) {
        auto entities = json_array{};
        for (const auto& shown : list.notifications)
          entities.emplace_back(to_entity(shown, *gateway.services));
        reply(list_response(*gateway.services, http, list.keys, std::move(entities)));
      });
}

void show_notification(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = parse_id(request.segment());
  if (!id)
    return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
  ask(gateway, ask_notification(request.who.account, *id, gateway.services->viewing()), reply,
      [&gateway, reply](const notification_view& shown) {
        reply(json_response(to_entity(shown, *gateway.services)));
      });
}

void dismiss_notification(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  const auto id = parse_id(request.segment());
  if (!id)
    return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
  const auto owner = request.who.account;
  ask(gateway, ask_notification(owner, *id, gateway.services->viewing()), reply,
      [&gateway, reply, owner, id = *id](const notification_view&) {
        ask(gateway, dismiss_one(owner, id), reply,
            [reply](caf::unit_t) { reply(json_response(json_object{})); });
      });
}

void clear_notifications(gateway_state& gateway, const matched_request& request, http_reply reply) {
  ask(gateway, dismiss_all(request.who.account), reply,
      [reply](caf::unit_t) { reply(json_response(json_object{})); });
}

} // namespace trunkline
