#include "engine/embedding/calls.hpp"

#include "engine/embedding/awaited.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/node.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/names.hpp"
#include "protocol/query_string.hpp"
#include "protocol/scopes.hpp"
#include "trunkline/engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t address_bytes_max = 512;

struct status_row {
  int status;
  failure_kind kind;
  const char* advice; ///< "" when it depends.
};

constexpr auto status_rows = std::to_array<status_row>({
    {401, failure_kind::forbidden, ""},
    {403, failure_kind::forbidden, ""},
    {404, failure_kind::not_found, ""},
    {409, failure_kind::conflict, ""},
    {410, failure_kind::not_found, ""},
    {413, failure_kind::too_large, ""},
    {429, failure_kind::rate_limited, "wait, and try again"},
    {503, failure_kind::unavailable, "try again"},
    {507, failure_kind::unavailable, "make room on the disk"},
});

status_row row_of(int status) {
  const auto found = std::ranges::find(status_rows, status, &status_row::status);
  if (found != status_rows.end())
    return *found;
  const auto is_ours = status >= 500;
  return {status, is_ours ? failure_kind::internal : failure_kind::invalid, ""};
}

http_request to_http(const call_request& request) {
  auto http = http_request{.method = request.method,
                           .path = request.path,
                           .query = request.query,
                           .headers = request.headers};
  if (!request.body.empty()) {
    http.headers.emplace_back("Content-Type", "application/json");
    http.body = to_json(request.body);
  }
  return http;
}

std::string first_word(const json_value& document) {
  for (const auto* name : {"error", "detail"})
    if (auto text = text_of(document.find(name)); !text.empty())
      return text;
  return "refused";
}

/// The reason as the filter gave it.
std::string without_prefix(const std::string& said) {
  constexpr auto prefix = std::string_view{"Validation failed: "};
  return said.starts_with(prefix) ? said.substr(prefix.size()) : said;
}

bool is_name_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '.';
}

/// "name" or "name@host"; one '@' may stand before it, as people write it.
std::optional<std::string> read_address(std::string_view text) {
  if (text.starts_with('@'))
    text.remove_prefix(1);
  const auto at = text.find('@');
  const auto name = text.substr(0, at);
  if (text.size() > address_bytes_max || name.empty() || !std::ranges::all_of(name, is_name_letter))
    return std::nullopt;
  if (at == std::string_view::npos)
    return std::string{text};
  const auto host = text.substr(at + 1);
  const auto port = host.starts_with('[') ? std::string_view::npos : host.rfind(':');
  if (!canonical_host(host.substr(0, port)))
    return std::nullopt;
  return std::string{text};
}

bool is_named(const json_value& account, const std::string& address) {
  return fold_name(text_of(account.find("acct"))) == fold_name(address);
}

} // namespace

call_entry entry_of(node& inside) {
  return {.client =
              [&inside](http_request request, std::shared_ptr<const caller> who, http_reply reply) {
                inside.handle(std::move(request), std::move(who), std::move(reply));
              },
          .admin =
              [&inside](http_request request, http_reply reply) {
                inside.handle_admin(std::move(request), std::move(reply));
              },
          .world = inside.world()};
}

std::optional<http_response> wait_for_answer(const std::function<void(http_reply)>& send,
                                             const std::shared_ptr<virtual_world>& world,
                                             std::chrono::milliseconds limit) {
  const auto answer = std::make_shared<awaited<http_response>>();
  send(http_reply{[answer](http_response given) { answer->give(std::move(given)); }});
  return answer->take(world, limit);
}

program_call::program_call(call_entry entry, std::string name)
    : entry_{std::move(entry)}, name_{std::move(name)}, world_began_{entry_.world
                                                                         ? entry_.world->now()
                                                                         : time_point{}} {}

std::chrono::milliseconds program_call::left() const {
  const auto gone = entry_.world ? std::chrono::nanoseconds{entry_.world->now() - world_began_}
                                 : std::chrono::steady_clock::now() - began_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(engine::call_limit - gone);
  return std::max(left, std::chrono::milliseconds{0});
}

failure program_call::fail(failure_kind kind, std::string what, std::string advice) const {
  return make_failure(kind, name_, std::move(what), std::move(advice));
}

failure program_call::refuse(std::string_view parameter, std::string what,
                             std::string advice) const {
  return make_failure(failure_kind::invalid, name_ + ": " + std::string{parameter}, std::move(what),
                      std::move(advice));
}

result<std::int64_t> program_call::read_id(std::string_view parameter,
                                           std::string_view text) const {
  const auto id = parse_id(text);
  if (!id)
    return refuse(parameter, "is no id", "give the decimal text that an earlier call returned");
  return *id;
}

result<json_value> program_call::ask(const call_request& request, account_id account) {
  const auto who = std::make_shared<const caller>(
      caller{.known = true, .account = account, .scopes = known_scopes(), .is_program = true});
  return read(wait_for_answer(
      [&](http_reply reply) { entry_.client(to_http(request), who, std::move(reply)); },
      entry_.world, left()));
}

result<json_value> program_call::ask_admin(const call_request& request) {
  return read(
      wait_for_answer([&](http_reply reply) { entry_.admin(to_http(request), std::move(reply)); },
                      entry_.world, left()));
}

result<json_value> program_call::read(const std::optional<http_response>& answer) const {
  if (!answer)
    return fail(failure_kind::timed_out, "no answer within the limit of a call",
                "look whether it was done before trying again");
  auto document = parse_json(answer->body);
  if (answer->status < 300)
    return document ? result<json_value>{std::move(*document)}
                    : fail(failure_kind::internal, "the answer is no JSON");
  const auto said = document ? first_word(*document) : "refused";
  if (document && document->find("rejected_by"))
    return fail(failure_kind::rejected, without_prefix(said),
                "the filter '" + text_of(document->find("rejected_by")) + "' decided so");
  const auto row = row_of(answer->status);
  return fail(row.kind, said, row.advice);
}

result<json_value> program_call::find(std::string_view address, account_id viewer) {
  const auto wanted = read_address(address);
  if (!wanted)
    return refuse("address",
                  "'" + std::string{address.substr(0, address_bytes_max)} + "' is no address",
                  "write \"name\", or \"name@host\" for an account elsewhere");
  const auto escaped = encode_percent(*wanted);
  auto known = ask({.path = "/api/v1/accounts/lookup", .query = "acct=" + escaped}, viewer);
  if (known || known.error().kind != failure_kind::not_found ||
      wanted->find('@') == std::string::npos)
    return known;
  const auto found =
      ask({.path = "/api/v2/search", .query = "type=accounts&limit=5&resolve=true&q=" + escaped},
          viewer);
  if (!found)
    return found.error();
  for (const auto& account : items_of(found->find("accounts")))
    if (is_named(account, *wanted))
      return account;
  return fail(failure_kind::not_found, "there is no account '" + *wanted + "'",
              "check the address; its server may be away");
}

} // namespace trunkline
