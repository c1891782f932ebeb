#include "protocol/key_document.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::string_literals;

namespace {

const auto ann = "https://far.example/ann"s;
const auto ann_key = ann + "#main-key";

json_object key_object(const std::string& id, const std::string& owner) {
  return {{"id", id}, {"owner", owner}, {"publicKeyPem", "PEM"}};
}

json_object actor_object(const std::string& id, json_value keys) {
  return {{"id", id},
          {"type", "Person"},
          {"preferredUsername", "ann"},
          {"inbox", id + "/inbox"},
          {"publicKey", std::move(keys)}};
}

errc refusal(json_object document, const std::string& key_id) {
  const auto read = read_key_document(json_value{std::move(document)}, key_id);
  REQUIRE_FALSE(read);
  return code_of(read.error());
}

} // namespace

TEST_CASE("an actor's document has its keys", "[key_document]") {
  const auto keys =
      GENERATE(json_value{key_object(ann_key, ann)}, json_value{key_object(ann_key, "")},
               json_value{json_array{key_object(ann + "#other", ann), key_object(ann_key, ann)}});
  const auto read = read_key_document(json_value{actor_object(ann, keys)}, ann_key);
  REQUIRE(read);
  CHECK(read->actor == ann);
  CHECK(read->pem == "PEM");
}

TEST_CASE("the document of a key names its owner and nothing that counts", "[key_document]") {
  const auto key_id = ann + "/main-key";
  const auto read = read_key_document(json_value{key_object(key_id, ann)}, key_id);
  REQUIRE(read);
  CHECK(read->actor == ann);
  CHECK(read->pem.empty());
}

TEST_CASE("A11, A12: key and owner name each other on one origin", "[key_document][A11][A12]") {
  const auto evil = "https://evil.example/key"s;
  CHECK(refusal(actor_object(ann, key_object(ann + "#other", ann)), ann_key) ==
        errc::unauthenticated);
  CHECK(refusal(actor_object(ann, key_object(ann_key, ann + "y")), ann_key) ==
        errc::unauthenticated);
  CHECK(refusal(actor_object(ann, key_object(evil, ann)), evil) == errc::unauthenticated);
  CHECK(refusal(key_object(evil, ann), evil) == errc::unauthenticated);
  CHECK(refusal(key_object(ann_key, ann), ann + "#other") == errc::unauthenticated);
  CHECK(refusal(key_object(ann_key, ""), ann_key) == errc::unauthenticated);
  CHECK(refusal({{"id", ann_key}, {"owner", ann}}, ann_key) == errc::malformed);
  CHECK(refusal({{"id", ann}, {"publicKey", key_object(ann_key, ann)}}, ann_key) ==
        errc::malformed);
}

TEST_CASE("A19: of many keys the first ten count", "[key_document][A19]") {
  auto keys = json_array{};
  for (auto number = 0; number < 1'000; ++number)
    keys.push_back(key_object(ann + "#" + std::to_string(number), ann));
  const auto document = json_value{actor_object(ann, keys)};
  CHECK(read_key_document(document, ann + "#9"));
  CHECK_FALSE(read_key_document(document, ann + "#10"));
}
