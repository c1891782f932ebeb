// The owner changes an account's profile.
#include "actors/messages.hpp"
#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

using field_list = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const json_value* value) {
  const auto* text = value ? value->as_string() : nullptr;
  return text ? *text : std::string{};
}

/// Reads `fields_attributes`: a list, or an object with the places as keys, as forms send it.
std::optional<field_list> read_fields(const request_params& params, param_reader& reader) {
  const auto* sent = params.find("fields_attributes");
  if (!sent || sent->is_null())
    return std::nullopt;
  auto fields = field_list{};
  const auto take = [&](const json_value& field) {
    auto name = text_of(field.find("name"));
    auto value = text_of(field.find("value"));
    if (!name.empty() || !value.empty())
      fields.emplace_back(std::move(name), std::move(value));
  };
  if (const auto* list = sent->as_array())
    for (const auto& field : *list)
      take(field);
  else if (const auto* places = sent->as_object())
    for (const auto& [place, field] : *places)
      take(field);
  else
    reader.fail(make_error(errc::invalid, "fields_attributes: must be a list"));
  return fields;
}

std::optional<visibility> read_default_visibility(param_reader& reader) {
  const auto word = reader.text("source.privacy");
  if (!word || word->empty())
    return std::nullopt;
  const auto seen_by = parse_visibility(*word);
  if (!seen_by || *seen_by == visibility::direct)
    reader.fail(make_error(errc::invalid, "source.privacy: must be public, unlisted or private"));
  return seen_by;
}

} // namespace

void update_credentials(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  if (!request.params.files().empty() || request.params.has("avatar") ||
      request.params.has("header"))
    reader.fail(make_error(errc::invalid, "Validation failed: pictures are not offered by this"
                                          " server"));
  auto changes = profile_changes{.display_name = reader.text("display_name"),
                                 .note = reader.text("note"),
                                 .locked = reader.flag("locked"),
                                 .bot = reader.flag("bot"),
                                 .discoverable = reader.flag("discoverable"),
                                 .fields = read_fields(request.params, reader),
                                 .default_visibility = read_default_visibility(reader),
                                 .default_sensitive = reader.flag("source.sensitive"),
                                 .default_language = reader.text("source.language")};
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto account = request.who.account;
  ask_region<caf::unit_t>(gateway, gateway.services->accounts,
                          change_profile{.account = account, .changes = std::move(changes)}, reply,
                          [&gateway, reply, account](caf::unit_t) {
                            ask(gateway, ask_own_account(account, gateway.services->counts), reply,
                                [&gateway, reply](const own_account_view& shown) {
                                  reply(json_response(to_entity(shown, gateway.services->here)));
                                });
                          });
}

} // namespace trunkline
