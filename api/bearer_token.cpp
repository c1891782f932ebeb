#include "api/bearer_token.hpp"

#include <algorithm>

namespace trunkline {

std::string_view bearer_token_of(const http_request& request) {
  constexpr auto scheme = std::string_view{"bearer "};
  const auto header = request.header("Authorization");
  const auto same = [](char sent, char wanted) {
    return (sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent - 'A' + 'a') : sent) == wanted;
  };
  const auto begins = header.size() > scheme.size() &&
                      std::equal(scheme.begin(), scheme.end(), header.begin(),
                                 [&](char wanted, char sent) { return same(sent, wanted); });
  return begins ? header.substr(scheme.size()) : std::string_view{};
}

} // namespace trunkline
