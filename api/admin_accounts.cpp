#include "actors/messages.hpp"
#include "actors/queries_admin.hpp"
#include "api/admin_actions.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"
#include "protocol/crypto.hpp"
#include "protocol/names.hpp"
#include "protocol/scopes.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::size_t token_name_bytes_max = 100;

/// argon2id, and whoever waits before it.
constexpr auto password_deadline = std::chrono::seconds{10};

json_value time_or_null(const std::optional<time_point>& at) {
  return at ? json_value{to_iso8601(*at)} : json_value{};
}

json_object render(const account_overview& account) {
  return {{"id", to_string(account.id)},
          {"name", account.name},
          {"role", account.role == account_role::admin ? "admin" : "user"},
          {"created_at", to_iso8601(account.created_at)},
          {"disabled_at", time_or_null(account.disabled_at)},
          {"deleted_at", time_or_null(account.deleted_at)},
          {"posts", account.posts},
          {"followers", account.followers},
          {"following", account.following},
          {"tokens", account.tokens}};
}

/// What a continuation needs to answer; copied into it.
struct answering {
  api_services_ptr services;
  http_reply reply;
  http_response (*error)(const caf::error&);

  void refuse(const caf::error& failure) const {
    services->counters.refused(code_of(failure));
    reply(error(failure));
  }

  /// Answers with the account, and with `secret` under `key` when there is one.
  void deliver(int status, const caf::expected<account_overview>& account, std::string_view key,
               const std::string& secret) const {
    if (!account)
      return refuse(account.error());
    auto content = render(*account);
    if (!key.empty())
      content[key] = secret;
    reply(admin_answer_of(status, content));
  }
};

answering answer_to(gateway_state& gateway, http_reply reply) {
  return {gateway.services, std::move(reply), gateway.flavour.error};
}

/// Reads the id of the path, or answers 404.
std::optional<account_id> account_in(const matched_request& request, const answering& answer) {
  const auto id = parse_id(request.segment());
  if (!id) {
    answer.refuse(make_error(errc::not_found, "account '" + request.segment() + "': not found"));
    return std::nullopt;
  }
  return account_id{*id};
}

/// Reads why, or answers that it is no reason.
std::optional<audit_entry> entry_for(const matched_request& request, account_id account,
                                     std::string_view action, const answering& answer) {
  auto entry = entry_of(request, std::string{action});
  if (!entry) {
    answer.refuse(entry.error());
    return std::nullopt;
  }
  entry->target = "account " + to_string(account);
  return std::move(*entry);
}

/// A change with its entry of the audit.
struct account_change {
  command<account_overview> change;
  audit_entry entry;
};

/// Makes the change and answers with the account it gives.
void change_account(gateway_state& gateway, account_change wanted, answering answer,
                    int status = 200, std::string_view key = {}, std::string secret = {}) {
  ask_storage(gateway.self, gateway.services->storage,
              audited(std::move(wanted.change), std::move(wanted.entry)),
              [answer = std::move(answer), status, key,
               secret = std::move(secret)](const caf::expected<account_overview>& account) {
                answer.deliver(status, account, key, secret);
              });
}

/// Makes a password, hashes it off the actors' threads, and calls `then(password, hash)`.
template <class Then>
void with_new_password(gateway_state& gateway, const answering& answer, Then then) {
  auto password = random_secret();
  gateway.self
      ->request(gateway.services->passwords, password_deadline, make_password_hash{password, {}})
      .then([then, password](const password_hash& hash) { then(password, hash.text); },
            [answer](const caf::error& failure) { answer.refuse(failure); });
}

/// What an operator says of the password of a new account.
struct wanted_password {
  bool is_given = false; ///< Else one is made, and answered.
  std::string text;      ///< "": nobody can log in.
};

caf::expected<wanted_password> read_password(const matched_request& request) {
  const auto body = read_body(request);
  if (!body)
    return body.error();
  auto text = text_member(*body, "password");
  if (!text)
    return text.error();
  const auto* member = body->find("password");
  return wanted_password{.is_given = member && !member->is_null(), .text = std::move(*text)};
}

/// Hashes a password that was given, and calls `then(hash)`.
template <class Then>
void with_hash(gateway_state& gateway, const std::string& password, const answering& answer,
               Then then) {
  if (password.empty())
    return then(std::string{});
  gateway.self
      ->request(gateway.services->passwords, password_deadline, make_password_hash{password, {}})
      .then([then](const password_hash& hash) { then(hash.text); },
            [answer](const caf::error& failure) { answer.refuse(failure); });
}

/// An operator may take a name that is kept from strangers, for an admin alone.
caf::expected<operator_account> read_new_account(const matched_request& request,
                                                 const api_services& services) {
  const auto body = read_body(request);
  if (!body)
    return body.error();
  const auto name = text_member(*body, "name");
  const auto role = text_member(*body, "role");
  if (!name || !role)
    return (name ? role : name).error();
  if (!role->empty() && *role != "user" && *role != "admin")
    return make_error(errc::invalid, "role: must be user or admin");
  const auto is_admin = *role == "admin";
  auto folded = fold_name(*name);
  if (auto checked = check_local_name(*name); !checked && !(is_admin && is_reserved_name(folded)))
    return checked.error();
  const auto id = services.admin->next_id();
  if (!id)
    return id.error();
  return operator_account{.id = account_id{*id},
                          .name = *name,
                          .folded = std::move(folded),
                          .uri = services.own_urls.actor(*name),
                          .role = is_admin ? account_role::admin : account_role::user,
                          .created_at = services.clock()};
}

