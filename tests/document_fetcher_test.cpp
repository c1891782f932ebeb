#include "actors/document_fetcher.hpp"

#include "actors/messages.hpp"
#include "kit/fake_hosts.hpp"

#include <catch2/catch.hpp>

#include <caf/event_based_actor.hpp>

#include <optional>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const auto ann = "https://v.example/users/ann"s;
const auto ann_document = R"({"id": "https://v.example/users/ann", "type": "Person"})"s;
const auto ld_profile = R"(application/ld+json; profile="https://www.w3.org/ns/activitystreams")"s;

struct fetcher_fixture {
  kit::deterministic_system actors{7};
  kit::fake_hosts hosts{actors};
  int answers = 0;

  fetch_services services() {
    return {.hosts = hosts.region(),
            .rules = {},
            .own = {.scheme = "https", .name = "own.example", .port = 443}};
  }

  caf::expected<activity_document> fetch_wish(document_wish wish) {
    auto got = std::make_shared<std::optional<caf::expected<activity_document>>>();
    actors.system().spawn([got, wish, this](caf::event_based_actor* self) {
      fetch_activity_document(self, services(), wish,
                              [got, this](caf::expected<activity_document> found) {
                                ++answers;
                                got->emplace(std::move(found));
                              });
    });
    actors.settle();
    if (!*got)
      actors.advance(2min);
    REQUIRE(*got);
    return std::move(**got);
  }
  caf::expected<activity_document> fetch(const std::string& url) {
    return fetch_wish({.url = url});
  }

  errc refusal(const std::string& url) {
    const auto found = fetch(url);
    REQUIRE_FALSE(found);
    return code_of(found.error());
  }
};

} // namespace

