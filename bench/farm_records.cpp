#include "bench/farm_records.hpp"

#include "protocol/json.hpp"

#include <algorithm>
#include <charconv>

namespace trunkline::bench {

namespace {

constexpr auto none = static_cast<std::uint32_t>(-1);

std::string text_of(const json_value& value, std::string_view member) {
  const auto* found = value.find(member);
  const auto* text = found ? found->as_string() : nullptr;
  return text ? *text : std::string{};
}

/// Reads "[[NAME@NANOSECONDS]]" in the text of a post.
void read_mark(std::string_view body, farm_activity& activity) {
  const auto begin = body.find("[[");
  const auto end = body.find("]]", begin);
  if (begin == std::string_view::npos || end == std::string_view::npos)
    return;
  const auto mark = body.substr(begin + 2, end - begin - 2);
  const auto at = mark.find('@');
  activity.marker = mark.substr(0, at);
  if (at != std::string_view::npos)
    std::from_chars(mark.data() + at + 1, mark.data() + mark.size(), activity.posted_ns);
}

farm_activity read_activity(std::string_view body) {
  const auto read = parse_json(body);
  if (!read)
    return {};
  auto activity = farm_activity{.id = text_of(*read, "id"),
                                .type = text_of(*read, "type"),
                                .object = text_of(*read, "object"),
                                .object_type = {},
                                .marker = {},
                                .seen = {}};
  if (const auto* object = read->find("object"); object && object->as_object()) {
    activity.object = text_of(*object, "id");
    activity.object_type = text_of(*object, "type");
  }
  read_mark(body, activity);
  return activity;
}

double milliseconds(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty())
    return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]) / 1e6;
}

} // namespace

std::uint32_t farm_records::activity_of(const body_hash& hash, std::string_view body) {
  if (const auto known = by_body_.find(hash); known != by_body_.end())
    return known->second;
  auto activity = read_activity(body);
  if (activity.id.empty()) {
    ++not_activities_;
    return none;
  }
  if (by_body_.size() >= limits_.activities_max)
    return none;
  const auto [place, is_new] =
      by_id_.try_emplace(activity.id, static_cast<std::uint32_t>(activities_.size()));
  if (is_new)
    activities_.push_back(std::move(activity));
  by_body_.emplace(hash, place->second);
  return place->second;
}

bool farm_records::note(const body_hash& hash, std::string_view body, std::uint32_t host,
                        std::int64_t now_ns) {
  const auto index = activity_of(hash, body);
  if (index == none) {
    ++not_kept_;
    return false;
  }
  auto& seen = activities_[index].seen;
  if (seen.size() <= host / 64)
    seen.resize(hosts_ / 64 + 1);
  const auto bit = std::uint64_t{1} << host % 64;
  const auto is_repeated = (seen[host / 64] & bit) != 0;
  seen[host / 64] |= bit;
  ++(is_repeated ? repeated_ : unique_);
  if (arrivals_.size() < limits_.arrivals_max)
    arrivals_.push_back(
        {.at_ns = now_ns, .activity = index, .host = host, .is_repeated = is_repeated});
  else
    ++not_kept_;
  return is_repeated;
}

void farm_records::reset() {
  unique_ = repeated_ = not_kept_ = not_activities_ = 0;
  activities_.clear();
  by_body_.clear();
  by_id_.clear();
  arrivals_.clear();
}

arrival_figures farm_records::figures(const std::vector<bool>& wanted, std::int64_t since_ns,
                                      std::int64_t until_ns) const {
  auto result = arrival_figures{};
  auto latencies = std::vector<std::int64_t>{};
  for (const auto& arrival : arrivals_) {
    const auto posted = activities_[arrival.activity].posted_ns;
    if (!wanted[arrival.host] || posted < since_ns || posted >= until_ns)
      continue;
    if (result.arrivals++ == 0)
      result.first_ns = arrival.at_ns;
    result.last_ns = arrival.at_ns;
    if (arrival.is_repeated)
      continue;
    ++result.unique;
    if (posted)
      latencies.push_back(arrival.at_ns - posted);
  }
  std::ranges::sort(latencies);
  result.timed = latencies.size();
  result.p50_ms = milliseconds(latencies, 0.5);
  result.p90_ms = milliseconds(latencies, 0.9);
  result.p99_ms = milliseconds(latencies, 0.99);
  result.most_ms = milliseconds(latencies, 1);
  return result;
}

} // namespace trunkline::bench
