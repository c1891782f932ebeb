#include "actors/signature_checker.hpp"

#include "actors/messages.hpp"
#include "actors/signing_work.hpp"
#include "kit/fake_hosts.hpp"
#include "kit/remote_rows.hpp"
#include "kit/test_storage.hpp"
#include "storage/domain_block_store.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const auto ann = "https://far.example/ann"s;
const auto ann_key = ann + "#main-key";

/// Keys are costly to make: two are enough for all tests.
const made_key& old_key() {
  static const auto key = make_key(std::string(32, 's'));
  return key;
}
const made_key& new_key() {
  static const auto key = make_key(std::string(32, 's'));
  return key;
}

json_object key_object(const std::string& id, const std::string& owner, const std::string& pem) {
  return {{"id", id}, {"owner", owner}, {"publicKeyPem", pem}};
}

std::string actor_document(const std::string& id, json_value public_key) {
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

} // namespace

TEST_CASE_METHOD(checker_fixture, "an unknown key is fetched once, signed, and kept",
                 "[signature_checker]") {
  serve_actor(ann, old_key());
  const auto scheme = GENERATE(signature_scheme::cavage, signature_scheme::rfc9421);
  const auto signer = check(request_by(ann_key, old_key(), {.scheme = scheme}));
  REQUIRE(signer);
  CHECK(signer->actor == ann);
  CHECK(signer->key_id == ann_key);
  CHECK(signer->host == host_address{"https", "far.example", 443});
  CHECK(check(ann_key, old_key()));
  REQUIRE(hosts.asked_urls() == std::vector{ann});
  CHECK(hosts.asked()[0].is_signed);
}

TEST_CASE_METHOD(checker_fixture, "many checks of one unknown key make one fetch",
                 "[signature_checker]") {
  serve_actor(ann, old_key());
  auto replies = std::vector<kit::pending_reply<verified_signer>>{};
  for (auto count = 0; count < 100; ++count)
    replies.push_back(begin(request_by(ann_key, old_key())));
  actors.settle();
  for (const auto& reply : replies)
    CHECK((reply.ready() && reply.get()));
  CHECK(hosts.asked().size() == 1);
}

TEST_CASE_METHOD(checker_fixture, "the stored key of a known account needs no fetch",
                 "[signature_checker]") {
  store_ann(old_key());
  CHECK(check(ann_key, old_key()));
  CHECK(check(ann_key, old_key()));
  CHECK(hosts.asked().empty());
}

TEST_CASE_METHOD(checker_fixture, "a key that an Update has replaced counts no more",
                 "[signature_checker]") {
  store_ann(old_key());
  CHECK(check(ann_key, old_key()));
  set_key(new_key());
  serve_actor(ann, new_key());
  CHECK(check(ann_key, new_key()));
  CHECK(hosts.asked().empty());
  CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
}

