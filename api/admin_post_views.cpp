#include "api/admin_post_views.hpp"

#include "api/admin_host_views.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace trunkline {

namespace {

constexpr auto state_words = std::to_array<std::string_view>(
    {"dead", "exception", "pending", "cancelled", "unclear", "delivered"});
static_assert(state_words.size() == post_states);

/// Of what a flush leaves alone a post has its Delete, and a boost its Undo.
bool outlives_flush(log_kind kind) {
  return kind == log_kind::remove || kind == log_kind::undo_announce;
}

/// What has become of a unit that no books count as open. Of what nobody could tell who delivers to
/// the host, nothing is said that may be wrong.
post_state kept_state(const post_unit& unit, log_kind kind, const post_host_standing& host) {
  if (unit.exception)
    return unit.exception->status == exception_status::dead ? post_state::dead
                                                            : post_state::exception;
  if (host.line && host.line->health.facts.drains(unit.seq))
    return post_state::cancelled;
  if (host.is_unheard)
    return post_state::unclear;
  const auto flushed_upto = host.line ? host.line->health.facts.flushed_upto : 0;
  return unit.seq <= flushed_upto && !outlives_flush(kind) ? post_state::unclear
                                                           : post_state::delivered;
}

using rows_by_seq = std::map<log_seq, const post_row*>;

rows_by_seq by_seq(const post_deliveries& found) {
  auto rows = rows_by_seq{};
  for (const auto& row : found.rows)
    rows.emplace(row.seq, &row);
  return rows;
}

/// Tells whether the books are asked about the unit.
bool is_asked(const post_unit& unit, const rows_by_seq& rows) {
  return !unit.exception && rows.contains(unit.seq);
}

std::string_view why_of(post_state state) {
  switch (state) {
  case post_state::dead:
    return "given up; a dead letter may be replayed";
  case post_state::exception:
    return "it failed while others were taken; it is tried again by itself";
  case post_state::pending:
    return "waits";
  case post_state::cancelled:
    return "the host was drained then";
  case post_state::unclear:
    return "delivered, or cancelled by a flush since then";
  case post_state::delivered:
    return "";
  }
  return "";
}

json_object render(const post_unit_standing& unit) {
  auto shown =
      json_object{{"unit", to_text({.seq = unit.unit.seq, .endpoint = unit.unit.endpoint})},
                  {"kind", to_string(unit.kind)},
                  {"inbox", unit.unit.url},
                  {"state", to_string(unit.state)}};
  if (const auto& exception = unit.unit.exception) {
    shown["attempts"] = exception->attempts;
    shown["error"] = text_or_null(exception->error);
    shown["next_try_at"] = time_or_null(exception->next_try_at);
  }
  return shown;
}

/// When something of it is tried next: an exception has a clock of its own.
std::optional<time_point> next_try_of(const post_host_standing& host) {
  auto next = std::optional<time_point>{};
  for (const auto& unit : host.units)
    if (unit.state == post_state::exception && unit.unit.exception->next_try_at)
      next = std::min(next.value_or(time_point::max()), *unit.unit.exception->next_try_at);
  if (host.state == post_state::pending && host.line && !host.line->health.facts.paused)
    next = host.line->health.facts.next_try_at;
  return next;
}

std::string error_of(const post_host_standing& host) {
  for (const auto& unit : host.units)
    if (unit.state == host.state && unit.unit.exception)
      return unit.unit.exception->error;
  return "";
}

json_object totals_of(const post_standing& standing, const post_deliveries& found) {
  auto counts = std::array<std::int64_t, post_states>{};
  for (const auto& host : standing.hosts)
    ++counts[static_cast<std::size_t>(host.state)];
  auto totals = json_object{{"hosts", found.hosts}, {"units", found.units}};
  for (auto code = post_states; code-- > 0;)
    totals[state_words[code]] = counts[code];
  return totals;
}

json_array render(const std::vector<post_row>& rows) {
  auto list = json_array{};
  for (const auto& row : rows)
    list.emplace_back(json_object{{"row", row.seq},
                                  {"kind", to_string(row.kind)},
                                  {"at", to_iso8601(row.at)},
                                  {"class", word_of(row.cls)},
                                  {"public", row.is_public},
                                  {"endpoints", row.endpoints}});
  return list;
}

} // namespace

