// Inboxes from outside: what is let in, what is refused and with which words, and that nothing but
// what is let in leaves a trace.

#include "actors/id_source.hpp"
#include "actors/messages.hpp"
#include "api/client_api.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/scripted_gate.hpp"
#include "kit/test_storage.hpp"
#include "protocol/names.hpp"
#include "storage/inbox_store.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto eve = std::string{"https://e.example/users/eve"};
const auto victor = std::string{"https://v.example/users/victor"};
const auto activity_type_text = std::string{"application/activity+json"};

/// What the node's other actors were asked or told.
struct inbound_record {
  std::vector<std::string> checked; ///< Bodies whose signature was looked at.
  std::vector<std::string> alive;   ///< Hosts.
  std::vector<std::string> woken;   ///< Hosts, and points before.
};
using inbound_record_ptr = std::shared_ptr<inbound_record>;

/// Believes a signature that is the id of an actor. Other words are the codes of failures.
signature_checker_handle::behavior_type scripted_checker(inbound_record_ptr seen) {
  return {[seen](const check_signature& question) -> caf::result<verified_signer> {
    static const auto failures = std::map<std::string, caf::error>{
        {"wrong", make_error(errc::unauthenticated, "Signature: is not of this key")},
        {"unreadable", make_error(errc::malformed, "Signature: cannot be read")},
        {"blocked", make_error(errc::forbidden, "the host is blocked")},
        {"gone", make_error(errc::gone, "https://v.example/users/victor#main-key")},
        {"other gone", make_error(errc::gone, "https://v.example/users/vera#main-key")},
        {"missing", make_error(errc::not_found, "keyId: there is no such key")},
        {"away", make_error(errc::unavailable, "too many look-ups")}};
    CHECK(question.has_body);
    seen->checked.push_back(question.request->body);
    const auto signature = std::string{question.request->header("Signature")};
    if (const auto found = failures.find(signature); found != failures.end())
      return found->second;
    return verified_signer{.key_id = signature + "#main-key",
                           .actor = signature,
                           .host = parse_remote_url(signature, {})->host};
  }};
}

inbox_lane_handle::behavior_type recording_lanes(inbound_record_ptr seen) {
  return {[seen](const wake_inbox& wake) { seen->woken.push_back(to_name(wake.host)); },
          [](const describe_inbox&) -> caf::result<inbox_report> { return inbox_report{}; },
          [](inbox_timer) {}};
}

/// Stands for the region of hosts, of which nothing else is asked here.
caf::behavior recording_hosts(caf::event_based_actor*, inbound_record_ptr seen) {
  return {[seen](const note_sign_of_life& note) { seen->alive.push_back(to_name(note.host)); }};
}

struct sent_request {
  std::string body;
  std::string signature = eve;
  std::string path = "/inbox";
  std::string type = activity_type_text;
};

struct inbox_fixture {
  kit::deterministic_system actors{5};
  kit::test_storage storage;
  inbound_record_ptr seen = std::make_shared<inbound_record>();
  api_services_ptr services;
  http_handler handler;

  inbox_fixture() {
    auto options = api_options{.domain = "example.org",
                               .url = "https://example.org",
                               .own_urls = urls_of("example.org"),
                               .version = "0.1.0",
                               .requests = {.requests = 3}};
    options.inbox_waiting_max = 4;
    options.deliveries_max = 2;
    services = std::make_shared<api_services>(options, storage.start(actors), actors.clock());
    services->signature_checker = actors.spawn(scripted_checker, seen);
    services->inbox = actors.spawn(recording_lanes, seen);
    services->hosts = caf::actor_cast<remote_host_handle>(actors.spawn(recording_hosts, seen));
    services->ids = std::make_shared<id_source>(std::uint8_t{1}, actors.now(), actors.clock());
    services->ids->confirm(actors.now() + 24h);
    services->at_point = [seen = seen](std::string_view point) { seen->woken.emplace_back(point); };
    handler =
        enter({actors.spawn(gateway, services, client_flavour())}, services, client_flavour());
    run("INSERT INTO account(id, name, folded, uri, created_at) VALUES"
        " (1, 'Alice', 'alice', 'https://example.org/users/Alice', 0)");
    run("INSERT INTO account(id, name, folded, uri, created_at, deleted_at) VALUES"
        " (2, 'bob', 'bob', 'https://example.org/users/bob', 0, 1)");
    run("INSERT INTO host(id, scheme, name, port) VALUES (9, 'https', 'v.example', 443)");
    run("INSERT INTO account(id, host_id, name, folded, uri, created_at) VALUES"
        " (3, 9, 'victor', 'victor', '" +
        victor + "', 0)");
    run("INSERT INTO domain_block(account_id, host, severity, reason, at) VALUES"
        " (0, 'bad.example', 2, '', 0)");
  }

