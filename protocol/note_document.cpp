#include "protocol/activity.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/names.hpp"
#include "protocol/plain_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace trunkline {

namespace {

constexpr auto note_types = std::to_array<std::string_view>(
    {"Note", "Question", "Article", "Page", "Video", "Image", "Audio", "Event"});
constexpr auto medium_types =
    std::to_array<std::string_view>({"Document", "Image", "Video", "Audio"});

constexpr std::size_t title_bytes_max = 2'048;
constexpr std::size_t language_bytes_max = 35; ///< Of the longest tag that RFC 5646 wants kept.
constexpr std::size_t media_type_bytes_max = 255;
constexpr std::size_t description_bytes_max = 10'000;
constexpr std::size_t option_bytes_max = 2'048;

caf::error bad_note(std::string_view why) {
  return make_error(errc::malformed, "post: " + std::string{why});
}

bool is_language(std::string_view tag) {
  const auto fits = [](unsigned char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || letter == '-';
  };
  return !tag.empty() && tag.size() <= language_bytes_max && tag != "und" &&
         std::ranges::all_of(tag, fits);
}

/// Returns the language of the content: that of the same text, or of the only one.
std::string language_of(const json_value& document, const std::string& content) {
  const auto* map = document.find("contentMap");
  const auto* members = map ? map->as_object() : nullptr;
  if (!members)
    return {};
  for (const auto& [tag, text] : *members)
    if (is_language(tag) && (members->size() == 1 || text_of(&text) == content))
      return tag;
  return {};
}

/// What has no place for it in a timeline is shown as its title and a link to it.
std::string link_to(const remote_note& note) {
  const auto href = escape_html(note.url);
  const auto link = "<p><a href=\"" + href + "\">" + href + "</a></p>";
  return note.title.empty() ? link : "<p>" + escape_html(note.title) + "</p>" + link;
}

void read_content(remote_note& note, const json_value& document) {
  note.title = display_line(mapped_text_of(document, "name"), title_bytes_max);
  note.sensitive = is_true(document.find("sensitive"));
  auto content = mapped_text_of(document, "content");
  note.language = language_of(document, content);
  if (note.type != "Note" && note.type != "Question") {
    note.content = link_to(note);
    note.has_content = true;
    return;
  }
  note.has_content = !content.empty();
  note.content = clamp_bytes(std::move(content), note_content_bytes_max);
  note.spoiler = clamp_bytes(mapped_text_of(document, "summary"), note_content_bytes_max);
}

void read_mention(remote_note& note, const json_value& tag) {
  if (auto id = web_url(text_of(tag.find("href")));
      !id.empty() && note.mentions.size() < note_mentions_max)
    note.mentions.push_back(std::move(id));
}

void read_hashtag(remote_note& note, const json_value& tag) {
  auto name = display_line(text_of(tag.find("name")), tag_bytes_max + 2);
  if (name.starts_with('#'))
    name.erase(0, 1);
  if (!name.empty() && name.size() <= tag_bytes_max && note.tags.size() < note_tags_max)
    note.tags.push_back(std::move(name));
}

void read_tags(remote_note& note, const json_value& document) {
  for (const auto& tag : items_of(document.find("tag"))) {
    if (has_type(tag, "Mention"))
      read_mention(note, tag);
    else if (has_type(tag, "Hashtag"))
      read_hashtag(note, tag);
  }
  note.emojis = emojis_of(document);
}

/// What an object's own type tells of its media type.
std::string_view family_of(const json_value& item) {
  if (has_type(item, "Image"))
    return "image/*";
  if (has_type(item, "Video"))
    return "video/*";
  return has_type(item, "Audio") ? "audio/*" : std::string_view{};
}

/// A medium's type stands in it, or in the Links of its url.
std::string media_type_of(const json_value& item) {
  auto type = text_of(item.find("mediaType"));
  for (const auto& link : items_of(item.find("url"))) {
    if (!type.empty())
      break;
    type = text_of(link.find("mediaType"));
  }
  if (type.empty() || type.size() > media_type_bytes_max)
    type = family_of(item);
  return type;
}

std::vector<note_attachment> attachments_of(const json_value& document) {
  auto attachments = std::vector<note_attachment>{};
  for (const auto& item : items_of(document.find("attachment"))) {
    if (attachments.size() == note_attachments_max)
      break;
    if (first_type_of(item, medium_types).empty())
      continue;
    if (auto url = url_of(&item); !url.empty())
      attachments.push_back(
          {.url = std::move(url),
           .media_type = media_type_of(item),
           .description = clamp_bytes(mapped_text_of(item, "name"), description_bytes_max)});
  }
  return attachments;
}

std::vector<poll_option> options_of(std::span<const json_value> items) {
  auto options = std::vector<poll_option>{};
  for (const auto& item : items) {
    if (options.size() == poll_options_max)
      break;
    auto name = display_line(mapped_text_of(item, "name"), option_bytes_max);
    const auto* replies = item.find("replies");
    const auto* votes = replies ? replies->find("totalItems") : nullptr;
    if (!name.empty())
      options.push_back({.name = std::move(name), .votes = count_of(votes)});
  }
  return options;
}

std::optional<remote_poll> poll_of(const json_value& document) {
  const auto any = items_of(document.find("anyOf"));
  const auto one = items_of(document.find("oneOf"));
  auto poll = remote_poll{.options = options_of(any.empty() ? one : any), .multiple = !any.empty()};
  if (poll.options.empty())
    return std::nullopt;
  // When it was closed, or that it is.
  poll.ends_at = time_of(document.find("closed"));
  if (!poll.ends_at)
    poll.ends_at = time_of(document.find("endTime"));
  poll.closed = is_true(document.find("closed"));
  poll.voters = count_of(document.find("votersCount"));
  return poll;
}

} // namespace

caf::expected<remote_note> read_note(const json_value& document) {
  auto note = remote_note{};
  note.type = first_type_of(document, note_types);
  if (note.type.empty())
    return bad_note("type: is none of a post");
  note.id = web_url(text_of(document.find("id")));
  if (note.id.empty())
    return bad_note("id: is no URL");
  note.attributed_to = only_author_of(document);
  note.url = url_of(document.find("url"), "text/html");
  if (note.url.empty())
    note.url = note.id;
  read_content(note, document);
  note.published = time_of(document.find("published"));
  note.updated = time_of(document.find("updated"));
  note.in_reply_to = web_id_of(document.find("inReplyTo"));
  note.replies = web_id_of(document.find("replies"));
  note.to = recipients_of(document.find("to"));
  note.cc = recipients_of(document.find("cc"));
  read_tags(note, document);
  note.attachments = attachments_of(document);
  if (note.type == "Question")
    note.poll = poll_of(document);
  return note;
}

} // namespace trunkline
