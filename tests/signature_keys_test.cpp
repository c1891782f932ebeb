#include "kit/signature_checker_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit::signature_checker_scene;
using namespace std::chrono_literals;
using namespace std::string_literals;

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
  start({.checks_max = 40,
         .reads_max = 1,
         .host_fetches_max = 40,
         .key_waiters_max = 10,
         .host_waiters_max = 40});
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

TEST_CASE_METHOD(checker_fixture, "A15: a host whose keys hang leaves the others their checks",
                 "[signature_checker][limit][A15]") {
  hosts.table().stalled.insert("far.example");
  auto replies = std::vector<kit::pending_reply<verified_signer>>{};
  for (auto count = 0; count < 2'300; ++count)
    replies.push_back(begin(request_by(ann + "k" + std::to_string(count % 8), old_key())));
  actors.settle();
  const auto open = std::ranges::count_if(replies, [](const auto& each) { return !each.ready(); });
  CHECK(open == 256); // of 2,048
  CHECK(refusal(ann + "k0", old_key()) == errc::unavailable);
  const auto other = std::string{"https://near.example/eve"};
  serve_actor(other, new_key());
  CHECK(check(other + "#main-key", new_key()));
}

TEST_CASE_METHOD(checker_fixture, "A15: made-up hosts of one owner are not all asked for keys",
                 "[signature_checker][limit][A15]") {
  const auto actor = [](const std::string& name) { return "https://" + name + "/eve"; };
  const auto ask = [&](const std::string& name) {
    serve_actor(actor(name), new_key());
    return check(actor(name) + "#main-key", new_key());
  };
  for (auto number = 0; number < 10; ++number)
    CHECK(ask("n" + std::to_string(number) + ".flood.example"));
  const auto before = hosts.asked().size();
  CHECK(refusal(ask("one-more.flood.example")) == errc::unavailable);
  CHECK(hosts.asked().size() == before);
  CHECK(refusal(check(actor("n0.flood.example") + "#other", new_key())) == errc::unauthenticated);
  CHECK(hosts.asked().size() == before + 1); // a name that was looked at still is
  SECTION("others have a room of their own") {
    CHECK(ask("well.calm.example"));
  }
  SECTION("a host that is known needs none") {
    REQUIRE(storage.db().run("INSERT INTO host(id, scheme, name, port)"
                             " VALUES (7, 'https', 'one-more.flood.example', 443)"));
    CHECK(ask("one-more.flood.example"));
  }
  SECTION("there is room again after a while") {
    actors.advance(5min);
    CHECK(ask("one-more.flood.example"));
  }
}

TEST_CASE_METHOD(checker_fixture, "storage that fails is no verdict on the signature",
                 "[signature_checker][fault]") {
  serve_actor(ann, old_key());
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_full, "full"); };
  CHECK(refusal(ann_key, old_key()) == errc::storage_full);
  storage.faults().at_call = nullptr;
  CHECK(check(ann_key, old_key()));
}
