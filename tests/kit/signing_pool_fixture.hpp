/// A signing pool with its storage and keys, and readers that keep it waiting.
#pragma once

#include "actors/signing_pool.hpp"

#include "actors/housekeeper.hpp"
#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <catch2/catch.hpp>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <optional>
#include <random>
#include <utility>

namespace trunkline::kit::signing_pool_scene {

using namespace std::chrono_literals;
using namespace std::string_literals;

inline constexpr auto first_author = account_id{7};
inline constexpr auto second_author = account_id{8};
inline constexpr auto far = account_id{20};
inline const auto secret = std::string(32, 's');
inline const auto target = "https://far.example/inbox?x=1"s;

/// Keys are costly to make: two are enough for all tests.
inline const made_key& some_key() {
  static const auto key = make_key(secret);
  return key;
}
inline const made_key& other_key() {
  static const auto key = make_key(secret);
  return key;
}

struct pool_fixture {
  kit::deterministic_system actors;
  kit::test_storage storage;
  storage_handles handles = storage.start(actors);
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<key_cache> keys = std::make_shared<key_cache>(position);
  signing_handle pool;

  explicit pool_fixture(std::uint64_t seed = 5) : actors{seed} {
    run("INSERT INTO account(id, name, folded, uri, created_at) VALUES"
        " (7, 'Alice', 'first_author', 'https://own.example/users/Alice', 1),"
        " (8, 'second_author', 'second_author', 'https://own.example/users/second_author', 1)");
    run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
        " VALUES (20, 3, 'far', 'far', 'https://far.example/far', 1)");
    follow_log();
    pool = start_pool();
  }

  signing_pool_dependencies needs() {
    return {.storage = handles,
            .keys = keys,
            .secret_key = secret,
            .urls = {"https://own.example"},
            .clock = actors.clock()};
  }
  signing_handle start_pool(signing_pool_options options = {}) {
    options.detached = false;
    return actors.spawn(signing_pool, needs(), options);
  }

  void run(const std::string& sql) { REQUIRE(storage.db().run(sql)); }

  /// The log is followed for an hour, whatever the clock says.
  void follow_log() { position->tick(log_position::steady_time{24h * 365}); }

  void give_key(account_id owner, const made_key& key) {
    REQUIRE(store_first_key(storage.db(), owner, key.pair));
  }
  /// What the account's own actor does, and what the fan-out tells.
  void rotate(account_id owner, const made_key& key, bool tell = true) {
    REQUIRE(replace_key(storage.db(), owner, key.pair, actors.now()));
    if (tell)
      keys->apply({.kind = log_kind::rotate_key,
                   .author = owner,
                   .object = {object_kind::account, 0, owner.value}});
  }

  static sign_request post_by(account_id signer) {
    return {.signer = signer,
            .method = http_method::post,
            .url = target,
            .body = std::make_shared<const std::string>("{}"),
            .body_sha256 = {}};
  }

  caf::expected<http_headers> sign(const sign_request& wish) {
    auto made = actors.ask<signed_headers>(pool, wish);
    if (!made)
      return std::move(made.error());
    return std::move(made->headers);
  }

  std::string key_of(account_id owner) {
    const auto key = actors.ask<public_key_text>(pool, ask_public_key{owner});
    REQUIRE(key);
    return key->pem;
  }
  errc refusal(account_id owner) {
    const auto key = actors.ask<public_key_text>(pool, ask_public_key{owner});
    REQUIRE_FALSE(key);
    const auto made = sign(post_by(owner));
    REQUIRE_FALSE(made);
    CHECK(code_of(made.error()) == code_of(key.error()));
    return code_of(key.error());
  }

  /// Reads what was signed, as the receiver does.
  signature_claim claim_of(const sign_request& wish, http_headers headers) {
    headers.emplace_back("Host", "far.example");
    const auto claim = read_signature({.method = to_string(wish.method),
                                       .target = "/inbox?x=1",
                                       .scheme = "https",
                                       .authority = "far.example",
                                       .headers = headers,
                                       .body = wish.body ? std::string_view{*wish.body} : "",
                                       .has_body = wish.body != nullptr},
                                      {}, actors.now());
    if (!claim)
      FAIL(context_of(claim.error()));
    return *claim;
  }

  bool made_it(const made_key& key, const sign_request& wish, const http_headers& headers) {
    const auto claim = claim_of(wish, headers);
    const auto verifier = public_key::parse(key.pair.public_pem);
    REQUIRE(verifier);
    return verifier->verifies(claim.base, claim.signature);
  }
  bool is_signed_by(const sign_request& wish, const made_key& key) {
    const auto made = sign(wish);
    REQUIRE(made);
    return made_it(key, wish, *made);
  }
};

/// A reader that keeps what it is asked.
inline reader_handle::behavior_type silent_reader(reader_handle::pointer self) {
  using kept = std::vector<caf::typed_response_promise<caf::unit_t>>;
  return {[self, asked = std::make_shared<kept>()](const read_job&) -> caf::result<void> {
    asked->push_back(self->make_response_promise<caf::unit_t>());
    return asked->back();
  }};
}

/// A reader that runs what it is asked at once, and answers when it gets an empty job.
struct held_answers {
  std::unique_ptr<database> db;
  std::vector<caf::typed_response_promise<caf::unit_t>> held;
};

inline reader_handle::behavior_type slow_reader(reader_handle::pointer self,
                                                std::shared_ptr<held_answers> answers) {
  return {[self, answers](const read_job& job) -> caf::result<void> {
    if (!job.run) {
      for (auto& answer : std::exchange(answers->held, {}))
        answer.deliver(caf::unit);
      return caf::unit;
    }
    job.run(*answers->db);
    answers->held.push_back(self->make_response_promise<caf::unit_t>());
    return answers->held.back();
  }};
}

} // namespace trunkline::kit::signing_pool_scene