std::string_view to_string(post_state state) {
  return state_words[static_cast<std::size_t>(state)];
}

std::optional<post_state> post_state_of(std::string_view word) {
  const auto* found = std::ranges::find(state_words, word);
  if (found == state_words.end())
    return std::nullopt;
  return static_cast<post_state>(found - state_words.begin());
}

ask_open_units questions_about(const post_deliveries& found) {
  const auto rows = by_seq(found);
  auto wish = ask_open_units{};
  for (const auto& host : found.page)
    for (const auto& unit : host.units)
      if (is_asked(unit, rows))
        wish.units.push_back({.host = host.id,
                              .cls = rows.at(unit.seq)->cls,
                              .unit = {.seq = unit.seq, .endpoint = unit.endpoint},
                              .address = host.address});
  return wish;
}

post_standing standing_of(const post_deliveries& found, const books_word& books,
                          const line_finder& line_of) {
  const auto rows = by_seq(found);
  auto standing = post_standing{.totals = {}, .rows = render(found.rows), .hosts = {}};
  auto answer = books.open.begin();
  for (const auto& host : found.page) {
    auto& shown = standing.hosts.emplace_back();
    shown.address = host.address;
    shown.line = line_of ? line_of(host.address) : std::nullopt;
    shown.is_unheard = books.is_unheard && books.is_unheard(host.address);
    for (const auto& unit : host.units) {
      const auto row = rows.find(unit.seq);
      const auto kind = row == rows.end() ? log_kind::create : row->second->kind;
      const auto is_open = is_asked(unit, rows) && answer != books.open.end() && *answer++;
      const auto waits = !unit.exception && (is_open || unit.seq > books.dispatched);
      const auto state = waits ? post_state::pending : kept_state(unit, kind, shown);
      shown.units.push_back({.unit = unit, .kind = kind, .state = state});
      shown.state = std::min(shown.state, state);
    }
  }
  std::ranges::sort(standing.hosts, {}, [](const auto& host) { return place_of(host); });
  standing.totals = totals_of(standing, found);
  standing.is_all = std::ssize(found.page) == found.hosts;
  return standing;
}

json_object render(const post_host_standing& host, time_point now) {
  auto units = json_array{};
  for (const auto& unit : host.units)
    units.emplace_back(render(unit));
  auto why = std::string{why_of(host.state)};
  if (host.state == post_state::unclear && host.is_unheard)
    why = "the node that delivers to it does not answer";
  if (host.state == post_state::pending && host.line)
    why = sentence_of(*host.line, now);
  if (const auto error = error_of(host); !error.empty())
    why += ": " + error;
  return {
      {"name", to_name(host.address)},
      {"state", to_string(host.state)},
      {"why", text_or_null(std::move(why))},
      {"next_try_at", time_or_null(next_try_of(host))},
      {"host_state", host.line ? json_value{to_string(host.line->health.facts.state)} : nullptr},
      {"paused", host.line && host.line->health.facts.paused},
      {"units", std::move(units)}};
}

post_recipient place_of(const post_host_standing& host) {
  return {.state = host.state, .name = to_name(host.address)};
}

std::string to_mark(const post_recipient& place) {
  return std::string{to_string(place.state)} + ":" + place.name;
}

caf::expected<post_recipient> read_place(const std::string& mark) {
  const auto colon = std::min(mark.find(':'), mark.size());
  const auto state = post_state_of(mark.substr(0, colon));
  if (!state || colon + 1 >= mark.size())
    return make_error(errc::invalid, "after: must be what the last page's link says");
  return post_recipient{.state = *state, .name = mark.substr(colon + 1)};
}

} // namespace trunkline
