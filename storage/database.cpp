#include "storage/database.hpp"

namespace trunkline {

namespace {

const std::string no_text;
constexpr auto fence_words = std::string_view{"fence: this node does not own what it writes"};

} // namespace

std::int64_t sql_value::integer() const {
  const auto* number = std::get_if<std::int64_t>(&content_);
  return number ? *number : 0;
}

const std::string& sql_value::text() const {
  const auto* content = std::get_if<std::string>(&content_);
  return content ? *content : no_text;
}

const std::string& sql_value::bytes() const {
  const auto* content = std::get_if<blob>(&content_);
  return content ? content->bytes : no_text;
}

caf::error fence_refusal() {
  return make_error(errc::unavailable, std::string{fence_words});
}

bool is_fence_refusal(const caf::error& failure) {
  return failure && code_of(failure) == errc::unavailable && context_of(failure) == fence_words;
}

} // namespace trunkline
