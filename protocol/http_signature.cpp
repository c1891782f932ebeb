#include "protocol/http_signature.hpp"

#include "protocol/errc.hpp"
#include "protocol/signature_parts.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::int64_t moment_seconds_max = 253'402'300'799; // the last second of year 9999

char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, to_lower, to_lower);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

bool is_visible(char letter) {
  return letter > ' ' && letter <= '~';
}

/// Bytes of the headers of one name; the number of its lines.
struct field_size {
  std::size_t lines = 0;
  std::size_t bytes = 0;
};

field_size measure(const signed_request& request, std::string_view name) {
  auto size = field_size{};
  for (const auto& [key, value] : request.headers) {
    if (!is_same_name(key, name))
      continue;
    ++size.lines;
    size.bytes += value.size();
  }
  return size;
}

caf::error check_size(std::string_view name, field_size size) {
  if (size.lines > 1)
    return malformed_signature(std::string{name} + " is there more than once");
  if (size.bytes > signature_bytes_max)
    return refuse_signature(std::string{name} + " has more than 8,192 bytes");
  return {};
}

/// A line end in what is signed would be read as two lines.
caf::error check_request(const signed_request& request) {
  if (request.method.empty() || !std::ranges::all_of(request.method, [](char letter) {
        return letter >= 'A' && letter <= 'Z';
      }))
    return malformed_signature("the method is no word in upper case");
  if (!request.target.starts_with('/') || !std::ranges::all_of(request.target, is_visible) ||
      !std::ranges::all_of(request.authority, is_visible))
    return malformed_signature("the request target is no path, or the Host no host");
  return {};
}

} // namespace

caf::error refuse_signature(std::string_view why) {
  return make_error(errc::unauthenticated, "signature: " + std::string{why});
}

caf::error malformed_signature(std::string_view why) {
  return make_error(errc::malformed, "signature: " + std::string{why});
}

std::optional<std::string> find_signed_field(const signed_request& request, std::string_view name) {
  auto joined = std::optional<std::string>{};
  for (const auto& [key, value] : request.headers) {
    if (!is_same_name(key, name))
      continue;
    if (value.find_first_of("\r\n") != std::string::npos)
      return std::nullopt;
    joined = joined ? *joined + ", " : std::string{};
    *joined += trimmed(value);
  }
  return joined;
}

caf::error check_key_id(std::string_view key_id) {
  if (key_id.empty())
    return refuse_signature("names no key");
  if (key_id.size() > key_id_bytes_max)
    return refuse_signature("the key's name has more than 2,048 bytes");
  if (!std::ranges::all_of(key_id, is_visible))
    return refuse_signature("the key's name holds what no URL does");
  return {};
}

caf::error check_host(const signed_request& request) {
  const auto host = find_signed_field(request, "host");
  if (!host || host->empty() || !is_same_name(*host, request.authority))
    return refuse_signature("the Host header is missing or another than the request's");
  return {};
}

caf::error check_times(const signature_times& times, const signature_policy& policy,
                       time_point now) {
  const auto is_near = [&](time_point at) {
    return at >= now - policy.clock_skew && at <= now + policy.clock_skew;
  };
  if (!times.date && !times.created)
    return refuse_signature("neither Date nor created is signed");
  if ((times.date && !is_near(*times.date)) || (times.created && !is_near(*times.created)))
    return refuse_signature("was made too long ago, or the clocks differ");
  if (!times.expires)
    return {};
  const auto begin = times.created.value_or(times.date.value_or(now));
  if (*times.expires < now)
    return refuse_signature("has expired");
  if (*times.expires < begin || *times.expires - begin > policy.life_max)
    return refuse_signature("expires too late");
  return {};
}

std::optional<time_point> to_moment(std::int64_t seconds) {
  if (seconds < 0 || seconds > moment_seconds_max)
    return std::nullopt;
  return time_point{std::chrono::seconds{seconds}};
}

bool needs_digest(const signed_request& request) {
  return request.has_body || !request.body.empty() || request.method == "POST";
}

caf::expected<signature_claim> read_signature(const signed_request& request,
                                              const signature_policy& policy, time_point now) {
  const auto signatures = measure(request, "signature");
  const auto inputs = measure(request, "signature-input");
  if (signatures.lines == 0)
    return refuse_signature("there is none");
  if (auto failure = check_size("Signature", signatures))
    return failure;
  if (auto failure = check_size("Signature-Input", inputs))
    return failure;
  if (auto failure = check_request(request))
    return failure;
  return inputs.lines > 0 ? read_message_signature(request, policy, now)
                          : read_cavage_signature(request, policy, now);
}

} // namespace trunkline