TEST_CASE_METHOD(fetcher_fixture, "a document is asked of its own host, signed, by its type",
                 "[document_fetcher]") {
  hosts.serve(ann, ann_document);
  const auto found = fetch(ann + "#main-key");
  REQUIRE(found);
  CHECK(found->url == ann);
  CHECK(found->status == 200);
  CHECK(to_json(found->body) == R"({"id":"https://v.example/users/ann","type":"Person"})");
  REQUIRE(hosts.asked().size() == 1);
  const auto& asked = hosts.asked().front();
  CHECK(asked.host == host_address{.scheme = "https", .name = "v.example", .port = 443});
  CHECK(asked.url == ann);
  CHECK(asked.is_signed);
  CHECK(asked.bytes_max == 1024 * 1024);
  CHECK(asked.accept == "application/activity+json, " + ld_profile);
  CHECK(answers == 1);
}

TEST_CASE_METHOD(fetcher_fixture, "A41: what is served as another type is no document",
                 "[document_fetcher][A41]") {
  const auto type =
      GENERATE("text/html"s, "application/json"s, "application/ld+json"s, ""s, "activity+json"s,
               R"(application/ld+json; profile="https://www.w3.org/ns/activitystreamsX")"s,
               R"(text/plain; profile="https://www.w3.org/ns/activitystreams")"s);
  CAPTURE(type);
  hosts.serve(ann, ann_document, type);
  CHECK(refusal(ann) == errc::malformed);
}

TEST_CASE_METHOD(fetcher_fixture, "A42: ActivityStreams may be one of several profiles",
                 "[document_fetcher][A42]") {
  const auto type = GENERATE(
      "application/activity+json; charset=utf-8"s, "Application/Activity+JSON"s, ld_profile,
      R"(application/ld+json; profile="http://a.example https://www.w3.org/ns/activitystreams")"s,
      R"(application/ld+json; charset=utf-8;profile="https://www.w3.org/ns/activitystreams x")"s);
  CAPTURE(type);
  hosts.serve(ann, ann_document, type);
  CHECK(fetch(ann));
}

TEST_CASE_METHOD(fetcher_fixture, "A40: another id of the same host is fetched once",
                 "[document_fetcher][A40]") {
  hosts.serve("https://v.example/@ann", ann_document);
  hosts.serve(ann, ann_document);
  const auto found = fetch("https://v.example/@ann"s);
  REQUIRE(found);
  CHECK(found->url == ann);
  CHECK(hosts.asked_urls() == std::vector{"https://v.example/@ann"s, ann});

  hosts.serve("https://v.example/1", R"({"id": "https://v.example/2"})");
  hosts.serve("https://v.example/2", R"({"id": "https://v.example/3"})");
  CHECK(refusal("https://v.example/1") == errc::invalid);
  CHECK(hosts.asked().size() == 4);
}

TEST_CASE_METHOD(fetcher_fixture, "A40: an id of another host is refused",
                 "[document_fetcher][A40]") {
  const auto id = GENERATE("https://v.example/users/ann"s, "http://evil.example/ann"s,
                           "https://evil.example:444/ann"s, "https://evil.example@v.example/ann"s,
                           "https://own.example/users/ann"s, "/ann"s, "ann"s);
  CAPTURE(id);
  hosts.serve(ann, ann_document);
  hosts.serve("https://evil.example/ann", R"({"id": ")" + id + R"("})");
  CHECK(refusal("https://evil.example/ann") == errc::invalid);
  CHECK(hosts.asked().size() == 1);
}

TEST_CASE_METHOD(fetcher_fixture, "A44: an open redirect does not lend a host's name",
                 "[document_fetcher][A44]") {
  const auto open = "https://v.example/open?to=evil"s;
  hosts.redirect(open, "https://evil.example/x");
  hosts.serve("https://evil.example/x", R"({"id": ")" + open + R"("})");
  CHECK(refusal(open) == errc::invalid);
  hosts.serve("https://evil.example/x", R"({"id": "https://v.example/users/ann"})");
  CHECK(refusal(open) == errc::invalid);
  CHECK(hosts.asked().size() == 4);
}

TEST_CASE_METHOD(fetcher_fixture, "A44: the final host may give its own id",
                 "[document_fetcher][A44]") {
  hosts.redirect("https://old.example/users/ann", ann, 301);
  hosts.serve(ann, ann_document);
  const auto found = fetch("https://old.example/users/ann"s);
  REQUIRE(found);
  CHECK(found->url == ann);
  CHECK(hosts.asked().back().host.name == "v.example");
}

TEST_CASE_METHOD(fetcher_fixture, "A44: a redirect within the host keeps the id",
                 "[document_fetcher][A44]") {
  hosts.redirect(ann, "/users/ann.json", 302);
  hosts.serve(ann + ".json", ann_document);
  CHECK(fetch(ann));
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(fetcher_fixture, "A65: every hop is checked anew", "[document_fetcher][A65]") {
  const auto status = GENERATE(301, 302, 303, 307, 308);
  const auto where = GENERATE("file:///etc/passwd"s, "ftp://v.example/a"s, "http://v.example/a"s,
                              "https://v.example:6379/"s, "https://user@v.example/"s,
                              "https://2130706531/"s, "data:text/plain,a"s, "//v.example:22/"s,
                              "https://v.example/a b"s, "https://own.example/users/ann"s);
  CAPTURE(status, where);
  hosts.redirect(ann, where, status);
  CHECK(refusal(ann) == errc::invalid);
  CHECK(hosts.asked().size() == 1);
}

TEST_CASE_METHOD(fetcher_fixture, "A66: three redirects are followed, a fourth is not",
                 "[document_fetcher][A66]") {
  for (auto hop = 1; hop <= 60; ++hop)
    hosts.redirect("https://v.example/" + std::to_string(hop),
                   "https://v.example/" + std::to_string(hop + 1));
  CHECK(refusal("https://v.example/1") == errc::invalid);
  CHECK(hosts.asked().size() == 4);
  hosts.serve("https://v.example/13", R"({"id": "https://v.example/10"})");
  CHECK(fetch("https://v.example/10"s));
  hosts.redirect(ann, ann);
  CHECK(refusal(ann) == errc::invalid);
  CHECK(hosts.asked().size() == 12);
}

TEST_CASE_METHOD(fetcher_fixture, "A69: this server is never asked", "[document_fetcher][A69]") {
  const auto url =
      GENERATE("https://own.example/users/ann"s, "https://OWN.example:443/users/ann#x"s);
  CHECK(refusal(url) == errc::invalid);
  CHECK(hosts.asked().empty());
  CHECK(answers == 1);
}

TEST_CASE_METHOD(fetcher_fixture, "a key is not fetched across hosts", "[document_fetcher][A16]") {
  hosts.redirect("https://old.example/users/ann", ann, 301);
  hosts.serve(ann, ann_document);
  const auto found = fetch_wish({.url = "https://old.example/users/ann", .same_origin = true});
  REQUIRE_FALSE(found);
  CHECK(code_of(found.error()) == errc::invalid);
  CHECK(hosts.asked().size() == 1);
}

TEST_CASE_METHOD(fetcher_fixture, "A72: what is no JSON object is no document",
                 "[document_fetcher][A72]") {
  const auto body =
      GENERATE("[]"s, "3"s, "null"s, "\"\""s, ""s, "\xef\xbb\xbf{}"s, "{\"a\":\"\xff\"}"s, "{"s,
               R"({"id": 7})"s, R"({"id": ["https://v.example/users/ann"]})"s);
  CAPTURE(body);
  hosts.serve(ann, body);
  CHECK(refusal(ann) == errc::malformed);
}

TEST_CASE_METHOD(fetcher_fixture, "a document without an id is what its URL says",
                 "[document_fetcher]") {
  const auto body = GENERATE(R"({"type": "CollectionPage"})"s, R"({"id": null})"s);
  hosts.serve(ann, body);
  const auto found = fetch(ann);
  REQUIRE(found);
  CHECK(found->url == ann);
}

TEST_CASE_METHOD(fetcher_fixture, "a status becomes an error of its own", "[document_fetcher]") {
  const auto [status, code] = GENERATE(table<int, errc>({{410, errc::gone},
                                                         {404, errc::not_found},
                                                         {406, errc::not_found},
                                                         {204, errc::not_found},
                                                         {401, errc::forbidden},
                                                         {403, errc::forbidden},
                                                         {408, errc::unavailable},
                                                         {429, errc::unavailable},
                                                         {503, errc::unavailable}}));
  CAPTURE(status);
  hosts.answer(ann, status);
  CHECK(refusal(ann) == code);
}

TEST_CASE_METHOD(fetcher_fixture, "a host that never answers ends a fetch at its deadline",
                 "[document_fetcher]") {
  hosts.table().stalled.insert("v.example");
  CHECK(refusal(ann) == errc::timed_out);
}

TEST_CASE_METHOD(fetcher_fixture, "a body over the limit is refused", "[document_fetcher]") {
  hosts.serve(ann, ann_document);
  const auto found = fetch_wish({.url = ann, .bytes_max = 20});
  REQUIRE_FALSE(found);
  CHECK(code_of(found.error()) == errc::too_large);
  CHECK(hosts.asked().front().bytes_max == 20);
}

TEST_CASE_METHOD(fetcher_fixture, "any document is fetched whatever its type",
                 "[document_fetcher]") {
  const auto url = "https://v.example/.well-known/webfinger?resource=acct:ann@v.example"s;
  hosts.redirect(url, "https://w.example/finger");
  hosts.serve("https://w.example/finger", "{}", "application/jrd+json");
  auto got = std::optional<caf::expected<plain_document>>{};
  actors.system().spawn([&](caf::event_based_actor* self) {
    fetch_any(self, services(), {.url = url, .is_signed = false, .bytes_max = 1000},
              "application/jrd+json",
              [&](caf::expected<plain_document> found) { got.emplace(std::move(found)); });
  });
  actors.settle();
  REQUIRE(got);
  REQUIRE(*got);
  CHECK((*got)->body == "{}");
  CHECK((*got)->content_type == "application/jrd+json");
  CHECK((*got)->url == "https://w.example/finger");
  CHECK((*got)->changed_origin);
  CHECK(hosts.asked().front().accept == "application/jrd+json");
  CHECK_FALSE(hosts.asked().front().is_signed);
}
