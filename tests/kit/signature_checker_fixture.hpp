/// A signature checker with its storage and scripted hosts that serve keys.
#pragma once

#include "actors/signature_checker.hpp"

#include "actors/messages.hpp"
#include "actors/signing_work.hpp"
#include "kit/fake_hosts.hpp"
#include "kit/remote_rows.hpp"
#include "kit/test_storage.hpp"
#include "storage/domain_block_store.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace trunkline::kit::signature_checker_scene {

using namespace std::chrono_literals;
using namespace std::string_literals;

inline const auto ann = "https://far.example/ann"s;
inline const auto ann_key = ann + "#main-key";

/// Keys are costly to make: two are enough for all tests.
inline const made_key& old_key() {
  static const auto key = make_key(std::string(32, 's'));
  return key;
}
inline const made_key& new_key() {
  static const auto key = make_key(std::string(32, 's'));
  return key;
}

inline json_object key_object(const std::string& id, const std::string& owner,
                              const std::string& pem) {
  return {{"id", id}, {"owner", owner}, {"publicKeyPem", pem}};
}

inline std::string actor_document(const std::string& id, json_value public_key) {
  return to_json(json_object{{"id", id},
                             {"type", "Person"},
                             {"preferredUsername", "ann"},
                             {"inbox", id + "/inbox"},
                             {"publicKey", std::move(public_key)}});
}

struct checker_fixture {
  kit::deterministic_system actors{3};
  kit::test_storage storage;
  kit::fake_hosts hosts{actors};
  signature_checker_handle checker;

  checker_fixture() { start({}); }

  void start(signature_checker_options options) {
    checker =
        actors.spawn(signature_checker,
                     signature_checker_dependencies{
                         .storage = storage.start(actors),
                         .fetch = {.hosts = hosts.region(),
                                   .rules = {},
                                   .own = {.scheme = "https", .name = "own.example", .port = 443}},
                         .clock = actors.clock()},
                     options);
  }

  void serve_actor(const std::string& id, const made_key& key) {
    hosts.serve(id, actor_document(id, key_object(id + "#main-key", id, key.pair.public_pem)));
  }
  /// Stores the actor "https://far.example/ann" with a key.
  void store_ann(const made_key& key) {
    kit::add_remote(storage.db(), {{20}, "ann"});
    set_key(key);
  }
  void set_key(const made_key& key) {
    REQUIRE(store_signer_key(storage.db(), {ann, ann_key, key.pair.public_pem}));
  }
  std::string stored_pem() {
    const auto rows = storage.db().run("SELECT public_key FROM account WHERE id = 20");
    REQUIRE(rows);
    return rows->rows.at(0).at(0).text();
  }

  /// What differs from a POST of "{}" to the shared inbox.
  struct request_parts {
    http_method method = http_method::post;
    std::string query;
    signature_scheme scheme = signature_scheme::cavage;
    std::string host = "own.example";
    std::string signed_host = "own.example";
  };

  http_request request_by(const std::string& key_id, const made_key& key, request_parts parts) {
    const auto own = own_key{.key_id = key_id,
                             .public_pem = key.pair.public_pem,
                             .current = key.key,
                             .previous = std::nullopt,
                             .previous_until = {}};
    const auto has_body = parts.method == http_method::post;
    auto wish = sign_request{.scheme = parts.scheme,
                             .method = parts.method,
                             .url = "https://" + parts.signed_host + "/inbox" +
                                    (parts.query.empty() ? "" : "?" + parts.query),
                             .body = has_body ? std::make_shared<const std::string>("{}") : nullptr,
                             .body_sha256 = {}};
    auto headers = sign_headers(wish, own, actors.now());
    headers.emplace_back("Host", parts.host);
    return {.method = parts.method,
            .path = "/inbox",
            .query = parts.query,
            .headers = std::move(headers),
            .body = has_body ? "{}" : "",
            .peer = {}};
  }
  http_request request_by(const std::string& key_id, const made_key& key) {
    return request_by(key_id, key, request_parts{});
  }

  static check_signature wish_of(http_request request) {
    const auto has_body = request.method == http_method::post;
    return {.request = std::make_shared<const http_request>(std::move(request)),
            .has_body = has_body};
  }
  kit::pending_reply<verified_signer> begin(http_request request) {
    return actors.start<verified_signer>(checker, wish_of(std::move(request)));
  }
  caf::expected<verified_signer> check(http_request request) {
    return actors.ask<verified_signer>(checker, wish_of(std::move(request)));
  }
  caf::expected<verified_signer> check(const std::string& key_id, const made_key& key) {
    return check(request_by(key_id, key));
  }

  caf::error failure(const caf::expected<verified_signer>& answer) {
    REQUIRE_FALSE(answer);
    return answer.error();
  }
  errc refusal(const caf::expected<verified_signer>& answer) { return code_of(failure(answer)); }
  errc refusal(const std::string& key_id, const made_key& key) {
    return refusal(check(key_id, key));
  }
};

} // namespace trunkline::kit::signature_checker_scene
