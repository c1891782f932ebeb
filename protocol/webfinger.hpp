/// WebFinger (RFC 7033): how "name@domain" leads to an actor, and which name an actor has. Pure
/// text; nothing is fetched.
#pragma once

#include "protocol/host_address.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// What to send as Accept.
inline constexpr auto webfinger_accept = std::string_view{"application/jrd+json, application/json"};

inline constexpr std::size_t webfinger_bytes_max = 65'536; ///< Of an answer.
inline constexpr std::size_t webfinger_selves_max = 10;    ///< More are not looked at.

/// An account as people write it: "name@domain". The domain stays as it is but for case and IDN:
/// nothing that is added to it is cut off.
struct webfinger_address {
  std::string name; ///< As written.
  host_address host;
};

/// Returns "name@domain", with the port where it is not the scheme's own.
std::string to_text(const webfinger_address& address);

/// Tells whether both mean one account: names in any case.
bool is_same_address(const webfinger_address& one, const webfinger_address& other);

/// Reads "name@domain", also with "@" or "acct:" before it; `scheme` is how the domain is asked.
/// Fails with `errc::invalid` when the name is none of a remote account, or the domain is no host.
caf::expected<webfinger_address> parse_address_text(std::string_view text, std::string_view scheme);

/// Returns where to ask for an account.
std::string webfinger_url(const webfinger_address& address);

/// What a domain says of an account.
struct webfinger_answer {
  webfinger_address subject;       ///< The account's name, where the domain has another for it.
  std::vector<std::string> selves; ///< Ids of actors; at least one, at most `webfinger_selves_max`.
};

/// Reads an answer. `scheme` is how the subject's domain is asked. Fails with `errc::malformed`
/// when it is no JSON, has no subject that is an account, or no link to an actor.
caf::expected<webfinger_answer> read_webfinger(std::string_view body, std::string_view scheme,
                                               url_rules rules);

/// Tells whether the answer names the actor `id`.
bool names_actor(const webfinger_answer& answer, std::string_view id);

} // namespace trunkline
