#include "protocol/webhook_signature.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

namespace trunkline {

namespace {

/// Decimal digits alone, few enough to be a time that a clock can have.
std::optional<std::int64_t> read_seconds(std::string_view text) {
  constexpr std::size_t digits_max = 11;
  auto seconds = std::int64_t{0};
  const auto* end = text.data() + text.size();
  if (text.empty() || text.size() > digits_max || text.front() == '-')
    return std::nullopt;
  const auto [stop, problem] = std::from_chars(text.data(), end, seconds);
  return problem == std::errc{} && stop == end ? std::optional{seconds} : std::nullopt;
}

/// Tells whether `expected` is among `signatures`. Others may be of versions that are not known
/// here, or made with a secret that is being replaced.
bool is_among(std::string_view signatures, std::string_view expected) {
  auto found = false;
  while (!signatures.empty()) {
    const auto space = std::min(signatures.find(' '), signatures.size());
    found |= same_secret(signatures.substr(0, space), expected);
    signatures.remove_prefix(std::min(space + 1, signatures.size()));
  }
  return found;
}

} // namespace

std::string sign_webhook(std::string_view secret, const webhook_content& content) {
  auto text = std::string{content.id};
  text.append(".").append(std::to_string(content.seconds)).append(".").append(content.body);
  return "v1," + to_base64(hmac_sha256(secret, text));
}

caf::error check_webhook(const webhook_headers& headers, std::string_view body,
                         std::string_view secret, time_point now) {
  if (secret.size() < webhook_secret_bytes_min)
    return make_error(errc::invalid, "secret: must have at least " +
                                         std::to_string(webhook_secret_bytes_min) + " bytes");
  if (headers.id.empty())
    return make_error(errc::malformed, "webhook-id: is missing");
  if (headers.timestamp.empty())
    return make_error(errc::malformed, "webhook-timestamp: is missing");
  if (headers.signature.empty())
    return make_error(errc::malformed, "webhook-signature: is missing");
  const auto seconds = read_seconds(headers.timestamp);
  if (!seconds)
    return make_error(errc::malformed, "webhook-timestamp: is no number of seconds");
  const auto sent_at = time_point{std::chrono::seconds{*seconds}};
  if (sent_at < now - webhook_tolerance)
    return make_error(errc::forbidden, "webhook-timestamp: is more than five minutes old");
  if (sent_at > now + webhook_tolerance)
    return make_error(errc::forbidden,
                      "webhook-timestamp: is more than five minutes in the future");
  const auto expected = sign_webhook(secret, {headers.id, *seconds, body});
  if (!is_among(headers.signature, expected))
    return make_error(errc::forbidden,
                      "webhook-signature: is none of this secret over this id, time and body");
  return {};
}

} // namespace trunkline
