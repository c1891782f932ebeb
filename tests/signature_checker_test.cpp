#include "kit/signature_checker_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit::signature_checker_scene;
using namespace std::chrono_literals;
using namespace std::string_literals;

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

TEST_CASE_METHOD(checker_fixture, "a key whose host asked to wait is asked for when it may be",
                 "[signature_checker]") {
  const auto wait = GENERATE(10s, 3600s);
  CAPTURE(wait.count());
  hosts.table().failures[ann] = make_error(errc::unavailable, "far.example", actors.now() + wait);
  for (auto count = 0; count < 3; ++count) // its sender tries again, whoever is at fault
    CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
  CHECK(hosts.asked().size() == 1);
  hosts.table().failures.clear();
  serve_actor(ann, old_key());
  const auto kept = std::min<std::chrono::seconds>(wait, 60s); // it may be known earlier
  actors.advance(kept - 1s);
  CHECK(refusal(ann_key, old_key()) == errc::unauthenticated);
  actors.advance(2s);
  CHECK(check(ann_key, old_key()));
  CHECK(hosts.asked().size() == 2);
}