TEST_CASE_METHOD(checker_fixture, "a key may have a document of its own", "[signature_checker]") {
  const auto key_id = ann + "/main-key";
  const auto key = key_object(key_id, ann, old_key().pair.public_pem);
  const auto whole = actor_document(ann, key);
  // The last is what GoToSocial does: the owner's document at the key's id.
  const auto document = GENERATE_COPY(to_json(key), whole);
  hosts.serve(key_id, document);
  hosts.serve(ann, whole);
  const auto signer = check(key_id, old_key());
  REQUIRE(signer);
  CHECK(signer->actor == ann);
  CHECK(signer->key_id == key_id);
  CHECK(hosts.asked_urls() == std::vector{key_id, ann});
  CHECK(check(key_id, old_key()));
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(checker_fixture, "A01: what is not signed is refused",
                 "[signature_checker][A01]") {
  auto request = request_by(ann_key, old_key());
  std::erase_if(request.headers, [](const auto& header) { return header.first == "Signature"; });
  CHECK(refusal(check(request)) == errc::unauthenticated);
  CHECK(hosts.asked().empty());
}

TEST_CASE_METHOD(checker_fixture, "A02, A07, A27: whatever is signed must be as it was signed",
                 "[signature_checker][A02][A07][A27]") {
  serve_actor(ann, old_key());
  const auto scheme = GENERATE(signature_scheme::cavage, signature_scheme::rfc9421);
  auto request = request_by(ann_key, old_key(), {.query = "a=1", .scheme = scheme});
  REQUIRE(check(request));
  SECTION("body") {
    request.body = "{ }";
  }
  SECTION("no body") {
    request.body.clear();
  }
  SECTION("path") {
    request.path = "/users/alice/inbox";
  }
  SECTION("query") {
    request.query = "a=2";
  }
  SECTION("query left out") {
    request.query.clear();
  }
  SECTION("method") {
    request.method = http_method::put;
  }
  SECTION("headers") {
    const auto name =
        GENERATE("Date"s, "Digest"s, "Content-Digest"s, "Signature"s, "Signature-Input"s, "Host"s);
    CAPTURE(name);
    auto found = false;
    for (auto& [header, value] : request.headers)
      if (header == name) {
        found = true;
        value[value.size() / 2] = value[value.size() / 2] == 'a' ? 'b' : 'a';
      }
    if (!found)
      return;
  }
  const auto code = code_of(failure(actors.ask<verified_signer>(
      checker, check_signature{std::make_shared<const http_request>(request), true})));
  CHECK((code == errc::unauthenticated || code == errc::malformed));
}

TEST_CASE_METHOD(checker_fixture, "A05: a date an hour from now is too far",
                 "[signature_checker][A05]") {
  serve_actor(ann, old_key());
  auto request = request_by(ann_key, old_key());
  const auto [by, is_good] = GENERATE(table<std::chrono::minutes, bool>(
      {{-13h, false}, {-2h, false}, {-50min, true}, {50min, true}, {2h, false}}));
  CAPTURE(by.count());
  actors.step_wall_clock(-by);
  CHECK(static_cast<bool>(check(request)) == is_good);
}

TEST_CASE_METHOD(checker_fixture, "A07: old servers sign a GET without its query",
                 "[signature_checker][A07]") {
  serve_actor(ann, old_key());
  auto request = request_by(ann_key, old_key(), {.method = http_method::get});
  request.query = "page=true";
  CHECK(check(request));
  auto post = request_by(ann_key, old_key());
  post.query = "page=true";
  CHECK(refusal(check(post)) == errc::unauthenticated);
}

TEST_CASE_METHOD(checker_fixture, "A09: what was signed for another server counts nothing here",
                 "[signature_checker][A09]") {
  serve_actor(ann, old_key());
  const auto host = GENERATE("evil.example"s, "own.example:8443"s, "own.example.evil.example"s);
  CAPTURE(host);
  CHECK(refusal(check(request_by(ann_key, old_key(), {.host = host, .signed_host = host}))) ==
        errc::unauthenticated);
  CHECK(hosts.asked().empty());
  const auto same = request_parts{.scheme = signature_scheme::rfc9421, .host = "OWN.example"};
  CHECK(check(request_by(ann_key, old_key(), same)));
}

TEST_CASE_METHOD(checker_fixture, "A10, A11: a key of another server's actor is none",
                 "[signature_checker][A11]") {
  const auto evil = "https://evil.example/key"s;
  const auto key = key_object(evil, ann, old_key().pair.public_pem);
  store_ann(new_key());
  hosts.serve(ann, actor_document(ann, key));
  hosts.serve(evil, GENERATE_COPY(to_json(key), actor_document(ann, key)));
  CHECK(refusal(evil, old_key()) == errc::unauthenticated);
  CHECK(hosts.asked_urls() == std::vector{evil});
  CHECK(stored_pem() == new_key().pair.public_pem);
  CHECK(check(ann_key, new_key()));
}

TEST_CASE_METHOD(checker_fixture, "A11: a key whose owner does not list it is none",
                 "[signature_checker][A11]") {
  const auto mine = ann + "/uploads/key"s;
  hosts.serve(mine, to_json(key_object(mine, ann, old_key().pair.public_pem)));
  const auto owner =
      GENERATE_COPY(actor_document(ann, key_object(ann_key, ann, new_key().pair.public_pem)),
                    actor_document(ann, json_value{}),
                    actor_document(ann, key_object(mine, ann + "y", old_key().pair.public_pem)),
                    to_json(key_object(ann, ann, old_key().pair.public_pem)));
  CAPTURE(owner);
  hosts.serve(ann, owner);
  CHECK(refusal(mine, old_key()) == errc::unauthenticated);
  CHECK(hosts.asked_urls() == std::vector{mine, ann});
}

TEST_CASE_METHOD(checker_fixture, "A11: what counts is the key in the owner's document",
                 "[signature_checker][A11]") {
  const auto mine = ann + "/uploads/key"s;
  hosts.serve(mine, to_json(key_object(mine, ann, old_key().pair.public_pem)));
  hosts.serve(ann, actor_document(ann, key_object(mine, ann, new_key().pair.public_pem)));
  CHECK(refusal(mine, old_key()) == errc::unauthenticated);
  CHECK(check(mine, new_key()));
}

TEST_CASE_METHOD(checker_fixture, "A12: a document without the key is no key's document",
                 "[signature_checker][A12]") {
  const auto document =
      GENERATE("{}"s, "[]"s, R"({"id": "https://far.example/ann"})"s,
               actor_document(ann, key_object(ann + "#other", ann, old_key().pair.public_pem)),
               actor_document(ann, key_object(ann_key, ann + "y", old_key().pair.public_pem)),
               actor_document(ann, ann_key));
  CAPTURE(document);
  hosts.serve(ann, document);
  CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
  serve_actor(ann, old_key());
  actors.advance(61s);
  CHECK(check(ann_key, old_key()));
}

TEST_CASE_METHOD(checker_fixture, "A13: a new key is accepted after one fetch, and stored",
                 "[signature_checker][A13]") {
  const auto is_stored = GENERATE(true, false);
  CAPTURE(is_stored);
  serve_actor(ann, old_key());
  if (is_stored)
    store_ann(old_key());
  REQUIRE(check(ann_key, old_key()));
  const auto before = hosts.asked().size();
  serve_actor(ann, new_key());
  CHECK(check(ann_key, new_key()));
  CHECK(hosts.asked().size() == before + 1);
  CHECK(check(ann_key, new_key()));
  CHECK(hosts.asked().size() == before + 1);
  CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
  if (is_stored)
    CHECK(stored_pem() == new_key().pair.public_pem);
}

TEST_CASE_METHOD(checker_fixture, "A14: a thousand bad signatures make one fetch in five minutes",
                 "[signature_checker][A14]") {
  const auto is_stored = GENERATE(true, false);
  CAPTURE(is_stored);
  serve_actor(ann, old_key());
  if (is_stored)
    store_ann(old_key());
  const auto bad = request_by(ann_key, new_key());
  for (auto count = 0; count < 1'000; ++count) {
    const auto answer = actors.start<verified_signer>(checker, wish_of(bad));
    actors.settle();
    REQUIRE((answer.ready() && refusal(answer.get()) == errc::unauthenticated));
  }
  CHECK(hosts.asked().size() == 1);
  CHECK(check(ann_key, old_key())); // the good ones pass
  actors.advance(5min + 1s);
  CHECK(refusal(ann_key, new_key()) == errc::unauthenticated);
  CHECK(refusal(ann_key, new_key()) == errc::unauthenticated);
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(checker_fixture, "A15: keys on a hanging host hold up nobody else",
                 "[signature_checker][A15]") {
  hosts.table().stalled.insert("slow.example");
  serve_actor(ann, old_key());
  auto replies = std::vector<kit::pending_reply<verified_signer>>{};
  for (auto number = 0; number < 1'000; ++number)
    replies.push_back(
        begin(request_by("https://slow.example/" + std::to_string(number), old_key())));
  actors.settle();
  CHECK(hosts.asked().size() == 8);
  auto refused = 0;
  for (const auto& reply : replies)
    if (reply.ready() && code_of(failure(reply.get())) == errc::unavailable)
      ++refused;
  CHECK(refused == 992);
  const auto other = begin(request_by(ann_key, old_key()));
  actors.settle();
  CHECK((other.ready() && other.get()));
  actors.advance(31s);
  for (const auto& reply : replies)
    CHECK(reply.ready());
  CHECK(hosts.asked().size() == 9);
}

TEST_CASE_METHOD(checker_fixture, "keys on their way are bounded over all hosts",
                 "[signature_checker][A15]") {
  start({.fetches_max = 20});
  auto replies = std::vector<kit::pending_reply<verified_signer>>{};
  for (auto number = 0; number < 100; ++number) {
    const auto host = "h" + std::to_string(number) + ".example";
    hosts.table().stalled.insert(host);
    replies.push_back(begin(request_by("https://" + host + "/key", old_key())));
  }
  actors.settle();
  CHECK(hosts.asked().size() == 20);
  store_ann(old_key());
  CHECK(check(ann_key, old_key())); // needs no fetch
}

TEST_CASE_METHOD(checker_fixture, "a key that could not be had is not asked for again at once",
                 "[signature_checker][A15]") {
  const auto [status, code] = GENERATE(table<int, errc>({{404, errc::unauthenticated},
                                                         {403, errc::unauthenticated},
                                                         {410, errc::gone},
                                                         {503, errc::unauthenticated},
                                                         {429, errc::unauthenticated}}));
  CAPTURE(status);
  hosts.answer(ann, status);
  for (auto count = 0; count < 20; ++count)
    CHECK(refusal(ann_key, old_key()) == code);
  CHECK(hosts.asked().size() == 1);
  actors.advance(61s);
  CHECK(refusal(ann_key, old_key()) == code);
  CHECK(hosts.asked().size() == 2);
  actors.advance(61s);
  CHECK(refusal(ann_key, old_key()) == code);
  CHECK(hosts.asked().size() == 2);
  actors.advance(60s);
  CHECK(refusal(ann_key, old_key()) == code);
  CHECK(hosts.asked().size() == 3);
  serve_actor(ann, old_key());
  actors.advance(5min);
  CHECK(check(ann_key, old_key()));
  CHECK(hosts.asked().size() == 4);
}

TEST_CASE_METHOD(checker_fixture, "A16: a key is not fetched from where another server points",
                 "[signature_checker][A16]") {
  const auto [from, to] = GENERATE(
      table<std::string, std::string>({{"https://far.example/ann", "https://evil.example/ann"},
                                       {"https://evil.example/ann", "https://far.example/ann"},
                                       {"https://evil.example/ann", "https://127.0.0.1/"},
                                       {"https://evil.example/ann", "http://evil.example/ann"}}));
  CAPTURE(from, to);
  hosts.redirect(from, to);
  serve_actor(to, old_key());
  CHECK(refusal(from + "#main-key", old_key()) == errc::unauthenticated);
  CHECK(hosts.asked_urls() == std::vector{from});
}

TEST_CASE_METHOD(checker_fixture, "A16: nor is the owner's document", "[signature_checker][A16]") {
  const auto key_id = ann + "/main-key";
  const auto key = key_object(key_id, ann, old_key().pair.public_pem);
  hosts.serve(key_id, to_json(key));
  hosts.redirect(ann, "https://evil.example/ann");
  hosts.serve("https://evil.example/ann", actor_document(ann, key));
  CHECK(refusal(key_id, old_key()) == errc::unauthenticated);
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(checker_fixture, "A17, A69: an id that no key of others has is never fetched",
                 "[signature_checker][A17][A69]") {
  const auto key_id =
      GENERATE("data:text/plain,x"s, "file:///etc/passwd"s, "ftp://far.example/ann"s,
               "acct:ann@far.example"s, "/ann#main-key"s, "ann"s, "http://far.example/ann"s,
               "https://far.example:22/ann"s, "https://u@far.example/ann"s,
               "https://far.example/" + std::string(8'192, 'a'), "https://own.example/users/bob"s,
               "https://OWN.example:443/actor#main-key"s);
  CAPTURE(key_id);
  const auto code = refusal(key_id, old_key());
  CHECK((code == errc::unauthenticated || code == errc::malformed));
  CHECK(hosts.asked().empty());
}

TEST_CASE_METHOD(checker_fixture, "A18: what is no RSA key of a good size is no key",
                 "[signature_checker][A18]") {
  const auto pem = GENERATE(
      "garbage"s, ""s, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"s,
      // P-256
      "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt"
      "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n"s,
      "private"s);
  CAPTURE(pem);
  kit::add_remote(storage.db(), {{20}, "ann"});
  hosts.serve(ann,
              actor_document(
                  ann, key_object(ann_key, ann, pem == "private" ? old_key().key.to_pem() : pem)));
  CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
  CHECK(stored_pem().empty());
}

TEST_CASE_METHOD(checker_fixture, "A19: of many keys the first ten count",
                 "[signature_checker][A19]") {
  auto keys = json_array{};
  for (auto number = 0; number < 1'000; ++number)
    keys.push_back(key_object(ann + "#" + std::to_string(number), ann, old_key().pair.public_pem));
  hosts.serve(ann, actor_document(ann, keys));
  CHECK(check(ann + "#9", old_key()));
  CHECK(refusal(ann + "#10", old_key()) == errc::unauthenticated);
}

TEST_CASE_METHOD(checker_fixture, "A20: the key says what an algorithm is worth",
                 "[signature_checker][A20]") {
  serve_actor(ann, old_key());
  const auto [name, is_good] = GENERATE(table<std::string, bool>({{"rsa-sha256", true},
                                                                  {"hs2019", true},
                                                                  {"none", false},
                                                                  {"hmac-sha256", false},
                                                                  {"rsa-sha1", false},
                                                                  {"ecdsa-sha256", false}}));
  CAPTURE(name);
  auto request = request_by(ann_key, old_key());
  for (auto& [header, value] : request.headers)
    if (header == "Signature") {
      const auto at = value.find("algorithm=\"");
      if (at == std::string::npos) {
        value += ",algorithm=\"" + name + "\"";
      } else {
        const auto begin = at + 11;
        value.replace(begin, value.find('"', begin) - begin, name);
      }
    }
  CHECK(static_cast<bool>(check(request)) == is_good);
}

TEST_CASE_METHOD(checker_fixture, "A24: a blocked or suspended signer is refused before any fetch",
                 "[signature_checker][A24]") {
  serve_actor(ann, old_key());
  const auto is_known = GENERATE(true, false);
  if (is_known)
    store_ann(old_key());
  REQUIRE(check(ann_key, old_key()));
  const auto before = hosts.asked().size();
  SECTION("host") {
    REQUIRE(store_domain_block(storage.db(), {.host = "far.example", .at = actors.now()}));
  }
  SECTION("domain above it") {
    REQUIRE(store_domain_block(storage.db(), {.host = "example", .at = actors.now()}));
  }
  SECTION("account") {
    if (!is_known)
      store_ann(old_key());
    REQUIRE(storage.db().run("UPDATE account SET suspended_at = 1 WHERE id = 20"));
  }
  CHECK(refusal(ann_key, old_key()) == errc::forbidden);
  CHECK(refusal(ann_key, new_key()) == errc::forbidden);
  CHECK(hosts.asked().size() == before);
}

TEST_CASE_METHOD(checker_fixture, "A24: a suspended account is found by its key's document too",
                 "[signature_checker][A24]") {
  store_ann(old_key());
  REQUIRE(storage.db().run("UPDATE account SET suspended_at = 1 WHERE id = 20"));
  const auto key_id = "https://far.example/keys/1"s;
  const auto key = key_object(key_id, ann, new_key().pair.public_pem);
  hosts.serve(key_id, to_json(key));
  hosts.serve(ann, actor_document(ann, key));
  CHECK(refusal(key_id, new_key()) == errc::forbidden);
  CHECK(refusal(key_id, new_key()) == errc::forbidden);
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(checker_fixture, "A26: a key whose document is gone says so",
                 "[signature_checker][A26]") {
  hosts.answer(ann, 410);
  const auto gone = failure(check(ann_key, old_key()));
  CHECK(code_of(gone) == errc::gone);
  CHECK(context_of(gone) == ann_key);
  // A key that is known still verifies the last word of its owner.
  store_ann(old_key());
  CHECK(check(ann_key, old_key()));
  CHECK(hosts.asked().size() == 1);
}

TEST_CASE_METHOD(checker_fixture, "a known key goes on when its host cannot be asked",
                 "[signature_checker]") {
  store_ann(old_key());
  hosts.table().stalled.insert("far.example");
  const auto bad = begin(request_by(ann_key, new_key()));
  actors.settle();
  CHECK_FALSE(bad.ready());
  CHECK(check(ann_key, old_key()));
  actors.advance(31s);
  REQUIRE(bad.ready());
  CHECK(refusal(bad.get()) == errc::unauthenticated);
  CHECK(check(ann_key, old_key()));
}

TEST_CASE_METHOD(checker_fixture, "checks are bounded, and answered when the checker ends",
                 "[signature_checker][limit]") {
  start({.checks_max = 40, .reads_max = 1, .host_fetches_max = 40, .key_waiters_max = 10});
  hosts.table().stalled.insert("far.example");
  auto replies = std::vector<kit::pending_reply<verified_signer>>{};
  for (auto count = 0; count < 40; ++count)
    replies.push_back(
        begin(request_by(count < 15 ? ann_key : ann + std::to_string(count), old_key())));
  actors.settle();
  const auto open = std::ranges::count_if(replies, [](const auto& each) { return !each.ready(); });
  CHECK(open == 35); // five too many for one key
  for (auto count = 0; count < 5; ++count)
    replies.push_back(begin(request_by(ann + "x" + std::to_string(count), old_key())));
  actors.settle();
  CHECK(hosts.asked().size() == 31);
  CHECK(refusal(ann + "y", old_key()) == errc::unavailable);
  actors.kill(checker);
  actors.settle();
  for (const auto& reply : replies)
    CHECK((reply.ready() && !reply.get()));
}

TEST_CASE_METHOD(checker_fixture, "storage that fails is no verdict on the signature",
                 "[signature_checker][fault]") {
  serve_actor(ann, old_key());
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_full, "full"); };
  CHECK(refusal(ann_key, old_key()) == errc::storage_full);
  storage.faults().at_call = nullptr;
  CHECK(check(ann_key, old_key()));
}
