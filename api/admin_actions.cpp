#include "api/admin_actions.hpp"

#include "api/admin_services.hpp"
#include "api/handling.hpp"
#include "protocol/crypto.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t key_bytes_max = 255;

/// What a key stands for: the same words from the same operator.
std::string fingerprint_of(const matched_request& request) {
  const auto& http = request.http;
  return sha256(request.who.name + "\n" + std::string{to_string(http.method)} + " " + http.path +
                "?" + http.query + "\n" + http.body);
}

caf::error check_names(const matched_request& request,
                       std::initializer_list<std::string_view> fields) {
  auto known = std::string{"dry_run, reason"};
  for (const auto field : fields)
    known += ", " + std::string{field};
  for (const auto& [name, value] : request.params.values())
    if (name != "dry_run" && name != "reason" && std::ranges::find(fields, name) == fields.end())
      return make_error(errc::invalid, name + ": is no parameter of this; known are " + known);
  return {};
}

/// Only good answers and refusals are kept: what failed here may be tried again.
bool is_final(const http_response& answer) {
  return answer.status < 500;
}

/// Gives the action its reply. Tells whether it has one: not when the key has an answer.
bool take_key(gateway_state& gateway, const matched_request& request, const http_reply& reply,
              operator_action& action) {
  const auto key = std::string{request.http.header("Idempotency-Key")};
  action.reply = reply;
  if (key.empty())
    return true;
  if (key.size() > key_bytes_max) {
    refuse(gateway, reply,
           make_error(errc::invalid, "Idempotency-Key: must have at most 255 bytes"));
    return false;
  }
  const auto services = gateway.services;
  const auto name = request.who.name + "\n" + key;
  auto found = services->admin->answers.begin(name, fingerprint_of(request), services->clock());
  if (!found) {
    refuse(gateway, reply, found.error());
    return false;
  }
  if (*found) {
    reply(std::move(**found));
    return false;
  }
  const auto is_done_here = std::make_shared<std::atomic<bool>>(true);
  action.leaves = [is_done_here] { *is_done_here = false; };
  action.reply = http_reply{[services, name, reply, is_done_here](http_response answer) {
    if (*is_done_here && is_final(answer))
      services->admin->answers.keep(name, answer);
    else
      services->admin->answers.forget(name);
    reply(std::move(answer));
  }};
  return true;
}

} // namespace

caf::expected<audit_entry> entry_of(const matched_request& request, std::string action) {
  auto reason = request.params.get_string("reason");
  if (!reason)
    return std::move(reason.error());
  auto text = reason->value_or("");
  if (text.size() > audit_text_max)
    return make_error(errc::invalid, "reason: must have at most 1000 bytes");
  return audit_entry{
      .who = request.who.name, .action = std::move(action), .reason = std::move(text)};
}

std::optional<operator_action> begin_action(gateway_state& gateway, const matched_request& request,
                                            const http_reply& reply, std::string action,
                                            std::initializer_list<std::string_view> fields) {
  auto entry = entry_of(request, std::move(action));
  const auto dry_run = request.params.get_bool("dry_run");
  auto failure = check_names(request, fields);
  if (!failure && !entry)
    failure = entry.error();
  if (!failure && !dry_run)
    failure = dry_run.error();
  if (failure) {
    refuse(gateway, reply, failure);
    return std::nullopt;
  }
  auto begun = operator_action{
      .reply = {}, .leaves = {}, .dry_run = dry_run->value_or(false), .entry = std::move(*entry)};
  if (!take_key(gateway, request, reply, begun))
    return std::nullopt;
  return begun;
}

void finish_action(gateway_state& gateway, const operator_action& action, std::string target,
                   std::string detail, std::function<void()> then) {
  gateway.services->admin->glance.forget();
  if (action.dry_run)
    return then();
  auto entry = action.entry;
  entry.target = std::move(target);
  entry.detail = std::move(detail);
  ask(gateway, record_action(std::move(entry)), action.reply,
      [then = std::move(then)](caf::unit_t) { then(); });
}

} // namespace trunkline
