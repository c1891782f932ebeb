#include "engine/embedding/entities_in.hpp"

#include "protocol/loose_members.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace trunkline {

namespace {

using members = std::vector<std::pair<std::string, std::string>>;
using milliseconds_utc = std::chrono::sys_time<std::chrono::milliseconds>;

constexpr auto visibility_words =
    std::to_array<std::string_view>({"public", "unlisted", "private", "direct"});

std::string text_at(const json_value& entity, std::string_view name) {
  return text_of(entity.find(name));
}

bool flag_at(const json_value& entity, std::string_view name) {
  const auto* value = entity.find(name);
  const auto* flag = value ? value->as_bool() : nullptr;
  return flag && *flag;
}

milliseconds_utc time_at(const json_value& entity, std::string_view name) {
  const auto at = parse_date_time(text_at(entity, name));
  return at ? std::chrono::floor<std::chrono::milliseconds>(*at) : milliseconds_utc{};
}

post_visibility visibility_of(std::string_view word) {
  for (auto i = std::size_t{0}; i < visibility_words.size(); ++i)
    if (visibility_words[i] == word)
      return static_cast<post_visibility>(i);
  return post_visibility::direct; // unknown words are shown to the fewest
}

std::vector<std::string> mentions_of(const json_value& status) {
  auto accounts = std::vector<std::string>{};
  for (const auto& mention : items_of(status.find("mentions")))
    accounts.push_back(text_at(mention, "acct"));
  return accounts;
}

void show_boosted(post_card& card, const json_value& boosted) {
  card.boost_of_id = text_at(boosted, "id");
  card.content = text_at(boosted, "content");
  card.spoiler = text_at(boosted, "spoiler_text");
  card.language = text_at(boosted, "language");
  card.sensitive = flag_at(boosted, "sensitive");
  card.mentions = mentions_of(boosted);
}

std::string to_text(const json_value& value) {
  if (const auto* text = value.as_string())
    return *text;
  return value.is_null() ? std::string{} : to_json(value);
}

/// At most as deep as JSON of ours nests.
void flatten(const std::string& name, const json_value& value, members& out) {
  if (const auto* object = value.as_object()) {
    for (const auto& [key, inner] : *object)
      flatten(name.empty() ? key : name + "." + key, inner, out);
    return;
  }
  if (const auto* list = value.as_array()) {
    for (auto i = std::size_t{0}; i < list->size(); ++i)
      flatten(name + "." + std::to_string(i), (*list)[i], out);
    return;
  }
  out.emplace_back(name, to_text(value));
}

} // namespace

account_card to_account_card(const json_value& account) {
  return {.id = text_at(account, "id"),
          .account = text_at(account, "acct"),
          .uri = text_at(account, "uri"),
          .url = text_at(account, "url"),
          .display_name = text_at(account, "display_name"),
          .locked = flag_at(account, "locked"),
          .bot = flag_at(account, "bot")};
}

post_card to_post_card(const json_value& status) {
  const auto* author = status.find("account");
  const auto* edited_at = status.find("edited_at");
  auto card = post_card{.id = text_at(status, "id"),
                        .uri = text_at(status, "uri"),
                        .url = text_at(status, "url"),
                        .author = author ? to_account_card(*author) : account_card{},
                        .content = text_at(status, "content"),
                        .spoiler = text_at(status, "spoiler_text"),
                        .language = text_at(status, "language"),
                        .sensitive = flag_at(status, "sensitive"),
                        .visibility = visibility_of(text_at(status, "visibility")),
                        .reply_to_id = text_at(status, "in_reply_to_id"),
                        .mentions = mentions_of(status),
                        .created_at = time_at(status, "created_at"),
                        .edited = edited_at && !edited_at->is_null()};
  if (const auto* boosted = status.find("reblog"); boosted && !boosted->is_null())
    show_boosted(card, *boosted);
  return card;
}

std::vector<post_card> to_post_cards(const json_value& statuses) {
  auto cards = std::vector<post_card>{};
  for (const auto& status : items_of(&statuses))
    cards.push_back(to_post_card(status));
  return cards;
}

follow_state to_follow_state(const json_value& relationship) {
  if (flag_at(relationship, "following"))
    return follow_state::following;
  return flag_at(relationship, "requested") ? follow_state::requested : follow_state::none;
}

std::string_view word_of(post_visibility seen_by) {
  return visibility_words[static_cast<std::size_t>(seen_by)];
}

std::vector<std::pair<std::string, std::string>> to_flat_members(const json_object& shown) {
  auto flat = members{};
  for (const auto& [key, value] : shown)
    flatten(key, value, flat);
  return flat;
}

} // namespace trunkline
