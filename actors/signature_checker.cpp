#include "actors/signature_checker.hpp"

#include "actors/messages.hpp"
#include "protocol/key_document.hpp"
#include "protocol/names.hpp"
#include "storage/host_store.hpp"

#include <caf/result.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace trunkline {

namespace {

caf::error about_key(errc code, const std::string& key_id, std::string_view what) {
  return make_error(code, "key " + key_id + ": " + std::string{what});
}

caf::error too_many(std::string_view what) {
  return make_error(errc::unavailable, "signatures: too many " + std::string{what});
}

caf::error does_not_fit(const std::string& key_id) {
  return about_key(errc::unauthenticated, key_id, "did not make this signature");
}

/// The context of what is gone is the key's id alone: whoever asked looks for its owner.
caf::error failure_of(errc code, const std::string& key_id) {
  if (code == errc::gone)
    return make_error(errc::gone, key_id);
  if (code == errc::unavailable || code == errc::timed_out)
    return about_key(errc::unauthenticated, key_id, "its host does not answer now; try again");
  return about_key(errc::unauthenticated, key_id, "was not found at its host");
}

/// The key decides what made the signature; a claim can only choose between its paddings.
bool verifies(const public_key& key, const signature_claim& claim, const std::string& base) {
  if (claim.scheme != signature_scheme::rfc9421)
    return key.verifies(base, claim.signature);
  if (claim.algorithm == "rsa-pss-sha512")
    return key.verifies_pss(base, claim.signature);
  return key.verifies(base, claim.signature) ||
         (claim.algorithm.empty() && key.verifies_pss(base, claim.signature));
}

bool fits(const public_key& key, const signature_claim& claim) {
  return verifies(key, claim, claim.base) ||
         (!claim.base_without_query.empty() && verifies(key, claim, claim.base_without_query));
}

/// Tells whether an RSA key may have made what the claim says.
bool is_of_rsa(const signature_claim& claim) {
  const auto& name = claim.algorithm;
  if (claim.scheme == signature_scheme::rfc9421)
    return name.empty() || name == "rsa-v1_5-sha256" || name == "rsa-pss-sha512";
  return name.empty() || name == "rsa-sha256" || name == "hs2019";
}

} // namespace

signature_checker_state::~signature_checker_state() {
  for (auto& [id, asked] : checks_)
    asked.answer.deliver(make_error(errc::unavailable, "signatures: shutting down"));
}

signature_checker_handle::behavior_type
signature_checker_state::make_behavior(signature_checker_dependencies dependencies,
                                       signature_checker_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  keys_ = recent_map<std::string, signer_ptr>{options_.keys_max};
  failures_ = recent_map<std::string, key_failure>{options_.failures_max};
  refetched_ = recent_map<std::string, steady_time>{options_.failures_max};
  new_hosts_ = new_host_limit{options_.new_hosts_max, options_.new_hosts_window};
  return {[this](const check_signature& wish) { return check(wish); }};
}

caf::result<verified_signer> signature_checker_state::check(const check_signature& wish) {
  if (checks_.size() >= options_.checks_max)
    return too_many("checks");
  auto claim = read_claim(wish);
  if (!claim)
    return std::move(claim.error());
  auto host = host_of_key(*claim);
  if (!host)
    return std::move(host.error());
  const auto id = ++last_check_;
  auto answer = self_->make_response_promise<verified_signer>();
  checks_.emplace(
      id, open_check{.claim = std::move(*claim), .host = std::move(*host), .answer = answer});
  line_.push_back(id);
  read_next();
  return answer;
}

/// What was signed for another server is no word to this one, however well it is signed.
caf::expected<signature_claim>
signature_checker_state::read_claim(const check_signature& wish) const {
  const auto& request = *wish.request;
  const auto& own = has_.fetch.own;
  const auto authority = fold_name(request.header("Host"));
  const auto addressed = parse_host_name(authority, own.scheme);
  if (!addressed || addressed->name != own.name || addressed->port != own.port)
    return make_error(errc::unauthenticated, "Host: is not " + to_name(own));
  const auto target = request.query.empty() ? request.path : request.path + "?" + request.query;
  auto claim = read_signature({.method = to_string(request.method),
                               .target = target,
                               .scheme = own.scheme,
                               .authority = authority,
                               .headers = request.headers,
                               .body = request.body,
                               .has_body = wish.has_body},
                              options_.policy, has_.clock());
  if (claim && !is_of_rsa(*claim))
    return make_error(errc::unauthenticated, "Signature: its algorithm is none of RSA's");
  return claim;
}

caf::expected<host_address>
signature_checker_state::host_of_key(const signature_claim& claim) const {
  auto url = parse_remote_url(claim.key_id, has_.fetch.rules);
  if (!url)
    return make_error(errc::unauthenticated, "Signature: keyId is no URL that a key may have");
  const auto& own = has_.fetch.own;
  if (url->host.name == own.name && url->host.port == own.port)
    return make_error(errc::unauthenticated, "Signature: its key is of this server");
  return std::move(url->host);
}

