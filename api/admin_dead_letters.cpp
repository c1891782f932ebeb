#include "actors/messages.hpp"
#include "actors/queries_deliveries.hpp"
#include "api/admin_actions.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_known_host.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

constexpr std::size_t units_max = 500;

json_object render(const dead_letter& letter) {
  return {{"host", to_name(letter.address)},
          {"unit", to_text(letter.row.unit)},
          {"inbox", letter.url},
          {"author", to_string(letter.author)},
          {"author_name", text_or_null(letter.author_name)},
          {"kind", to_string(letter.kind)},
          {"object", to_string(letter.row.object)},
          {"class", word_of(letter.cls)},
          {"at", to_iso8601(letter.at)},
          {"attempts", letter.row.attempts},
          {"error", letter.row.error}};
}

void answer_list(gateway_state& gateway, const dead_letter_wish& wish, const std::string& link,
                 const http_reply& reply) {
  ask(gateway, ask_dead_letters(wish), reply,
      [reply, limit = wish.limit, link](const std::vector<dead_letter>& found) {
        auto list = json_array{};
        for (const auto& letter : found)
          list.emplace_back(render(letter));
        auto response = admin_answer_of(200, {{"dead_letters", std::move(list)}});
        if (found.size() == limit)
          add_next_page(response, link, to_text(found.back().row.unit));
        reply(std::move(response));
      });
}

caf::expected<std::vector<unit_key>> read_units(const matched_request& request) {
  const auto texts = request.params.get_strings("units");
  if (!texts)
    return texts.error();
  auto units = std::vector<unit_key>{};
  for (const auto& text : texts->value_or(std::vector<std::string>{})) {
    const auto unit = read_unit(text, "units");
    if (!unit)
      return unit.error();
    units.push_back(*unit);
  }
  if (*texts && units.empty())
    return make_error(errc::invalid, "units: is empty; leave it out for all of the host");
  if (units.size() > units_max)
    return make_error(errc::invalid, "units: must have at most 500");
  return units;
}

void run(gateway_state& gateway, const operator_action& action, const host_line& host,
         dead_letters_wish wish) {
  ask_region<operated_host>(
      gateway, gateway.services->hosts,
      operate_host{.host = host.address, .wish = std::move(wish), .dry_run = action.dry_run},
      action.reply, [&gateway, action, name = to_name(host.address)](const operated_host& came) {
        finish_action(gateway, action, name, std::to_string(came.units) + " dead letters",
                      [action, name, came] {
                        action.reply(admin_answer_of(200, {{"action", action.entry.action},
                                                           {"host", name},
                                                           {"dry_run", action.dry_run},
                                                           {"units", came.units},
                                                           {"is_all", came.is_all}}));
                      });
      });
}

void act(gateway_state& gateway, const matched_request& request, const http_reply& reply,
         bool discard) {
  const auto action =
      begin_action(gateway, request, reply,
                   discard ? "discard-dead-letters" : "replay-dead-letters", {"host", "units"});
  if (!action)
    return;
  const auto host = request.params.get_string("host");
  const auto units = read_units(request);
  if (!host || !units)
    return refuse(gateway, action->reply, host ? units.error() : host.error());
  if (!*host)
    return refuse(gateway, action->reply,
                  make_error(errc::invalid, "host: must be given; these are the dead letters of "
                                            "one host"));
  with_known_host(
      gateway,
      {.http = request.http, .name = **host, .reply = action->reply, .leaves = action->leaves},
      [&gateway, action = *action, wish = dead_letters_wish{.units = *units, .discard = discard}](
          const host_line& found) { run(gateway, action, found, wish); });
}

} // namespace

void list_given_up(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto wish = read_unit_page<dead_letter_wish>(request);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  const auto name = query_value(request, "host");
  const auto link = link_to_next(request);
  if (name.empty())
    return answer_list(gateway, *wish, link, reply);
  with_known_host(gateway, {.http = request.http, .name = name, .reply = reply},
                  [&gateway, wish = *wish, link, reply](const host_line& host) mutable {
                    wish.host = host.health.facts.id;
                    answer_list(gateway, wish, link, reply);
                  });
}

void replay_given_up(gateway_state& gateway, const matched_request& request, http_reply reply) {
  act(gateway, request, reply, false);
}

void discard_given_up(gateway_state& gateway, const matched_request& request, http_reply reply) {
  act(gateway, request, reply, true);
}

} // namespace trunkline
