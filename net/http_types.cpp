#include "net/http_types.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace trunkline {

namespace {

constexpr auto method_names = std::to_array<std::string_view>(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"});

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

} // namespace

struct http_reply::state {
  explicit state(sink deliver) : deliver_{std::move(deliver)} {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  ~state() { answer({500, R"({"error":"Internal server error"})"}); }

  void answer(http_response response) {
    if (!answered_.exchange(true))
      std::exchange(deliver_, nullptr)(std::move(response));
  }

  sink deliver_;
  std::atomic<bool> answered_ = false;
};

std::string_view to_string(http_method method) {
  return method_names[static_cast<std::size_t>(method)];
}

std::string_view find_header(const http_headers& headers, std::string_view name) {
  const auto found = std::ranges::find_if(
      headers, [&](const auto& header) { return same_name(header.first, name); });
  return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

http_reply::http_reply(sink deliver) : state_{std::make_shared<state>(std::move(deliver))} {}

void http_reply::operator()(http_response response) const {
  if (state_)
    state_->answer(std::move(response));
}

bool http_reply::answered() const {
  return !state_ || state_->answered_;
}

} // namespace trunkline
