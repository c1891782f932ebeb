#include "protocol/safe_remote.hpp"

#include "protocol/html_sanitizer.hpp"
#include "protocol/remote_text.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::size_t language_bytes_max = 11;

bool is_language(std::string_view code) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return code.size() >= 2 && code.size() <= language_bytes_max && std::ranges::all_of(code, fits);
}

} // namespace

void make_safe(remote_actor& actor) {
  actor.display_name = clean_text(actor.display_name, actor_name_max);
  actor.note = sanitize_html(actor.note);
  for (auto& field : actor.fields) {
    field.name = clean_text(field.name, actor_name_max);
    field.value = sanitize_html(field.value);
  }
}

void make_safe(remote_note& note) {
  note.content = sanitize_html(note.content);
  note.spoiler = clean_text(note.spoiler, remote_spoiler_bytes_max);
  note.title = clean_text(note.title, remote_spoiler_bytes_max);
  if (!is_language(note.language))
    note.language.clear();
  for (auto& medium : note.attachments)
    medium.description = clean_text(medium.description, remote_description_bytes_max);
  if (note.poll)
    for (auto& option : note.poll->options)
      option.name = clean_text(option.name, remote_option_bytes_max);
}

} // namespace trunkline
