/// The rules of OAuth 2 that need neither storage nor network: redirect addresses and PKCE.
#pragma once

#include "protocol/errc.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// The redirect address that stands for "show the code to the person".
inline constexpr auto out_of_band = std::string_view{"urn:ietf:wg:oauth:2.0:oob"};

/// Says whether an app may register this address: absolute, of at most 2,000 bytes of printable
/// ASCII, without a fragment, of a scheme that runs nothing in a browser, with a host where http
/// needs one. Fails with `invalid`.
caf::error check_redirect_uri(std::string_view uri);

/// Says whether a code may be asked for with this challenge: S256 of 43 letters, or none at all
/// (both texts empty). Fails with `invalid`; "plain" is refused.
caf::error check_challenge(std::string_view challenge, std::string_view method);

/// Tells whether `verifier` (43 to 128 unreserved letters) is what `challenge` was made of. Without
/// a challenge there must be no verifier.
bool verifier_fits(std::string_view challenge, std::string_view verifier);

/// Returns `uri` with the parameters of an answer appended ("code=..&state=.."), percent-encoded.
std::string add_parameter(std::string uri, std::string_view name, std::string_view value);

/// Percent-encodes everything but unreserved letters.
std::string percent_encode(std::string_view text);

} // namespace trunkline
