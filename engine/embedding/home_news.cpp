#include "engine/embedding/home_news.hpp"

#include "engine/embedding/entities_in.hpp"
#include "protocol/scopes.hpp"
#include "trunkline/engine.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr auto page_posts = 40;

std::int64_t number_of(const std::string& id) {
  const auto number = parse_id(id);
  return number ? *number : 0;
}

/// Where the next page begins: a page may show nothing of what it names.
std::optional<std::int64_t> next_page_of(const http_response& page) {
  constexpr auto mark = std::string_view{"max_id="};
  const auto links = find_header(page.headers, "Link");
  const auto place = links.find(mark);
  if (place == std::string_view::npos)
    return std::nullopt;
  const auto digits = links.substr(place + mark.size());
  auto number = std::int64_t{0};
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number > 0 ? std::optional{number} : std::nullopt;
}

std::optional<http_response> read_page(const call_entry& entry, account_id account,
                                       std::int64_t after, std::optional<std::int64_t> before) {
  const auto who = std::make_shared<const caller>(
      caller{.known = true, .account = account, .scopes = known_scopes(), .is_program = true});
  auto query = "limit=" + std::to_string(page_posts);
  if (after > 0)
    query += "&since_id=" + std::to_string(after);
  if (before)
    query += "&max_id=" + std::to_string(*before);
  auto request = http_request{.path = "/api/v1/timelines/home", .query = std::move(query)};
  return wait_for_answer(
      [&](http_reply reply) { entry.client(std::move(request), who, std::move(reply)); },
      entry.world, engine::call_limit);
}

home_verdict verdict_of(const std::optional<http_response>& page) {
  if (page && page->status == 200)
    return home_verdict::read;
  const auto is_over = page && (page->status == 401 || page->status == 403 || page->status == 404);
  return is_over ? home_verdict::never : home_verdict::not_now;
}

bool is_asked_for(const home_question& question, std::int64_t id) {
  return question.wanted.contains(id) || (question.from > 0 && id >= question.from);
}

/// The id before the first that is asked for; 0 when there can be none.
std::int64_t floor_of(const home_question& question) {
  auto first = question.from > 0 ? question.from : std::numeric_limits<std::int64_t>::max();
  if (!question.wanted.empty())
    first = std::min(first, *question.wanted.begin());
  return first - 1;
}

} // namespace

home_answer read_home_news(const call_entry& entry, const home_question& question) {
  auto answer = home_answer{.verdict = home_verdict::read};
  auto before = std::optional<std::int64_t>{};
  auto missing = question.wanted;
  for (auto pages = 0; pages < home_pages_max; ++pages) {
    const auto page = read_page(entry, question.account, floor_of(question), before);
    const auto parsed = page ? parse_json(page->body) : caf::expected<json_value>{json_value{}};
    if (verdict_of(page) != home_verdict::read || !parsed)
      return {.verdict = verdict_of(page)};
    for (auto& card : to_post_cards(*parsed)) {
      missing.erase(number_of(card.id));
      if (is_asked_for(question, number_of(card.id)))
        answer.posts.push_back(std::move(card));
    }
    before = next_page_of(*page);
    if (!before || (missing.empty() && question.from == 0))
      break;
  }
  std::ranges::sort(answer.posts, {}, [](const auto& card) { return number_of(card.id); });
  return answer;
}

} // namespace trunkline
