/// What a row of the log is about: the key under which later rows replace or undo earlier ones.
///
/// For a post it is the post. For Follow, Like, Block, Mute and Announce it is (kind, actor,
/// target), so that doing and undoing are about the same object and never pass each other.
#pragma once

#include "protocol/ids.hpp"

#include <caf/expected.hpp>

#include <compare>
#include <string>
#include <string_view>

namespace trunkline {

enum class object_kind : char {
  post = 'p',     ///< actor 0, target: the post
  announce = 'a', ///< actor, target: the boosted post
  like = 'l',     ///< actor, target: the post
  follow = 'f',   ///< actor, target: the followed account
  block = 'b',    ///< actor, target: the blocked account
  mute = 'm',     ///< actor, target: the muted account
  domain = 'd',   ///< actor, target: 63 bits of the SHA-256 of the domain's name
  account = 'u',  ///< actor 0, target: the account itself (profile, key, tokens, state)
  pin = 'n',      ///< actor, target: the pinned post
  vote = 'v',     ///< actor, target: the poll's post
  report = 'r',   ///< actor, target: the reported account
};

struct object_key {
  object_kind kind = object_kind::post;
  std::int64_t actor = 0;
  std::int64_t target = 0;

  friend constexpr auto operator<=>(const object_key&, const object_key&) noexcept = default;
};

/// Returns the form of the column: kind, actor and target, "f/12/34".
std::string to_string(const object_key& key);

/// Reads what `to_string` writes. Fails with `errc::malformed`.
caf::expected<object_key> parse_object_key(std::string_view text);

} // namespace trunkline
