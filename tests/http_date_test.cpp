#include "protocol/http_date.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

TEST_CASE("dates of HTTP", "[http_date]") {
  const auto text = std::string{"Sun, 06 Nov 1994 08:49:37 GMT"};
  const auto at = parse_http_date(text);
  REQUIRE(at);
  CHECK(to_micros(*at) == 784'111'777'000'000);
  CHECK(to_http_date(*at + 999'999us) == text);
  CHECK(to_http_date(from_micros(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(to_http_date(from_micros(-1)) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(to_http_date(from_micros(INT64_MAX)) == "Fri, 31 Dec 9999 23:59:59 GMT");
  for (std::size_t index = 0; index < text.size(); ++index)
    for (const auto letter : {'x', ' ', '+', '-', '/', ':', '\0'}) {
      auto altered = text;
      if (altered[index] == letter)
        continue;
      altered[index] = letter;
      CAPTURE(altered);
      CHECK(!parse_http_date(altered));
    }
}
