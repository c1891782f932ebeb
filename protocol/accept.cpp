#include "protocol/accept.hpp"

#include "protocol/media_type.hpp"

#include <algorithm>
#include <cstddef>

namespace trunkline {

namespace {

constexpr std::string_view activity_profile = "https://www.w3.org/ns/activitystreams";

/// The most that one entry can be wanted, in thousandths.
constexpr int full_weight = 1000;

/// Takes the entry before the next comma that stands outside of quotes.
std::string_view take_entry(std::string_view& list) {
  auto quoted = false;
  auto end = std::size_t{0};
  for (; end < list.size() && (quoted || list[end] != ','); ++end) {
    if (list[end] == '\\' && quoted)
      ++end;
    else if (list[end] == '"')
      quoted = !quoted;
  }
  end = std::min(end, list.size());
  const auto entry = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return entry;
}

/// Reads "1", "0.5", "0.125"; what is none counts in full, as if it were not there.
int weight_of(std::string_view text) {
  if (text.empty() || (text.front() != '0' && text.front() != '1'))
    return full_weight;
  auto weight = (text.front() - '0') * full_weight;
  auto unit = full_weight / 10;
  for (const auto digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9')
      break;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, full_weight);
}

/// Tells whether one of the profiles in `text`, parted by spaces, is that of ActivityStreams.
bool names_activities(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (text.substr(0, end) == activity_profile)
      return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

bool is_activity(const media_type& type) {
  return type.essence == "application/activity+json" ||
         (type.essence == "application/ld+json" && names_activities(type.parameter("profile")));
}

} // namespace

bool prefers_activity(std::string_view accept) {
  auto document = 0;
  auto page = 0;
  while (!accept.empty()) {
    const auto type = parse_media_type(take_entry(accept));
    if (!type)
      continue;
    const auto weight = weight_of(type->parameter("q"));
    if (is_activity(*type))
      document = std::max(document, weight);
    else if (type->essence == "text/html")
      page = std::max(page, weight);
  }
  return document > 0 && document >= page;
}

} // namespace trunkline
