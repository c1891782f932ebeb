// What a client wants to post, checked without the database.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t text_bytes_max = 65'536; ///< A bound for work, far above 500 characters.

bool is_text(const std::string& text) {
  return text.size() <= text_bytes_max && text.find('\0') == std::string::npos && is_utf8(text);
}

caf::error check_options(const std::vector<std::string>& options) {
  if (options.size() < own_poll_options_min)
    return refused("Options must have more than one item");
  if (options.size() > own_poll_options_max)
    return refused("Options can't contain more than " + std::to_string(own_poll_options_max) +
                   " items");
  for (const auto& option : options) {
    if (!is_text(option) || is_blank(option))
      return refused("Options can't be blank");
    if (count_characters(option) > own_poll_option_max)
      return refused("Options can't be longer than " + std::to_string(own_poll_option_max) +
                     " characters each");
  }
  auto sorted = options;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    return refused("Options contain duplicate items");
  return {};
}

caf::error check_poll(const poll_draft& poll) {
  if (auto failure = check_options(poll.options))
    return failure;
  if (poll.life < own_poll_life_min)
    return refused("Duration is too short");
  if (poll.life > own_poll_life_max)
    return refused("Duration is too long");
  return {};
}

} // namespace

bool is_language_code(std::string_view code) {
  const auto first = code.substr(0, code.find('-'));
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return code.empty() || (first.size() >= 2 && first.size() <= 3 && code.size() <= 11 &&
                          code.back() != '-' && std::ranges::all_of(code, letter));
}

caf::expected<checked_draft> check_draft(post_draft draft, const url_space& urls) {
  if (!is_text(draft.text))
    return refused("Text is not valid text");
  if (!is_text(draft.spoiler))
    return refused("Spoiler text is not valid text");
  if (is_blank(draft.text))
    return refused("Text can't be blank");
  if (!is_language_code(draft.language))
    return refused("Language is not a code of ISO 639");
  if (draft.poll)
    if (auto failure = check_poll(*draft.poll))
      return failure;
  auto checked = checked_draft{.draft = std::move(draft)};
  const auto& text = checked.draft.text;
  checked.entities = find_entities(text);
  if (count_characters(text, checked.entities) + count_characters(checked.draft.spoiler) >
      characters_max)
    return refused("Text character limit of " + std::to_string(characters_max) + " exceeded");
  checked.draft.sensitive = checked.draft.sensitive || !checked.draft.spoiler.empty();
  checked.names_somebody = std::ranges::any_of(checked.entities, [](const text_entity& entity) {
    return entity.kind == text_entity::kind_of::mention;
  });
  if (!checked.names_somebody)
    checked.html = render_html(text, checked.entities, {}, urls);
  return checked;
}

} // namespace trunkline
