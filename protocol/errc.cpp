#include "protocol/errc.hpp"

#include <caf/atom.hpp>
#include <caf/make_message.hpp>
#include <caf/sec.hpp>

#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr auto category = caf::atom("trunkline");

constexpr auto names = std::to_array<std::string_view>({
    "none",
    "malformed",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "invalid",
    "rate_limited",
    "unavailable",
    "timed_out",
    "storage_full",
    "storage_busy",
    "storage_broken",
    "commit_unknown",
    "storage_refused",
    "unique_violation",
    "config_invalid",
    "already_running",
    "crashed",
    "quarantined",
    "insecure",
    "gone",
    "not_allowed",
});

} // namespace

caf::error make_error(errc code) {
  return caf::error{static_cast<std::uint8_t>(code), category};
}

caf::error make_error(errc code, std::string context) {
  return caf::error{static_cast<std::uint8_t>(code), category,
                    caf::make_message(std::move(context))};
}

errc code_of(const caf::error& failure) {
  if (failure.category() == category)
    return static_cast<errc>(failure.code());
  return failure == caf::sec::request_timeout ? errc::timed_out : errc::crashed;
}

std::string context_of(const caf::error& failure) {
  if (failure.category() != category)
    return caf::to_string(failure);
  if (failure.context().match_elements<std::string>())
    return failure.context().get_as<std::string>(0);
  return std::string{to_string(code_of(failure))};
}

std::string_view to_string(errc code) {
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

} // namespace trunkline