/// Asks storage about the next checks in line: who is blocked and which key counts may have changed
/// since the last one.
void signature_checker_state::read_next() {
  while (reading_ < options_.reads_max && !line_.empty()) {
    const auto id = line_.front();
    line_.pop_front();
    const auto& asked = checks_.at(id);
    const auto* cached = keys_.find(asked.claim.key_id);
    auto key = named_key{.key_id = asked.claim.key_id,
                         .host = asked.host.name,
                         .actor = cached ? (*cached)->actor : ""};
    ++reading_;
    ask_storage(self_, has_.storage,
                query<key_standing>{[key = std::move(key), host = asked.host](database& db) {
                  return find_standing(db, key, host);
                }},
                [this, id](const caf::expected<key_standing>& standing) {
                  --reading_;
                  take_known(id, standing);
                  read_next();
                });
  }
}

/// The host of an account that is known is known too.
caf::expected<signature_checker_state::key_standing>
signature_checker_state::find_standing(database& db, const named_key& key,
                                       const host_address& host) {
  auto signer = find_signer(db, key);
  if (!signer)
    return std::move(signer.error());
  if (signer->host_blocked || !signer->actor.empty())
    return key_standing{.signer = std::move(*signer)};
  const auto row = find_host(db, host);
  if (!row)
    return row.error();
  return key_standing{.signer = std::move(*signer), .is_host_known = row->has_value()};
}

void signature_checker_state::take_known(check_id id, const caf::expected<key_standing>& standing) {
  if (!standing)
    return refuse(id, standing.error());
  const auto& known = standing->signer;
  const auto& asked = checks_.at(id);
  if (known.host_blocked || known.suspended)
    return judge(id, known, nullptr);
  const auto key = find_key(asked, known);
  if (key && fits(key->key, asked.claim))
    return accept(id, key->actor);
  fetch_for(id, key != nullptr, standing->is_host_known);
}

/// Returns the key that counts as far as it is known: the stored one, which an Update may have
/// replaced, before the one that was fetched.
signature_checker_state::signer_ptr signature_checker_state::find_key(const open_check& asked,
                                                                      const known_signer& known) {
  const auto& key_id = asked.claim.key_id;
  const auto* cached = keys_.find(key_id);
  const auto is_stored = known.key_id == key_id && !known.pem.empty();
  if (!is_stored || (cached && (*cached)->pem == known.pem && (*cached)->actor == known.actor))
    return cached ? *cached : nullptr;
  auto key = public_key::parse(known.pem);
  if (!key)
    return nullptr;
  return keys_.put(key_id,
                   std::make_shared<const signer>(signer{known.actor, known.pem, std::move(*key)}));
}

/// Lets a check wait for its key, which is fetched unless it is on its way.
void signature_checker_state::fetch_for(check_id id, bool is_known, bool is_host_known) {
  const auto& asked = checks_.at(id);
  const auto& key_id = asked.claim.key_id;
  if (waiters_for(asked.host) >= options_.host_waiters_max)
    return refuse(id, too_many("checks for keys of " + asked.host.name));
  if (const auto under_way = fetches_.find(key_id); under_way != fetches_.end()) {
    auto& waiting = under_way->second.waiting;
    if (waiting.size() >= options_.key_waiters_max)
      return refuse(id, too_many("checks of one key"));
    waiting.push_back(id);
    return;
  }
  if (auto failure = refuse_fetch(asked, is_known, is_host_known))
    return refuse(id, std::move(failure));
  begin_fetch(id);
}

/// A host whose documents hang must not take the checks of all others.
std::size_t signature_checker_state::waiters_for(const host_address& host) const {
  auto count = std::size_t{0};
  for (const auto& [key_id, fetch] : fetches_) // at most `fetches_max`
    if (fetch.host == host)
      count += fetch.waiting.size();
  return count;
}

/// Returns why the key is not fetched now, if it is not.
caf::error signature_checker_state::refuse_fetch(const open_check& asked, bool is_known,
                                                 bool is_host_known) {
  const auto& key_id = asked.claim.key_id;
  const auto now = self_->clock().now();
  const auto* failure = failures_.find(key_id);
  if (failure && now < failure->until)
    return failure_of(failure->code, key_id);
  const auto* last = refetched_.find(key_id);
  if (is_known && last && now - *last < options_.refetch_interval)
    return does_not_fit(key_id);
  if (fetches_.size() >= options_.fetches_max)
    return too_many("keys are on their way");
  const auto of_host = host_fetches_.find(asked.host.name);
  if (of_host != host_fetches_.end() && of_host->second >= options_.host_fetches_max)
    return too_many("keys of " + asked.host.name + " are on their way");
  if (!is_host_known && !has_.fetch.rules.allow_http && !new_hosts_.admits(asked.host.name, now))
    return too_many("hosts of the domain of " + asked.host.name + " are new");
  return {};
}

