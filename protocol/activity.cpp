#include "protocol/activity.hpp"

#include "protocol/activity_out.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace trunkline {

namespace {

constexpr std::size_t activity_objects_max = 100;
constexpr std::size_t reaction_bytes_max = 2'048;

struct type_word {
  std::string_view word;
  activity_type type;
};

constexpr auto activity_words = std::to_array<type_word>({
    {"Create", activity_type::create},
    {"Update", activity_type::update},
    {"Delete", activity_type::remove},
    {"Follow", activity_type::follow},
    {"Accept", activity_type::accept},
    {"Reject", activity_type::reject},
    {"Undo", activity_type::undo},
    {"Like", activity_type::like},
    {"EmojiReact", activity_type::like},
    {"Announce", activity_type::announce},
    {"Block", activity_type::block},
    {"Flag", activity_type::flag},
    {"Add", activity_type::add},
    {"Remove", activity_type::remove_from},
    {"Move", activity_type::move},
});

constexpr auto collection_types = std::to_array<std::string_view>(
    {"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"});

caf::error bad_activity(std::string_view why) {
  return make_error(errc::malformed, "activity: " + std::string{why});
}

activity_type type_among(const std::vector<std::string>& types) {
  for (const auto& type : types) {
    const auto found = std::ranges::find(activity_words, type, &type_word::word);
    if (found != activity_words.end())
      return found->type;
  }
  return activity_type::unknown;
}

std::optional<json_value> inlined_in(const json_value& document) {
  const auto objects = items_of(document.find("object"));
  if (objects.empty() || !objects.front().as_object())
    return std::nullopt;
  return objects.front();
}

/// A Like's reaction may be beside its content; of a Flag it is what the reporter wrote.
std::string content_in(const json_value& document, activity_type type) {
  if (type == activity_type::flag)
    return clamp_characters(mapped_text_of(document, "content"), flag_comment_max);
  if (type != activity_type::like)
    return {};
  auto reaction = text_of(document.find("content"));
  if (reaction.empty())
    reaction = text_of(document.find("_misskey_reaction"));
  return display_line(reaction, reaction_bytes_max);
}

void append_items(std::vector<json_value>& items, const json_value& page, std::size_t limit) {
  for (const auto* name : {"orderedItems", "items"})
    for (const auto& item : items_of(page.find(name))) {
      if (items.size() == limit)
        return;
      items.push_back(item);
    }
}

/// Returns where a page says the next one is; a page is not its own next.
std::string next_in(const json_value& page) {
  auto next = web_id_of(page.find("next"));
  return next == id_of(&page) ? std::string{} : next;
}

bool contains(const std::vector<std::string>& recipients, std::string_view id) {
  return std::ranges::find(recipients, id) != recipients.end();
}

} // namespace

caf::expected<activity> read_activity(const json_value& document) {
  if (!document.as_object())
    return bad_activity("is no object");
  const auto types = types_of(document);
  if (types.empty())
    return bad_activity("type: is no text");
  auto read = activity{};
  read.actor = only_web_id_of(document.find("actor"));
  if (read.actor.empty())
    return bad_activity("actor: is not the id of one actor");
  read.id = web_id_of(&document);
  read.type = type_among(types);
  read.object = web_id_of(document.find("object"));
  read.inlined = inlined_in(document);
  read.objects = ids_of(document.find("object"), activity_objects_max);
  read.target = web_id_of(document.find("target"));
  read.to = recipients_of(document.find("to"));
  read.cc = recipients_of(document.find("cc"));
  read.published = time_of(document.find("published"));
  read.content = content_in(document, read.type);
  return read;
}

bool is_vote(const remote_note& note) {
  return note.type == "Note" && !note.title.empty() && !note.has_content &&
         note.attachments.empty() && !note.in_reply_to.empty();
}

visibility visibility_of(const std::vector<std::string>& to, const std::vector<std::string>& cc,
                         const std::string& followers) {
  if (contains(to, public_collection))
    return visibility::everyone;
  if (contains(cc, public_collection))
    return visibility::unlisted;
  if (!followers.empty() && (contains(to, followers) || contains(cc, followers)))
    return visibility::followers;
  return visibility::direct;
}

std::string id_of(const json_value* value) {
  const auto items = items_of(value);
  if (items.empty())
    return {};
  if (const auto* text = items.front().as_string())
    return *text;
  return text_of(items.front().find("id"));
}

std::vector<std::string> types_of(const json_value& document) {
  auto types = std::vector<std::string>{};
  for (const auto& item : items_of(document.find("type"))) {
    const auto* text = item.as_string();
    if (!text)
      continue;
    auto word = std::string_view{*text};
    for (const auto vocabulary :
         {std::string_view{"as:"}, std::string_view{"https://www.w3.org/ns/activitystreams#"}})
      if (word.starts_with(vocabulary))
        word.remove_prefix(vocabulary.size());
    types.emplace_back(word);
  }
  return types;
}

caf::expected<collection_page> read_collection(const json_value& document, std::size_t limit) {
  if (first_type_of(document, collection_types).empty())
    return make_error(errc::malformed, "collection: has no type of a collection");
  auto page = collection_page{};
  page.total = count_of(document.find("totalItems"));
  page.next = next_in(document);
  append_items(page.items, document, limit);
  const auto* first = document.find("first");
  if (first && first->as_object() && page.items.empty()) {
    append_items(page.items, *first, limit);
    page.next = next_in(*first);
    return page;
  }
  page.first = web_id_of(first);
  return page;
}

} // namespace trunkline
