/// Events as a webhook's receiver gets them: an id that every repetition has, and a body in JSON.
///
/// Pure; any thread.
#pragma once

#include "actors/queries_events.hpp"
#include "protocol/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace trunkline {

/// In the order of `engine_event`.
enum class event_kind : std::uint8_t { activity, post, delivery, host_state, account };

inline constexpr auto event_words =
    std::to_array<std::string_view>({"activity", "post", "delivery", "host_state", "account"});

static_assert(std::variant_size_v<engine_event> == event_words.size());

inline event_kind kind_of(const engine_event& event) {
  return static_cast<event_kind>(event.index());
}

/// Returns the kind that `word` names, or nothing.
std::optional<event_kind> event_kind_of(std::string_view word);

/// Some kinds of events.
class event_kinds {
public:
  constexpr void add(event_kind kind) { bits_ |= bit(kind); }
  constexpr bool has(event_kind kind) const { return (bits_ & bit(kind)) != 0; }

  /// Tells whether some are no rows of the log.
  constexpr bool has_unlogged() const {
    return has(event_kind::delivery) || has(event_kind::host_state);
  }

  static constexpr event_kinds all() {
    auto every = event_kinds{};
    for (auto index = std::size_t{0}; index < event_words.size(); ++index)
      every.add(static_cast<event_kind>(index));
    return every;
  }

  friend constexpr bool operator==(const event_kinds&, const event_kinds&) = default;

private:
  static constexpr unsigned bit(event_kind kind) { return 1U << static_cast<unsigned>(kind); }

  unsigned bits_ = 0;
};

struct webhook_message {
  std::string id; ///< Letters, digits, '-' and '_'. Different for different events.
  time_point at;
  std::shared_ptr<const std::string> body;
};

/// Returns what the ids of the server of `domain` begin with, so that a receiver of two servers
/// can tell their events apart.
std::string webhook_source(std::string_view domain);

/// Renders an event of the server whose `webhook_source` is `source`: {"type": "post.created",
/// "timestamp": ..., "data": {...}}.
webhook_message render_webhook(const engine_event& event, std::string_view source);

} // namespace trunkline