  void run(const std::string& sql) { REQUIRE(storage.db().run(sql)); }

  http_response post(const sent_request& sent) {
    auto answered = std::make_shared<std::optional<http_response>>();
    auto request = http_request{.method = http_method::post,
                                .path = sent.path,
                                .headers = {{"Content-Type", sent.type}},
                                .body = sent.body,
                                .peer = "192.0.2.1"};
    if (!sent.signature.empty())
      request.headers.emplace_back("Signature", sent.signature);
    handler(std::move(request), http_reply{[answered](http_response response) {
              answered->emplace(std::move(response));
            }});
    actors.settle();
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }

  std::vector<std::string> kept() {
    auto rows = std::vector<std::string>{};
    const auto found = storage.db().run("SELECT actor, ap_id, host, body, done FROM inbox_log"
                                        " ORDER BY id");
    REQUIRE(found);
    for (const auto& row : found->rows) {
      CHECK(row[4].integer() == 0);
      rows.push_back(row[0].text() + " " + row[1].text() + " " + row[2].text());
    }
    return rows;
  }

  std::string last_body() {
    const auto found = storage.db().run("SELECT body FROM inbox_log ORDER BY id DESC LIMIT 1");
    REQUIRE(found);
    return found->rows[0][0].bytes();
  }
};

std::string follow_of(const std::string& actor, const std::string& id = "1") {
  const auto origin = actor.substr(0, actor.find('/', 8));
  return R"({"type":"Follow","id":")" + origin + "/f/" + id + R"(","actor":")" + actor +
         R"(","object":"https://example.org/users/Alice"})";
}

std::string farewell_of(const std::string& actor) {
  return R"({"type":"Delete","id":")" + actor + R"(#delete","actor":")" + actor +
         R"(","object":")" + actor + R"("})";
}

std::string row_of(const std::string& actor, const std::string& id) {
  const auto origin = actor.substr(0, actor.find('/', 8));
  return actor + " " + id + " " + origin + ":443";
}

} // namespace

TEST_CASE_METHOD(inbox_fixture, "what is signed and one's own is kept as it came, then answered",
                 "[inbox_handlers]") {
  const auto body = "  " + follow_of(eve) + "\n";
  CHECK(post({body}).status == 202);
  CHECK(kept() == std::vector{row_of(eve, "https://e.example/f/1")});
  CHECK(last_body() == body);
  CHECK(seen->woken == std::vector<std::string>{"inbox_logged", "inbox_answered", "e.example"});
  CHECK(seen->alive == std::vector<std::string>{"e.example"});
  CHECK(post({follow_of(eve, "2"), eve, "/users/alice/inbox"}).status == 202);
  CHECK(post({follow_of(eve, "3"), eve, "/users/Alice/inbox"}).status == 202);
  CHECK(kept().size() == 3);
}

TEST_CASE_METHOD(inbox_fixture, "A08: the second arrival is answered and not kept",
                 "[inbox_handlers][A08][I3]") {
  for (auto times = 0; times < 20; ++times)
    CHECK(post({follow_of(eve)}).status == 202);
  CHECK(kept().size() == 1);
  // Without an id the body says whether it is the same.
  const auto nameless = std::string{R"({"type":"Like","actor":")"} + eve +
                        R"(","object":"https://example.org/users/Alice/statuses/1"})";
  CHECK(post({nameless}).status == 202);
  CHECK(post({nameless}).status == 202);
  CHECK(kept().size() == 2);
  CHECK(kept()[1].find(" sha256:") != std::string::npos);
}

TEST_CASE_METHOD(inbox_fixture, "A01, A02: what is not signed well is 401, and says why",
                 "[inbox_handlers][A01]") {
  struct refused_row {
    const char* signature;
    int status;
    const char* words;
  };
  for (const auto& row : std::vector<refused_row>{
           {"", 401, "Signature: must be there, of an actor's key"},
           {"wrong", 401, "Signature: is not of this key"},
           {"unreadable", 400, "Signature: cannot be read"},
           {"missing", 401, "keyId: there is no such key"},
           {"gone", 401, "keyId: https://v.example/users/victor#main-key is gone"},
           {"blocked", 403, "the host is blocked"},
           {"away", 503, "The server cannot do this now; try again soon"}}) {
    CAPTURE(row.signature);
    const auto answer = post({follow_of(eve), row.signature});
    CHECK(answer.status == row.status);
    CHECK(answer.body == R"({"error":")" + std::string{row.words} + R"("})");
    CHECK((row.status == 503) == !find_header(answer.headers, "Retry-After").empty());
  }
  CHECK(kept().empty());
  CHECK(seen->woken.empty());
  CHECK(seen->alive.empty());
}

