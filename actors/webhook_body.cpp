#include "actors/webhook_body.hpp"

#include "protocol/crypto.hpp"
#include "protocol/json.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t source_bytes = 4;
constexpr std::size_t digest_bytes = 16;

std::string_view word_of(post_change change) {
  switch (change) {
  case post_change::created:
    return "created";
  case post_change::edited:
    return "edited";
  case post_change::deleted:
    return "deleted";
  }
  return "edited";
}

std::string_view word_of(delivery_change change) {
  switch (change) {
  case delivery_change::delivered:
    return "delivered";
  case delivery_change::failed:
    return "failed";
  case delivery_change::dead:
    return "dead";
  }
  return "failed";
}

std::string_view word_of(account_change change) {
  switch (change) {
  case account_change::created:
    return "created";
  case account_change::updated:
    return "updated";
  case account_change::disabled:
    return "disabled";
  case account_change::enabled:
    return "enabled";
  case account_change::deleted:
    return "deleted";
  case account_change::moved:
    return "moved";
  }
  return "updated";
}

std::string_view detail_of(const activity_event& event) {
  return event.type;
}

std::string_view detail_of(const host_state_event&) {
  return "changed";
}

template <class Event>
std::string_view detail_of(const Event& event) {
  return word_of(event.change);
}

json_object render(const activity_event& event) {
  return {{"seq", event.seq},     {"at", to_iso8601(event.at)}, {"type", event.type},
          {"actor", event.actor}, {"actor_id", event.actor_id}, {"object", event.object},
          {"local", event.local}};
}

json_object render(const post_event& event) {
  auto mentions = json_array{};
  for (const auto& account : event.mentions)
    mentions.emplace_back(account);
  return {{"seq", event.seq},
          {"at", to_iso8601(event.at)},
          {"change", word_of(event.change)},
          {"id", event.id},
          {"uri", event.uri},
          {"author", event.author},
          {"author_id", event.author_id},
          {"local", event.local},
          {"content", event.content},
          {"spoiler", event.spoiler},
          {"language", event.language},
          {"visibility", event.visibility},
          {"sensitive", event.sensitive},
          {"reply_to_id", event.reply_to_id},
          {"mentions", std::move(mentions)}};
}

json_object render(const delivery_event& event) {
  return {{"seq", event.seq},    {"at", to_iso8601(event.at)}, {"change", word_of(event.change)},
          {"host", event.host},  {"inbox", event.inbox},       {"status", event.status},
          {"error", event.error}};
}

json_object render(const host_state_event& event) {
  return {{"at", to_iso8601(event.at)},
          {"host", event.host},
          {"state", event.state},
          {"reason", event.reason}};
}

json_object render(const account_event& event) {
  return {{"seq", event.seq}, {"at", to_iso8601(event.at)}, {"change", word_of(event.change)},
          {"id", event.id},   {"account", event.account},   {"local", event.local}};
}

/// What tells one event from every other of the server. A unit is delivered, or dead, once: when a
/// crash lets that happen again, it is the same event. A try that failed is one by its time.
std::string key_of(const delivery_event& event) {
  auto key = std::to_string(event.seq) + '\n' + event.inbox;
  if (event.change == delivery_change::failed)
    key += '\n' + std::to_string(to_micros(event.at));
  return to_hex(sha256(key).substr(0, digest_bytes));
}

std::string key_of(const host_state_event& event) {
  const auto key = event.host + '\n' + event.state + '\n' + std::to_string(to_micros(event.at));
  return to_hex(sha256(key).substr(0, digest_bytes));
}

template <class Event>
std::string key_of(const Event& event) {
  return std::to_string(event.seq);
}

/// Of `type` what an id may have; a dot would make what is signed ambiguous.
std::string with_dashes(std::string type) {
  std::ranges::replace(type, '.', '-');
  return type;
}

} // namespace

std::optional<event_kind> event_kind_of(std::string_view word) {
  const auto found = std::ranges::find(event_words, word);
  if (found == event_words.end())
    return std::nullopt;
  return static_cast<event_kind>(found - event_words.begin());
}

std::string webhook_source(std::string_view domain) {
  return to_hex(sha256(domain).substr(0, source_bytes));
}

webhook_message render_webhook(const engine_event& event, std::string_view source) {
  return std::visit(
      [&](const auto& one) {
        auto type = std::string{event_words[event.index()]};
        type.append(".").append(detail_of(one));
        const auto content =
            json_object{{"type", type}, {"timestamp", to_iso8601(one.at)}, {"data", render(one)}};
        auto id = std::string{source} + '-' + key_of(one) + '-' + with_dashes(std::move(type));
        return webhook_message{.id = std::move(id),
                               .at = one.at,
                               .body = std::make_shared<const std::string>(to_json(content))};
      },
      event);
}

} // namespace trunkline
