/// Parameters from a query, a form or JSON: every value is within the limits, every accessor
/// answers.
#include "protocol/form.hpp"
#include "protocol/request_params.hpp"

#include <array>
#include <cstdlib>

using namespace trunkline;

namespace {

std::size_t depth_of(const json_value& value) {
  std::size_t deepest = 0;
  if (const auto* items = value.as_array())
    for (const auto& item : *items)
      deepest = std::max(deepest, depth_of(item) + 1);
  if (const auto* members = value.as_object())
    for (const auto& [name, member] : *members)
      deepest = std::max(deepest, depth_of(member) + 1);
  return deepest;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  if (size == 0)
    return 0;
  static constexpr std::array<std::string_view, 3> types{"application/x-www-form-urlencoded",
                                                         "application/json", ""};
  const auto is_json = bytes[0] % types.size() == 1;
  const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
  const auto type = types[bytes[0] % types.size()];
  const auto params = type.empty() ? parse_params(text, "", "") : parse_params("", type, text);
  if (!params)
    return 0;
  for (const auto& [name, value] : params->values()) {
    if (!is_json && depth_of(value) > form_depth_max)
      std::abort();
    (void)params->get_bool(name);
    (void)params->get_int(name);
    (void)params->get_string(name);
    (void)params->get_strings(name);
    (void)params->find(name + ".a.0");
  }
  return 0;
}
