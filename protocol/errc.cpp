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

caf::error make_error(errc code, std::string context, time_point until) {
  return caf::error{static_cast<std::uint8_t>(code), category,
                    caf::make_message(std::move(context), to_micros(until))};
}

errc code_of(const caf::error& failure) {
  if (failure.category() == category)
    return static_cast<errc>(failure.code());
  return failure == caf::sec::request_timeout ? errc::timed_out : errc::crashed;
}

std::string context_of(const caf::error& failure) {
  if (failure.category() != category)
    return caf::to_string(failure);
  const auto& context = failure.context();
  if (context.size() > 0 && context.match_element<std::string>(0))
    return context.get_as<std::string>(0);
  return std::string{to_string(code_of(failure))};
}

std::optional<time_point> until_of(const caf::error& failure) {
  if (failure.category() == category &&
      failure.context().match_elements<std::string, std::int64_t>())
    return from_micros(failure.context().get_as<std::int64_t>(1));
  return std::nullopt;
}

std::string_view to_string(errc code) {
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

} // namespace trunkline
