/// Names of accounts, tags and hosts, and the URLs of this server, which end up in other people's
/// databases and never change. All pure text.
#pragma once

#include "protocol/ids.hpp"

#include <caf/expected.hpp>

#include <string>
#include <string_view>

namespace trunkline {

inline constexpr std::size_t local_name_max = 30;

/// ASCII letters to lower case, nothing else.
std::string fold_name(std::string_view name);

/// Tells whether `folded` is kept for the server itself: "admin", "inbox", ...
bool is_reserved_name(std::string_view folded);

/// Returns the folded name of a new local account: 1 to 30 of A-Z, a-z, 0-9 and _, not reserved.
/// Fails with `errc::invalid`.
caf::expected<std::string> check_local_name(std::string_view name);

/// Returns the canonical form of a host's name: lower case A-labels, or an IPv4 or bracketed IPv6
/// address as it stands. Fails with `errc::invalid` on a port, a trailing dot, an empty label,
/// a label over 63 or a name over 253 bytes, and on every character that no host name has.
caf::expected<std::string> canonical_host(std::string_view name);

inline constexpr std::size_t tag_bytes_max = 255;

/// Returns the folded form of a hashtag without its '#': lower case in Unicode, NFKC; "" when that
/// is longer than 255 bytes.
std::string fold_tag(std::string_view tag);

/// The URLs below one account and the server. `origin` is "https://" and the server's domain,
/// without a slash at the end; `name` keeps the case of its owner.
struct url_space {
  std::string origin;

  std::string actor(std::string_view name) const;
  std::string inbox(std::string_view name) const;
  std::string outbox(std::string_view name) const;
  std::string followers(std::string_view name) const;
  std::string following(std::string_view name) const;
  std::string featured(std::string_view name) const;
  std::string main_key(std::string_view name) const;
  std::string shared_inbox() const;
  std::string instance_actor() const;

  /// The post itself, which a boost has too.
  std::string post(std::string_view name, post_id id) const;
  /// The Create of a post, or a boost's Announce.
  std::string activity(std::string_view name, post_id id) const;
  /// An Update of a post; `fresh` is a new id.
  std::string update(std::string_view name, post_id id, std::int64_t fresh) const;
  /// The Delete of a post.
  std::string remove(std::string_view name, post_id id) const;
  /// Any other activity; `kind` is its lower-case word ("follow", "undo"), `fresh` a new id.
  std::string other(std::string_view name, std::string_view kind, std::int64_t fresh) const;

  /// The pages that people open.
  std::string profile_page(std::string_view name) const;
  std::string post_page(std::string_view name, post_id id) const;
  std::string tag_page(std::string_view folded) const;
};

/// Returns the space of `domain`: "https://" and the domain.
url_space urls_of(std::string_view domain);

} // namespace trunkline
