/// The client API in one thread: a gateway on real storage, with keys and signatures as a test
/// says.
///
/// Alice (1) has a post of each visibility: 11 public, 12 unlisted, 13 for followers, 14 direct to
/// Dave; 15 was deleted. Each says "SECRET" and its number. Carol (4) of r.example follows her;
/// Dave (5) is of the same server, Frank (7) of f.example. She blocks Mallory (3, ours) and Eve (6,
/// of e.example). Bob (2) is ours. A token of ours is its owner's name.
#pragma once

#include "actors/messages.hpp"
#include "api/client_api.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "protocol/crypto.hpp"
#include "protocol/names.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// Knows a key for every account: "KEY OF 1".
inline signing_handle::behavior_type fake_signing() {
  return {[](const sign_request&) -> caf::result<signed_headers> { return signed_headers{}; },
          [](sign_and_send& order) {
            order.unsent.let_go();
            order.sender->send(std::move(order.request), std::move(order.done));
          },
          [](const ask_public_key& question) -> caf::result<public_key_text> {
            return public_key_text{"KEY OF " + to_string(question.owner)};
          },
          [](signing_done) {}};
}

/// Believes a signature that is the id of an actor; the host is the one in it. Other words are the
/// codes of failures.
inline signature_checker_handle::behavior_type fake_checker() {
  return {[](const check_signature& question) -> caf::result<verified_signer> {
    const auto signature = std::string{question.request->header("Signature")};
    if (signature == "wrong" || question.has_body)
      return make_error(errc::unauthenticated, "the signature is wrong");
    if (signature == "malformed")
      return make_error(errc::malformed, "the signature cannot be read");
    if (signature == "away")
      return make_error(errc::unavailable, "too many look-ups");
    if (signature == "gone")
      return make_error(errc::gone, "https://g.example/users/gone#main-key");
    if (signature == "forbidden")
      return make_error(errc::forbidden, "the host is blocked");
    const auto host = signature.substr(8, signature.find('/', 8) - 8);
    return verified_signer{.key_id = signature + "#main-key",
                           .actor = signature,
                           .host = {.scheme = "https", .name = host, .port = 443}};
  }};
}

struct asked {
  std::string path; ///< With the query.
  http_headers headers;
  http_method method = http_method::get;
};

class api_world {
public:
  explicit api_world(bool authorized_fetch = false)
      : services_{std::make_shared<api_services>(api_options{.domain = "example.org",
                                                             .url = "https://example.org",
                                                             .own_urls = urls_of("example.org"),
                                                             .version = "0.1.0",
                                                             .test_enabled = true,
                                                             .authorized_fetch = authorized_fetch},
                                                 storage_.start(actors_), actors_.clock())} {
    services_->signing = actors_.spawn(fake_signing);
    services_->signature_checker = actors_.spawn(fake_checker);
    handler_ =
        enter({actors_.spawn(gateway, services_, client_flavour())}, services_, client_flavour());
    fill();
  }

  api_services& services() { return *services_; }

  /// Gives an account a token for everything.
  void add_token(const std::string& token, int account) {
    REQUIRE(storage_.db().run("INSERT INTO token(hash, account_id, scopes, created_at)"
                              " VALUES ($1, $2, 'read write follow', 0)",
                              {blob{sha256(token)}, account}));
  }

  void run(const std::string& sql) { REQUIRE(storage_.db().run(sql)); }

  http_response ask(const asked& what) {
    auto answered = std::make_shared<std::optional<http_response>>();
    const auto mark = what.path.find('?');
    auto request =
        http_request{.method = what.method,
                     .path = what.path.substr(0, mark),
                     .query = mark == std::string::npos ? "" : what.path.substr(mark + 1),
                     .headers = what.headers,
                     .peer = "192.0.2.1"};
    handler_(std::move(request), http_reply{[answered](http_response response) {
               answered->emplace(std::move(response));
             }});
    actors_.settle();
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }

  /// Asks as a server: for a document, signed by `signer` where it is not "".
  http_response ask_document(const std::string& path, const std::string& signer = "") {
    auto headers = http_headers{{"Accept", "application/activity+json"}};
    if (!signer.empty())
      headers.emplace_back("Signature", signer);
    return ask({path, headers});
  }

  json_value document(const std::string& path, const std::string& signer = "") {
    const auto response = ask_document(path, signer);
    CAPTURE(path, response.body);
    REQUIRE(response.status == 200);
    auto parsed = parse_json(response.body);
    REQUIRE(parsed);
    return std::move(*parsed);
  }

private:
  void add_account(int id, const std::string& name, const std::string& host) {
    const auto uri = "https://" + (host.empty() ? "example.org" : host) + "/users/" + name;
    if (!host.empty())
      run("INSERT INTO host(id, scheme, name, port) VALUES (" + std::to_string(100 + id) +
          ", 'https', '" + host + "', 443) ON CONFLICT DO NOTHING");
    const auto host_id =
        host.empty() ? "NULL" : "(SELECT id FROM host WHERE name = '" + host + "')";
    run("INSERT INTO account(id, host_id, name, folded, uri, created_at) VALUES (" +
        std::to_string(id) + ", " + host_id + ", '" + name + "', '" + fold_name(name) + "', '" +
        uri + "', 0)");
    if (host.empty())
      add_token(name, id);
  }

  void fill() {
    add_account(1, "Alice", "");
    add_account(2, "bob", "");
    add_account(3, "mallory", "");
    add_account(4, "carol", "r.example");
    add_account(5, "dave", "r.example");
    add_account(6, "eve", "e.example");
    add_account(7, "frank", "f.example");
    run("INSERT INTO block(blocker, blocked, at) VALUES (1, 3, 0), (1, 6, 0)");
    run("INSERT INTO follow(follower, followee, at) VALUES (4, 1, 0)");
    for (auto code = 1; code <= 4; ++code) {
      const auto number = std::to_string(10 + code);
      run("INSERT INTO post(id, author, text, html, visibility, created_at) VALUES (" + number +
          ", 1, 'SECRET " + number + "', '<p>SECRET " + number + "</p>', " + std::to_string(code) +
          ", 0)");
    }
    run("INSERT INTO mention(post_id, account_id) VALUES (14, 5)");
    REQUIRE(storage_.db().run(
        "INSERT INTO tombstone(hash) VALUES ($1)",
        {blob{sha256("https://example.org/users/Alice/statuses/15").substr(0, 16)}}));
  }

  deterministic_system actors_{5};
  test_storage storage_;
  api_services_ptr services_;
  http_handler handler_;
};

} // namespace trunkline::kit