TEST_CASE_METHOD(inbox_fixture, "A10: nobody speaks for another", "[inbox_handlers][A10]") {
  CHECK(post({follow_of(victor), eve}).status == 403);
  CHECK(post({follow_of("https://example.org/users/Alice"), eve}).status == 403);
  CHECK(kept().empty());
}

TEST_CASE_METHOD(inbox_fixture, "A10: filters are asked of nothing that a stranger says",
                 "[inbox_handlers][filters][A10]") {
  const auto filters = std::make_shared<kit::scripted_gate>();
  services->gate = filters;
  CHECK(post({follow_of(victor), eve}).status == 403);
  CHECK(post({follow_of(eve), "wrong"}).status == 401);
  CHECK(filters->questions.empty());
  CHECK(kept().empty());
  CHECK(seen->woken.empty()); // no lane hears of it either
}

TEST_CASE_METHOD(inbox_fixture, "A36: what is passed on is kept as its bearer's hint",
                 "[inbox_handlers][A36]") {
  const auto passed = std::string{R"({"type":"Create","id":"https://v.example/a/1","actor":")"} +
                      victor + R"(","object":"https://v.example/n/1"})";
  CHECK(post({passed, eve}).status == 202);
  CHECK(kept() == std::vector<std::string>{eve + " https://v.example/a/1 https://e.example:443"});
}

TEST_CASE_METHOD(inbox_fixture, "A26: farewells", "[inbox_handlers][A26]") {
  const auto unknown = std::string{"https://g.example/users/gus"};
  // Nobody that is known: no key is looked for, whatever the signature.
  CHECK(post({farewell_of(unknown), "wrong"}).status == 202);
  CHECK(post({farewell_of(unknown), "gone"}).status == 202);
  CHECK(seen->checked.empty());
  CHECK(kept().empty());
  // Known, and his server says that the key is gone: so is he.
  CHECK(post({farewell_of(victor), "gone"}).status == 202);
  CHECK(kept() == std::vector{row_of(victor, victor + "#delete")});
  // Another's key, however gone.
  CHECK(post({farewell_of(victor), "other gone"}).status == 401);
  CHECK(post({farewell_of(victor), "missing"}).status == 401);
  CHECK(post({farewell_of(victor), eve}).status == 202);
  CHECK(kept().size() == 1);
  // Not signed at all is no farewell.
  CHECK(post({farewell_of(victor), ""}).status == 401);
  CHECK(post({farewell_of(unknown), ""}).status == 401);
}

TEST_CASE_METHOD(inbox_fixture, "A24: shut out hosts and actors are refused before a key is asked",
                 "[inbox_handlers][A24]") {
  for (const auto* host : {"bad.example", "sub.bad.example"}) {
    const auto actor = "https://" + std::string{host} + "/users/x";
    CHECK(post({follow_of(actor), actor}).status == 403);
  }
  run("UPDATE account SET suspended_at = 1 WHERE id = 3");
  CHECK(post({follow_of(victor), victor}).status == 403);
  CHECK(seen->checked.empty());
  CHECK(kept().empty());
}

TEST_CASE_METHOD(inbox_fixture, "an inbox that is not there is 404, one that was is 410",
                 "[inbox_handlers]") {
  CHECK(post({follow_of(eve), eve, "/users/nobody/inbox"}).status == 404);
  CHECK(post({follow_of(eve), eve, "/users/bob/inbox"}).status == 410);
  CHECK(post({follow_of(eve), eve, "/users/victor/inbox"}).status == 404); // not of ours
  CHECK(seen->checked.empty());
  CHECK(kept().empty());
}