void signature_checker_state::begin_fetch(check_id id) {
  const auto& asked = checks_.at(id);
  const auto key_id = asked.claim.key_id;
  fetches_.emplace(key_id, key_fetch{.host = asked.host, .waiting = {id}});
  ++host_fetches_[asked.host.name];
  ask_document(key_id, key_id, false);
}

void signature_checker_state::ask_document(const std::string& key_id, std::string url,
                                           bool is_owner) {
  fetch_activity_document(self_, has_.fetch,
                          document_wish{.url = std::move(url),
                                        .same_origin = true,
                                        .bytes_max = options_.document_bytes_max},
                          [this, key_id, is_owner](const caf::expected<activity_document>& found) {
                            take_document(key_id, is_owner, found);
                          });
}

/// A key by itself only names its owner; what the owner's document says counts.
void signature_checker_state::take_document(const std::string& key_id, bool is_owner,
                                            const caf::expected<activity_document>& found) {
  if (!found)
    return fail_fetch(key_id, found.error());
  auto told = read_key_document(found->body, key_id);
  if (!told)
    return fail_fetch(key_id, told.error());
  if (told->pem.empty() && !is_owner)
    return ask_document(key_id, std::move(told->actor), true);
  auto key = public_key::parse(told->pem);
  if (!key)
    return fail_fetch(key_id, key.error());
  store(key_id, std::make_shared<const signer>(
                    signer{std::move(told->actor), std::move(told->pem), std::move(*key)}));
}

/// Puts the key back to its account, if that is known, before anything is answered: the stored key
/// is the one that counts.
void signature_checker_state::store(const std::string& key_id, signer_ptr fetched) {
  auto name =
      named_key{.key_id = key_id, .host = fetches_.at(key_id).host.name, .actor = fetched->actor};
  ask_storage(
      self_, has_.storage,
      command<known_signer>{
          [fetched, name = std::move(name)](write_context& context) -> caf::expected<known_signer> {
            auto& db = context.db;
            const auto stored = store_signer_key(db, {fetched->actor, name.key_id, fetched->pem});
            if (!stored)
              return stored.error();
            return find_signer(db, name);
          }},
      [this, key_id, fetched](const caf::expected<known_signer>& stored) {
        take_stored(key_id, fetched, stored);
      });
}

void signature_checker_state::take_stored(const std::string& key_id, const signer_ptr& fetched,
                                          const caf::expected<known_signer>& stored) {
  const auto waiting = end_fetch(key_id);
  if (!stored) {
    for (const auto id : waiting)
      refuse(id, stored.error());
    return;
  }
  failures_.erase(key_id);
  keys_.put(key_id, fetched);
  for (const auto id : waiting)
    judge(id, *stored, fetched);
}

void signature_checker_state::fail_fetch(const std::string& key_id, const caf::error& failure) {
  const auto code = code_of(failure);
  const auto* before = failures_.find(key_id);
  const auto kept =
      before ? std::min(before->kept * 2, options_.failure_kept_max) : options_.failure_kept_min;
  const auto now = self_->clock().now();
  auto until = steady_time{now + kept};
  if (const auto end = until_of(failure))
    until = std::min<steady_time>(until, now + (*end - has_.clock()));
  failures_.put(key_id, {.code = code, .until = until, .kept = kept});
  refetched_.erase(key_id); // `failures_` says when it may be fetched again
  for (const auto id : end_fetch(key_id))
    refuse(id, failure_of(code, key_id));
}

std::vector<signature_checker_state::check_id>
signature_checker_state::end_fetch(const std::string& key_id) {
  const auto ended = fetches_.extract(key_id);
  const auto of_host = host_fetches_.find(ended.mapped().host.name);
  if (--of_host->second == 0)
    host_fetches_.erase(of_host);
  return std::move(ended.mapped().waiting);
}

void signature_checker_state::judge(check_id id, const known_signer& known, const signer_ptr& key) {
  const auto& asked = checks_.at(id);
  const auto& key_id = asked.claim.key_id;
  if (known.host_blocked)
    return refuse(id, about_key(errc::forbidden, key_id, "its host is blocked"));
  if (known.suspended)
    return refuse(id, about_key(errc::forbidden, key_id, "its owner is suspended"));
  if (fits(key->key, asked.claim))
    return accept(id, key->actor);
  refetched_.put(key_id, self_->clock().now()); // it is as new as can be
  refuse(id, does_not_fit(key_id));
}

void signature_checker_state::accept(check_id id, const std::string& actor) {
  auto ended = checks_.extract(id);
  auto& asked = ended.mapped();
  asked.answer.deliver(verified_signer{
      .key_id = std::move(asked.claim.key_id), .actor = actor, .host = std::move(asked.host)});
}

void signature_checker_state::refuse(check_id id, caf::error failure) {
  auto ended = checks_.extract(id);
  ended.mapped().answer.deliver(std::move(failure));
}

signature_checker_handle::behavior_type
signature_checker(watched_pointer<signature_checker_handle, signature_checker_state> self,
                  signature_checker_dependencies dependencies, signature_checker_options options) {
  self->set_label("signature_checker");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
