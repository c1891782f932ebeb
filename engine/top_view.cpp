#include "engine/top_view.hpp"

#include "protocol/loose_members.hpp"

#include <algorithm>
#include <iterator>

namespace trunkline {

namespace {

/// Of what needs attention.
constexpr std::size_t sentences_max = 10;

const json_array& items_of(const json_value& answer, std::string_view key) {
  static const auto none = json_array{};
  const auto* list = answer.find(key);
  return list && list->as_array() ? *list->as_array() : none;
}

/// What others sent may hold what a terminal would obey, and letters of more than one byte.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text,
      [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return code < ' ' || code >= 0x7f;
      },
      '?');
  return text;
}

std::string text_in(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member ? member->as_string() : nullptr;
  return text ? printable(*text) : std::string{};
}

std::int64_t number_in(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* number = member ? member->as_int() : nullptr;
  return number ? *number : 0;
}

std::string with_commas(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = std::ssize(text) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

/// "22 min", "-" for no time.
std::string age_of(const json_value& object, std::string_view key, time_point now) {
  const auto at = parse_date_time(text_in(object, key));
  if (!at)
    return "-";
  const auto seconds =
      std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - *at).count());
  if (seconds < 100)
    return std::to_string(seconds) + " s";
  if (seconds < 6'000)
    return std::to_string(seconds / 60) + " min";
  return seconds < 172'800 ? std::to_string(seconds / 3'600) + " h"
                           : std::to_string(seconds / 86'400) + " d";
}

std::string column(std::string text, std::size_t width) {
  text.resize(width, ' ');
  return text + ' ';
}

std::string totals_of(const json_value& delivery, time_point now) {
  const auto* totals = delivery.find("totals");
  if (!totals)
    return "no totals";
  auto unwell = std::int64_t{0};
  if (const auto* states = totals->find("by_state"))
    for (const auto* state : {"slow", "suspended", "probing", "dormant", "dead"})
      unwell += number_in(*states, state);
  return with_commas(number_in(*totals, "waiting")) + " waiting, oldest " +
         age_of(*totals, "oldest_at", now) + "; " + with_commas(number_in(*totals, "in_flight")) +
         " in flight; " + with_commas(unwell) + " of " + with_commas(number_in(*totals, "hosts")) +
         " hosts not well; " + with_commas(number_in(*totals, "dead_letters")) + " dead letters";
}

std::string row_of(const json_value& host, time_point now) {
  const auto* paused = host.find("paused");
  auto state = text_in(host, "state");
  if (paused && paused->as_bool() && *paused->as_bool())
    state += ", paused";
  return column(text_in(host, "name"), 32) + column(state, 18) +
         column(with_commas(number_in(host, "backlog")), 11) +
         column(age_of(host, "oldest_at", now), 8) + text_in(host, "sentence");
}

/// Actors that keep a thread stand before hosts, because others wait for it.
std::vector<std::string> sentences_of(const json_value& delivery, time_point now) {
  auto sentences = std::vector<std::string>{};
  for (const auto& stuck : items_of(delivery, "stuck_actors"))
    sentences.push_back(text_in(stuck, "actor") + ": has kept a thread to itself for " +
                        age_of(stuck, "since", now));
  for (const auto& host : items_of(delivery, "attention"))
    sentences.push_back(text_in(host, "name") + ": " + text_in(host, "sentence"));
  sentences.resize(std::min(sentences.size(), sentences_max));
  return sentences;
}

} // namespace

std::string next_sort(const std::string& sort) {
  const auto found = std::ranges::find(top_sorts, sort);
  const auto next = found == std::end(top_sorts) ? std::begin(top_sorts) : std::next(found);
  return std::string{next == std::end(top_sorts) ? *std::begin(top_sorts) : *next};
}

std::vector<std::string> names_in(const json_value& hosts) {
  auto names = std::vector<std::string>{};
  for (const auto& host : items_of(hosts, "hosts"))
    if (names.size() < top_hosts_max)
      names.push_back(text_in(host, "name"));
  return names;
}

bool is_paused_in(const json_value& hosts, std::size_t index) {
  const auto& items = items_of(hosts, "hosts");
  const auto* paused = index < items.size() ? items[index].find("paused") : nullptr;
  return paused && paused->as_bool() && *paused->as_bool();
}

std::vector<top_line> draw_top(const json_value& delivery, const json_value& hosts,
                               const top_choice& choice, time_point now, std::size_t width,
                               std::size_t height) {
  auto lines = std::vector<top_line>{};
  const auto add = [&](std::string text, bool is_title = false, bool is_selected = false) {
    if (text.size() > width)
      text.resize(width);
    if (lines.size() < height)
      lines.push_back({std::move(text), is_selected, is_title});
  };
  add("Trunkline  " + totals_of(delivery, now), true);
  add("");
  add("NEEDS ATTENTION", true);
  const auto attention = sentences_of(delivery, now);
  for (const auto& sentence : attention)
    add("  " + sentence);
  if (attention.empty())
    add("  nothing: every host takes what it is sent");
  add("");
  add(column("HOST", 32) + column("STATE", 18) + column("WAITING", 11) + column("OLDEST", 8) +
          "WHAT IT DOES (by " + choice.sort + ")",
      true);
  const auto& rows = items_of(hosts, "hosts");
  for (auto index = std::size_t{0}; index < std::min(rows.size(), top_hosts_max); ++index)
    add(row_of(rows[index], now), false, index == choice.selected);
  add("");
  if (choice.is_typing)
    add("search: " + choice.search + "_");
  else
    add(choice.said.empty()
            ? "q quit  s sort  / search  up, down choose  p pause or resume  r retry"
            : choice.said);
  return lines;
}

} // namespace trunkline