TEST_CASE_METHOD(inbox_fixture, "types of content", "[inbox_handlers]") {
  struct type_row {
    const char* type;
    int status;
  };
  for (
      const auto& row : std::vector<type_row>{
          {"application/activity+json", 202},
          {"application/activity+json; charset=utf-8", 202},
          {R"(application/ld+json; profile="https://www.w3.org/ns/activitystreams")", 202},
          {R"(application/ld+json; profile="https://x.example https://www.w3.org/ns/activitystreams")",
           202},
          {"application/json", 202},
          {"application/ld+json", 400},
          {"text/plain", 400},
          {"text/html", 400},
          {"application/x-www-form-urlencoded", 400},
          {"multipart/form-data; boundary=x", 400},
          {"", 400}}) {
    CAPTURE(row.type);
    CHECK(post({follow_of(eve), eve, "/inbox", row.type}).status == row.status);
  }
}

TEST_CASE_METHOD(inbox_fixture,
                 "A39, A81, A83: what is no activity is 400, and no key is asked for",
                 "[inbox_handlers][A83]") {
  const auto sent = std::vector<std::string>{
      "",
      "[]",
      "3",
      "null",
      "{",
      "\xef\xbb\xbf{}",
      "{}",
      std::string(100'000, '['),
      R"({"type":"Follow"})",
      R"({"type":"Follow","actor":7})",
      R"({"type":"Follow","actor":[]})",
      R"({"type":"Follow","actor":["https://e.example/a","https://v.example/b"]})",
      R"({"type":7,"actor":"https://e.example/users/eve"})",
      R"({"type":"Follow","actor":"data:text/plain,x"})",
      R"({"type":"Follow","actor":"/users/eve"})",
      R"({"type":"Follow","actor":"http://e.example/users/eve"})",
      R"({"type":"Follow","actor":"https://e.example:22/users/eve"})",
      R"({"type":"Follow","actor":"https://u:p@e.example/users/eve"})",
      R"({"type":"Follow","actor":"https://e.example/\r\nX: y"})",
      R"({"type":"Follow","actor":"https://2130706531/users/eve"})"};
  for (const auto& body : sent) {
    CAPTURE(body.substr(0, 80));
    CHECK(post({body}).status == 400);
  }
  CHECK(post({std::string(1024 * 1024 + 1, ' ')}).status == 413);
  CHECK(seen->checked.empty());
  CHECK(kept().empty());
}

TEST_CASE_METHOD(inbox_fixture, "A83: what has no effect is accepted and forgotten",
                 "[inbox_handlers][A83]") {
  for (const auto* rest :
       {R"("type":"Zzz")", R"("type":"Create","object":null)", R"("type":["Like"],"object":[])",
        R"("type":"Follow","object":"https://v.example/users/victor")"}) {
    CAPTURE(rest);
    const auto body = R"({"actor":")" + eve + R"(",)" + rest + "}";
    CHECK(post({body}).status == 202);
    CHECK(post({body, "wrong"}).status == 401); // even so it must be signed
  }
  CHECK(kept().empty());
}

TEST_CASE_METHOD(inbox_fixture, "A125: a flood is answered 429 to its sender alone",
                 "[inbox_handlers][A125]") {
  for (const auto* id : {"1", "2", "3", "4"})
    CHECK(post({follow_of(eve, id)}).status == 202);
  const auto refused = post({follow_of(eve, "5")});
  CHECK(refused.status == 429);
  CHECK(find_header(refused.headers, "Retry-After") == "60");
  CHECK(post({follow_of(eve, "4")}).status == 202); // was kept, and its sender missed the answer
  CHECK(post({follow_of(victor), victor}).status == 202);
  CHECK(kept().size() == 5);
  run("UPDATE inbox_log SET done = 1 WHERE ap_id = 'https://e.example/f/1'");
  CHECK(post({follow_of(eve, "5")}).status == 202);
}

TEST_CASE_METHOD(inbox_fixture, "servers are not limited as clients are", "[inbox_handlers]") {
  for (auto times = 0; times < 10; ++times)
    CHECK(post({follow_of(eve)}).status == 202);
  auto answer = post({follow_of(eve)});
  CHECK(find_header(answer.headers, "X-RateLimit-Limit").empty());
  // What they do wrong elsewhere counts.
  for (auto times = 0; times < 3; ++times)
    CHECK(post({follow_of(eve), eve, "/nowhere"}).status == 404);
  CHECK(post({follow_of(eve), eve, "/nowhere"}).status == 429);
  CHECK(post({follow_of(eve)}).status == 202);
}

TEST_CASE_METHOD(inbox_fixture, "what cannot be stored is not answered with 202",
                 "[inbox_handlers]") {
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_full, "full"); };
  const auto answer = post({follow_of(eve)});
  CHECK(answer.status == 507);
  CHECK(seen->woken.empty());
  storage.faults().at_call = nullptr;
  CHECK(post({follow_of(eve)}).status == 202);
}

TEST_CASE_METHOD(inbox_fixture, "A15: deliveries that wait for keys keep no client out",
                 "[inbox_handlers][A15]") {
  const auto first = services->inbox_tickets.take();
  const auto second = services->inbox_tickets.take();
  CHECK(post({follow_of(eve)}).status == 503);
  CHECK(post({"", "", "/nowhere"}).status == 404);
  const auto held = services->tickets.in_use();
  CHECK(held == 0);
}

TEST_CASE_METHOD(inbox_fixture, "a node that takes nothing in says so", "[inbox_handlers]") {
  services->inbox = inbox_lane_handle{};
  CHECK(post({follow_of(eve)}).status == 503);
}
