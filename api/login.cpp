#include "api/login.hpp"

#include "actors/queries_access.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

using continuation = std::function<void(const caf::expected<account_id>&)>;

/// Counts one more attempt of `key`; tells whether it is one too many.
bool is_guessing(const api_services& services, rate_limiter& attempts, const std::string& key) {
  return attempts.count(key, services.clock()).exceeded && !services.options.test_enabled;
}

void judge(const login_subject& subject, bool right, const continuation& then) {
  if (!right || !subject.account)
    return then(make_error(errc::unauthenticated, "Invalid e-mail address, name or password."));
  if (subject.disabled)
    return then(make_error(errc::forbidden, "Your login is currently disabled"));
  then(subject.account);
}

caf::error too_many() {
  return make_error(errc::rate_limited, "Too many attempts; try again later");
}

/// By the account, so that its name and its e-mail address are guessed for together; a name that
/// nobody has is counted as well, or the answer would tell.
std::string guessed_account(const login_subject& subject, const std::string& name) {
  return subject.account ? "account:" + to_string(subject.account) : "name:" + fold_name(name);
}

void check(gateway_state& gateway, const login_subject& subject, const login_attempt& attempt,
           const continuation& then) {
  auto& services = *gateway.services;
  if (is_guessing(services, services.logins_by_account, guessed_account(subject, attempt.name)))
    return then(too_many());
  gateway.self
      ->request(services.passwords, services.options.deadline,
                check_password{.password = attempt.password, .hash = subject.password_hash})
      .then([subject, then](bool right) { judge(subject, right, then); },
            [then](const caf::error& failure) { then(failure); });
}

} // namespace

void log_in(gateway_state& gateway, login_attempt attempt, continuation then) {
  auto& services = *gateway.services;
  if (is_guessing(services, services.logins_by_address, address_bucket(attempt.peer)))
    return then(too_many());
  ask_storage(
      gateway.self, services.storage, ask_login(attempt.name),
      [&gateway, attempt, then = std::move(then)](const caf::expected<login_subject>& subject) {
        if (!subject)
          return then(subject.error());
        check(gateway, *subject, attempt, then);
      });
}

} // namespace trunkline
