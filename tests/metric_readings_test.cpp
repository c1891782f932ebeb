#include "engine/embedding/metric_readings.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;

TEST_CASE("metrics are read from their text", "[metric_readings]") {
  const auto all = read_metrics("# HELP a Words # TYPE b counter\n"
                                "# TYPE a counter\n"
                                "a 3\n"
                                "# TYPE g gauge\n"
                                "g{x=\"1\",y=\"a \\\"b\\\" \\\\ \\n}\"} -2.5 1700000000\r\n"
                                "# TYPE h histogram\n"
                                "h_bucket{le=\"+Inf\"} 4\n"
                                "h_count 4\n"
                                "free NaN\n"
                                "large +Inf");
  using labels = std::vector<std::pair<std::string, std::string>>;
  REQUIRE(all.size() == 6);
  CHECK(all[0].name == "a");
  CHECK(all[0].value == 3);
  CHECK(all[0].rises);
  CHECK(all[1].name == "g");
  CHECK(all[1].labels == labels{{"x", "1"}, {"y", "a \"b\" \\ \n}"}});
  CHECK(all[1].value == -2.5);
  CHECK_FALSE(all[1].rises);
  CHECK(all[2].labels == labels{{"le", "+Inf"}});
  CHECK(all[2].rises);
  CHECK(all[3].rises);
  CHECK(std::isnan(all[4].value));
  CHECK(std::isinf(all[5].value));
}

TEST_CASE("lines that are no samples are left out", "[metric_readings]") {
  CHECK(read_metrics("").empty());
  CHECK(read_metrics("\n\n# \n#\n").empty());
  for (const auto* line : {"a", "a ", "a x", "a{", "a{b", "a{b=", "a{b=\"", "a{b=\"c", "a{b=\"c\"",
                           "a{b=\"c\"}", "{} 1", " 1", "a 1x", "a{b=c} 1"}) {
    CAPTURE(line);
    CHECK(read_metrics(line).empty());
    CHECK(read_metrics(std::string{line} + "\nb 1\n").size() == 1);
  }
}