void answer_page(const answering& answer, const caf::expected<std::vector<account_overview>>& found,
                 std::int64_t limit, const std::string& link) {
  if (!found)
    return answer.refuse(found.error());
  auto list = json_array{};
  for (const auto& account : *found)
    list.emplace_back(render(account));
  auto response = admin_answer_of(200, {{"accounts", std::move(list)}});
  if (static_cast<std::int64_t>(found->size()) == limit)
    add_next_page(response, link, to_string(found->back().id));
  answer.reply(std::move(response));
}

void set_disabled_state(gateway_state& gateway, const matched_request& request, http_reply reply,
                        bool disabled) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto account = account_in(request, answer);
  if (!account)
    return;
  if (const auto entry =
          entry_for(request, *account, disabled ? "disable-account" : "enable-account", answer))
    change_account(gateway, {disable_account(*account, disabled), *entry}, answer);
}

} // namespace

void list_accounts(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto limit = read_limit(request);
  if (!limit)
    return answer.refuse(limit.error());
  const auto after = query_value(request, "after");
  const auto id = after.empty() ? caf::expected<std::int64_t>{0} : parse_id(after);
  if (!id)
    return answer.refuse(make_error(errc::invalid, "after: must be an id"));
  const auto name = query_value(request, "name");
  auto question =
      name.empty() ? ask_accounts(account_id{*id}, *limit) : ask_accounts_named(fold_name(name));
  ask_storage(gateway.self, gateway.services->storage, std::move(question),
              [answer, limit = *limit, link = link_to_next(request)](
                  const caf::expected<std::vector<account_overview>>& found) {
                answer_page(answer, found, limit, link);
              });
}

void show_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto account = account_in(request, answer);
  if (!account)
    return;
  ask_storage(gateway.self, gateway.services->storage, ask_account(*account),
              [answer](const caf::expected<account_overview>& found) {
                answer.deliver(200, found, {}, {});
              });
}

void create_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  auto account = read_new_account(request, *gateway.services);
  if (!account)
    return answer.refuse(account.error());
  auto wanted = read_password(request);
  if (!wanted)
    return answer.refuse(wanted.error());
  auto entry = entry_for(request, account->id, "create-account", answer);
  if (!entry)
    return;
  entry->detail = account->name;
  const auto shown = wanted->is_given ? std::string{} : random_secret();
  with_hash(gateway, wanted->is_given ? wanted->text : shown, answer,
            [&gateway, answer, shown, account = std::move(*account),
             entry = std::move(*entry)](const std::string& hash) {
              auto made = account;
              made.password_hash = hash;
              change_account(gateway, {create_account(std::move(made)), entry}, answer, 201,
                             shown.empty() ? "" : "password", shown);
            });
}

void disable_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  set_disabled_state(gateway, request, std::move(reply), true);
}

void enable_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  set_disabled_state(gateway, request, std::move(reply), false);
}

void reset_password(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto account = account_in(request, answer);
  if (!account)
    return;
  const auto entry = entry_for(request, *account, "reset-password", answer);
  if (!entry)
    return;
  with_new_password(gateway, answer,
                    [&gateway, answer, account = *account,
                     entry = *entry](const std::string& password, const std::string& hash) {
                      change_account(gateway, {change_password(account, hash), entry}, answer, 200,
                                     "password", password);
                    });
}

void create_user_token(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto account = account_in(request, answer);
  if (!account)
    return;
  const auto body = read_body(request);
  if (!body)
    return answer.refuse(body.error());
  const auto wanted = text_member(*body, "scopes");
  if (!wanted)
    return answer.refuse(wanted.error());
  const auto scopes = parse_scopes(wanted->empty() ? "read write follow" : *wanted);
  if (!scopes)
    return answer.refuse(make_error(errc::invalid, "scopes: one is unknown"));
  auto entry = entry_for(request, *account, "create-token", answer);
  if (!entry)
    return;
  entry->detail = to_string(*scopes);
  auto token = random_secret();
  change_account(gateway, {create_user_token(*account, sha256(token), to_string(*scopes)), *entry},
                 answer, 200, "token", token);
}

void create_admin_token(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto answer = answer_to(gateway, std::move(reply));
  const auto body = read_body(request);
  if (!body)
    return answer.refuse(body.error());
  const auto scope = text_member(*body, "scope");
  const auto name = text_member(*body, "name");
  if (!scope || !name)
    return answer.refuse((scope ? name : scope).error());
  if (*scope != "read" && *scope != "operate")
    return answer.refuse(make_error(errc::invalid, "scope: must be read or operate"));
  if (name->size() > token_name_bytes_max)
    return answer.refuse(make_error(errc::invalid, "name: must have at most 100 bytes"));
  auto entry = entry_of(request, "create-admin-token");
  if (!entry)
    return answer.refuse(entry.error());
  entry->target = "token " + *name;
  entry->detail = *scope;
  auto token = random_secret();
  auto stored = audited(
      create_admin_token(sha256(token), *scope == "read" ? admin_scope::read : admin_scope::operate,
                         *name),
      *entry);
  ask_storage(gateway.self, gateway.services->storage, std::move(stored),
              [answer, token, scope = *scope](const caf::expected<admin_scope>& done) {
                if (!done)
                  return answer.refuse(done.error());
                answer.reply(admin_answer_of(201, {{"scope", scope}, {"token", token}}));
              });
}

} // namespace trunkline
