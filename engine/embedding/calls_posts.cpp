// Typed calls about single posts.
#include "engine/embedding/calls.hpp"
#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/entities_in.hpp"

#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// What is wrong with a draft, that the API would not name as the program knows it.
std::optional<failure> find_problem(const program_call& call, const new_post& draft) {
  if (is_blank(draft.text))
    return call.refuse("text", "is empty");
  if (!draft.reply_to_id.empty())
    if (const auto id = call.read_id("reply_to_id", draft.reply_to_id); !id)
      return id.error();
  if (draft.idempotency_key.size() > idempotency_key_bytes_max ||
      draft.idempotency_key.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
    return call.refuse("idempotency_key", "is longer than 255 bytes, or has a line break");
  if (draft.visibility > post_visibility::direct)
    return call.refuse("visibility", "has a value that does not exist");
  return std::nullopt;
}

json_object body_of(const new_post& draft) {
  auto body = json_object{
      {"status", draft.text}, {"spoiler_text", draft.spoiler}, {"sensitive", draft.sensitive}};
  if (!draft.language.empty())
    body["language"] = draft.language;
  return body;
}

result<post_card> to_post_card(const result<json_value>& answer) {
  if (!answer)
    return answer.error();
  return to_post_card(*answer);
}

struct post_place {
  account_id account;
  std::string path; ///< Of the post in the API.
};

result<post_place> find_place(const program_call& call, std::string_view account,
                              std::string_view post) {
  const auto who = call.read_id("account", account);
  if (!who)
    return who.error();
  const auto id = call.read_id("post", post);
  if (!id)
    return id.error();
  return post_place{account_id{*who}, "/api/v1/statuses/" + std::to_string(*id)};
}

/// Asks about a post; `verb` is "" or what follows its path: "/reblog".
result<json_value> ask_about(program_call call, http_method method, std::string_view account,
                             std::string_view post, const std::string& verb = "") {
  const auto place = find_place(call, account, post);
  if (!place)
    return place.error();
  return call.ask({.method = method, .path = place->path + verb}, place->account);
}

} // namespace

result<post_card> engine::post(std::string_view account, const new_post& draft) {
  auto call = program_call{entry_of(state_->inside), "post"};
  const auto who = call.read_id("account", account);
  if (!who)
    return who.error();
  if (auto problem = find_problem(call, draft))
    return *problem;
  auto request =
      call_request{.method = http_method::post, .path = "/api/v1/statuses", .body = body_of(draft)};
  request.body["visibility"] = word_of(draft.visibility);
  if (!draft.reply_to_id.empty())
    request.body["in_reply_to_id"] = draft.reply_to_id;
  if (!draft.idempotency_key.empty())
    request.headers.emplace_back("Idempotency-Key", draft.idempotency_key);
  return to_post_card(call.ask(request, account_id{*who}));
}

result<post_card> engine::edit(std::string_view account, std::string_view post,
                               const new_post& draft) {
  auto call = program_call{entry_of(state_->inside), "edit"};
  const auto place = find_place(call, account, post);
  if (!place)
    return place.error();
  if (is_blank(draft.text))
    return call.refuse("text", "is empty");
  return to_post_card(call.ask(
      {.method = http_method::put, .path = place->path, .body = body_of(draft)}, place->account));
}

result<bool> engine::delete_post(std::string_view account, std::string_view post) {
  const auto gone =
      ask_about({entry_of(state_->inside), "delete_post"}, http_method::del, account, post);
  if (!gone)
    return gone.error();
  return true;
}

result<post_card> engine::boost(std::string_view account, std::string_view post) {
  return to_post_card(
      ask_about({entry_of(state_->inside), "boost"}, http_method::post, account, post, "/reblog"));
}

result<post_card> engine::favourite(std::string_view account, std::string_view post) {
  return to_post_card(ask_about({entry_of(state_->inside), "favourite"}, http_method::post, account,
                                post, "/favourite"));
}

result<post_card> engine::read_post(std::string_view account, std::string_view post) {
  return to_post_card(
      ask_about({entry_of(state_->inside), "read_post"}, http_method::get, account, post));
}

} // namespace trunkline
