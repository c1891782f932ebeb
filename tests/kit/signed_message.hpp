/// Requests that a server of another make signed, word by word; one key signs them all.
#pragma once

#include "protocol/http_signature.hpp"
#include "protocol/signing_key.hpp"

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

inline const auto now = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}} +
                        std::chrono::hours{17} + std::chrono::minutes{19};
inline const auto key_id = std::string{"https://remote.example/users/eve#main-key"};
inline const auto inbox = std::string{"/users/vera/inbox"};
inline const auto note =
    std::string{R"({"type":"Create","actor":"https://remote.example/users/eve"})"};

inline constexpr auto both =
    std::to_array<signature_scheme>({signature_scheme::cavage, signature_scheme::rfc9421});

const public_key& remote_public_key();
std::string remote_public_pem();

using headers = std::vector<std::pair<std::string, std::string>>;

/// A request that owns its text.
struct message {
  std::string method = "POST";
  std::string target = inbox;
  std::string scheme = "https";
  std::string authority = "local.example";
  headers fields = {{"Host", "local.example"}};
  std::string body = note;
  bool has_body = true;

  signed_request view() const {
    return {method, target, scheme, authority, fields, body, has_body};
  }

  /// Adds the header where it is not there.
  std::string& field(const std::string& name);

  void drop(const std::string& name) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  }
};

message get_message(std::string target = "/users/vera");

/// Tells whether the remote key made the signature.
bool is_true(const signature_claim& claim);

/// What comes of a request: 202, or the status that it is refused with.
int status_of(const message& request, signature_policy policy = {});

std::string lower(std::string text);

/// Seconds since 1970, `offset` from now.
std::string seconds_text(std::chrono::seconds offset = {});

struct cavage_words {
  std::string names = "(request-target) host date digest";
  std::string algorithm = "rsa-sha256"; ///< "" leaves it out.
  std::string more = "";                ///< Parameters before the signature: `created=1,`.
  std::string key = key_id;
  std::string created = "";
  std::string expires = "";
  std::string target = ""; ///< Signed instead of the request's.
};

/// Adds Date and Digest where they are signed and no other header than Host is there.
message cavage(message request, const cavage_words& words = {});

inline const auto three = std::string{R"("@method" "@target-uri" "content-digest")"};

std::string usual_parameters(std::chrono::seconds created = {});

/// Signs the components `names`, as RFC 9421 writes them: `"@method" "host"`.
message rfc9421(message request, const std::string& names = three,
                const std::string& parameters = usual_parameters(),
                const std::string& label = "sig1");

/// Signs as Trunkline does.
message ours(message request, signature_scheme scheme);

} // namespace trunkline::kit
