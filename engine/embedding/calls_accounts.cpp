// Typed calls about accounts and who follows whom.
#include "engine/embedding/calls.hpp"
#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/entities_in.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/password.hpp"
#include "protocol/query_string.hpp"
#include "protocol/scopes.hpp"

namespace trunkline {

namespace {

result<account_card> to_account_card(const result<json_value>& answer) {
  if (!answer)
    return answer.error();
  return to_account_card(*answer);
}

/// Two accounts, and whose view it is.
struct pair_of_accounts {
  account_id viewer;
  std::string other; ///< Its id, as in a path.
};

result<pair_of_accounts> find_both(program_call& call, std::string_view account,
                                   std::string_view address) {
  const auto viewer = call.read_id("account", account);
  if (!viewer)
    return viewer.error();
  const auto other = call.find(address, account_id{*viewer});
  if (!other)
    return other.error();
  return pair_of_accounts{account_id{*viewer}, text_of(other->find("id"))};
}

/// `verb`: "follow" or "unfollow".
result<follow_state> change_follow(program_call call, std::string_view account,
                                   std::string_view address, const std::string& verb) {
  const auto both = find_both(call, account, address);
  if (!both)
    return both.error();
  const auto relation = call.ask(
      {.method = http_method::post, .path = "/api/v1/accounts/" + both->other + "/" + verb},
      both->viewer);
  if (!relation)
    return relation.error();
  return to_follow_state(*relation);
}

} // namespace

result<account_card> engine::create_account(const v0::new_account& draft) {
  auto call = program_call{entry_of(state_->inside), "create_account"};
  if (draft.name.empty())
    return call.refuse("name", "is empty", "give 1 to 30 letters, digits and '_'");
  if (draft.password.size() > password_bytes_max)
    return call.refuse("password", "is longer than 256 bytes");
  const auto made = call.ask_admin(
      {.method = http_method::post,
       .path = "/admin/v1/accounts",
       .body = {{"name", draft.name}, {"password", draft.password}, {"role", draft.role}}});
  if (!made)
    return made.error();
  return to_account_card(
      call.ask({.path = "/api/v1/accounts/" + text_of(made->find("id"))}, account_id{}));
}

result<std::string> engine::create_token(std::string_view account, std::string_view scopes) {
  auto call = program_call{entry_of(state_->inside), "create_token"};
  const auto id = call.read_id("account", account);
  if (!id)
    return id.error();
  const auto wanted = parse_scopes(scopes);
  if (!wanted || wanted->empty())
    return call.refuse("scopes", "has none, or one that does not exist",
                       "write them parted by spaces: \"read write follow\"");
  const auto made = call.ask_admin({.method = http_method::post,
                                    .path = "/admin/v1/accounts/" + std::to_string(*id) + ":token",
                                    .body = {{"scopes", to_string(*wanted)}}});
  if (!made)
    return made.error();
  return text_of(made->find("token"));
}

result<account_card> engine::find_account(std::string_view address) {
  auto call = program_call{entry_of(state_->inside), "find_account"};
  return to_account_card(call.find(address, account_id{}));
}

result<follow_state> engine::follow(std::string_view account, std::string_view address) {
  return change_follow({entry_of(state_->inside), "follow"}, account, address, "follow");
}

result<follow_state> engine::unfollow(std::string_view account, std::string_view address) {
  return change_follow({entry_of(state_->inside), "unfollow"}, account, address, "unfollow");
}

result<follow_state> engine::following(std::string_view account, std::string_view address) {
  auto call = program_call{entry_of(state_->inside), "following"};
  const auto both = find_both(call, account, address);
  if (!both)
    return both.error();
  const auto relations = call.ask(
      {.path = "/api/v1/accounts/relationships", .query = "id[]=" + both->other}, both->viewer);
  if (!relations)
    return relations.error();
  const auto items = items_of(&*relations);
  return items.empty() ? follow_state::none : to_follow_state(items.front());
}

} // namespace trunkline
