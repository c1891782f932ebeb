// How operators watch and steer remote hosts, and block domains, through the admin API.

#include "api/admin_api.hpp"

#include "actors/messages.hpp"
#include "api/admin_services.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "protocol/crypto.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

/// What the region of hosts was told, and what it answers.
struct fake_region {
  words told; ///< "pause https://slow.example:443"
  std::function<caf::result<host_report>(const host_address&)> describe;
  caf::error refusal;
  std::function<void(const host_address&, std::string_view)> change;
};

remote_host_handle::behavior_type region_of(std::shared_ptr<fake_region> region) {
  const auto change = [region](const host_address& host,
                               std::string_view what) -> caf::result<void> {
    region->told.push_back(std::string{what} + " " + to_key(host));
    if (region->refusal)
      return region->refusal;
    region->change(host, what);
    return caf::unit;
  };
  return {
      [](const offer_units&) -> caf::result<void> { return caf::unit; },
      [](const wake_host&) {},
      [](const note_sign_of_life&) {},
      [](const fetch_document&) -> caf::result<fetched_document> {
        return caf::sec::bad_function_call;
      },
      [change](const pause_host& wish) { return change(wish.host, "pause"); },
      [change](const resume_host& wish) { return change(wish.host, "resume"); },
      [change](const retry_host& wish) { return change(wish.host, "retry"); },
      [region](const describe_host& wish) -> caf::result<host_report> {
        region->told.push_back("describe " + to_key(wish.host));
        return region->describe(wish.host);
      },
      [](const host_timer&) {},
      [](const exchange_ended&) {},
      [](const slot_granted&) {},
  };
}

class admin_world {
public:
  explicit admin_world(bool test_enabled = false)
      : services_{std::make_shared<api_services>(api_options{.domain = "example.org",
                                                             .url = "https://example.org",
                                                             .own_urls = urls_of("example.org"),
                                                             .version = "0.1.0",
                                                             .test_enabled = test_enabled},
                                                 storage_.start(actors_), actors_.clock())} {
    region->describe = [](const host_address& host) { return host_report{.host = host}; };
    region->change = [this](const host_address& host, std::string_view what) {
      if (what != "retry")
        run("UPDATE host SET paused = " + std::string{what == "pause" ? "1" : "0"} +
            " WHERE name = '" + host.name + "'");
    };
    services_->admin = &admin_;
    services_->hosts = actors_.spawn(region_of, region);
    handler_ =
        enter({actors_.spawn(gateway, services_, admin_flavour())}, services_, admin_flavour());
    add_token("r", 1);
    add_token("o", 2);
  }

  api_services& services() { return *services_; }

  void run(const std::string& sql) { REQUIRE(storage_.db().run(sql)); }
  std::int64_t count(const std::string& rest) {
    return storage_.db().run("SELECT count(*) FROM " + rest)->rows[0][0].integer();
  }

  void add_host(int id, const std::string& name, const std::string& more = "") {
    run("INSERT INTO host(id, scheme, name, port) VALUES (" + std::to_string(id) + ", 'https', '" +
        name + "', 443)");
    if (!more.empty())
      run("UPDATE host SET " + more + " WHERE id = " + std::to_string(id));
  }

  http_response ask(http_method method, const std::string& path, const std::string& body = "",
                    const std::string& token = "o") {
    auto answered = std::make_shared<std::optional<http_response>>();
    const auto mark = path.find('?');
    auto request =
        http_request{.method = method,
                     .path = path.substr(0, mark),
                     .query = mark == std::string::npos ? "" : path.substr(mark + 1),
                     .headers = {{"Host", "127.0.0.1:1"}, {"Content-Type", "application/json"}},
                     .body = body,
                     .peer = "192.0.2.1"};
    if (!token.empty())
      request.headers.emplace_back("Authorization", "Bearer " + token);
    handler_(std::move(request), http_reply{[answered](http_response response) {
               answered->emplace(std::move(response));
             }});
    actors_.settle();
    if (!answered->has_value())
      actors_.advance(1s);
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }

  http_response get(const std::string& path) { return ask(http_method::get, path); }
  http_response post(const std::string& path, const std::string& body = "") {
    return ask(http_method::post, path, body);
  }

  std::shared_ptr<fake_region> region = std::make_shared<fake_region>();

  time_point now() const { return actors_.now(); }

private:
  void add_token(const std::string& token, int scope) {
    REQUIRE(storage_.db().run("INSERT INTO admin_token(hash, scope, name, created_at)"
                              " VALUES ($1, $2, '', 0)",
                              {blob{sha256(token)}, scope}));
  }

  kit::deterministic_system actors_{5};
  kit::test_storage storage_;
  admin_services admin_;
  api_services_ptr services_;
  http_handler handler_;
};

json_value parsed(const http_response& response) {
  CAPTURE(response.body);
  REQUIRE(response.status == 200);
  return *parse_json(response.body);
}

std::string text(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  REQUIRE(member);
  return member->as_string() ? *member->as_string() : to_json(*member);
}

words names(const json_value& page, const char* list, const char* key) {
  auto all = words{};
  for (const auto& item : *page.find(list)->as_array())
    all.push_back(text(item, key));
  return all;
}

/// Follows the Link of each page.
words walk(admin_world& world, std::string path, const char* list, const char* key) {
  auto all = words{};
  for (auto pages = 0; !path.empty() && pages < 20; ++pages) {
    const auto response = world.get(path);
    for (const auto& name : names(parsed(response), list, key))
      all.push_back(name);
    const auto link = std::string{find_header(response.headers, "Link")};
    path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  return all;
}

void check_problem(const http_response& response, int status, const std::string& part) {
  CAPTURE(response.body, part);
  CHECK(response.status == status);
  CHECK(response.content_type == "application/problem+json");
  CHECK(response.body.find(part) != std::string::npos);
}

} // namespace

TEST_CASE("hosts are listed by backlog, or as asked, a page at a time", "[admin_hosts]") {
  auto world = admin_world{};
  CHECK(names(parsed(world.get("/admin/v1/hosts")), "hosts", "name").empty());
  world.add_host(1, "b.example", "fail_streak = 3, state = 4, next_try_at = 60000000");
  world.add_host(2, "a.example", "paused = 1");
  world.add_host(3, "c.example", "port = 8443");
  world.run("INSERT INTO host_backlog(host_id, class, behind_from, count, counted_to, bytes,"
            " oldest_at) VALUES (3, 1, 0, 5, 0, 0, 1000000)");
  const auto page = parsed(world.get("/admin/v1/hosts?state=suspended"));
  CHECK(to_json(*page.find("hosts")) ==
        R"([{"name":"b.example","origin":"https://b.example:443","state":"suspended",)"
        R"("paused":false,"backlog":0,"oldest_at":null,"fail_streak":3,)"
        R"("next_try_at":"1970-01-01T00:01:00.000Z","window":2,"last_ok_at":null,)"
        R"("exceptions":0,"dead":0}])");
  CHECK(text(page, "complete") == "true");
  const auto walked = [&](const std::string& query) {
    return walk(world, "/admin/v1/hosts?" + query, "hosts", "name");
  };
  CHECK(walked("limit=1") == words{"c.example:8443", "b.example", "a.example"});
  CHECK(walked("sort=oldest&limit=1") == words{"c.example:8443", "b.example", "a.example"});
  CHECK(walked("sort=failures&limit=2") == words{"b.example", "a.example", "c.example:8443"});
  CHECK(walked("limit=1&sort=name") == words{"a.example", "b.example", "c.example:8443"});
  CHECK(walked("state=paused") == words{"a.example"});
  CHECK(walked("q=C.EX") == words{"c.example:8443"});
}

TEST_CASE("what a list of hosts cannot be asked is refused with what it can", "[admin_hosts]") {
  auto world = admin_world{};
  check_problem(world.get("/admin/v1/hosts?sort=latency"), 422,
                "backlog, oldest, failures or name");
  check_problem(world.get("/admin/v1/hosts?state=well"), 422, "state: must be");
  check_problem(world.get("/admin/v1/hosts?limit=501"), 422, "limit: must be 1 to 500");
  for (const auto* mark : {"x", "1", "1:", ":5", "1:x", "0:5", "1:5x"})
    check_problem(world.get("/admin/v1/hosts?after=" + std::string{mark}), 422, "after: must be");
  check_problem(world.get("/admin/v1/hosts?q=" + std::string(254, 'x')), 422, "q: must have");
}

TEST_CASE("a host is shown with what its actor says, and why its next try is when it is",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example", "fail_streak = 4, state = 4, next_try_at = 60000000");
  world.region->describe = [](const host_address& host) {
    return host_report{.host = host,
                       .state = "probing",
                       .waiting = 7,
                       .oldest_at = time_point{5s},
                       .window = 1,
                       .in_flight = 1,
                       .exceptions = 2,
                       .dead = 3,
                       .next_try_at = time_point{60s},
                       .next_try_reason = "back-off after 4 failures: connection refused",
                       .last_errors = {{time_point{50s}, 503, "503 Busy"},
                                       {time_point{40s}, 0, "connection refused"}}};
  };
  const auto shown = parsed(world.get("/admin/v1/hosts/slow.example"));
  CHECK(text(shown, "state") == "probing");
  CHECK(text(shown, "backlog") == "7");
  CHECK(text(shown, "oldest_at") == "1970-01-01T00:00:05.000Z");
  CHECK(text(shown, "in_flight") == "1");
  CHECK(text(shown, "exceptions") == "2");
  CHECK(text(shown, "dead") == "3");
  CHECK(text(shown, "fail_streak") == "4");
  CHECK(text(shown, "next_try_at") == "1970-01-01T00:01:00.000Z");
  CHECK(text(shown, "next_try_why") == "back-off after 4 failures: connection refused");
  CHECK(text(shown, "last_errors") ==
        R"([{"at":"1970-01-01T00:00:50.000Z","status":503,"text":"503 Busy"},)"
        R"({"at":"1970-01-01T00:00:40.000Z","status":null,"text":"connection refused"}])");
  CHECK(text(shown, "stale") == "false");
}

TEST_CASE("a host whose actor has only just started is shown as it is stored", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example", "fail_streak = 1, state = 4, next_try_at = 60000000");
  world.region->describe = [](const host_address& host) {
    return host_report{.host = host, .state = "unproven"};
  };
  const auto shown = parsed(world.get("/admin/v1/hosts/slow.example"));
  CHECK(text(shown, "state") == "suspended");
  CHECK(text(shown, "next_try_why") == "back-off after 1 failure");
}

TEST_CASE("a host whose actor does not answer is shown as it is stored, and as stale",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example", "state = 2");
  world.region->describe = [](const host_address&) -> caf::result<host_report> {
    return make_error(errc::quarantined, "crashed often");
  };
  const auto shown = parsed(world.get("/admin/v1/hosts/slow.example"));
  CHECK(text(shown, "stale") == "true");
  CHECK(text(shown, "state") == "healthy");
  CHECK(text(shown, "next_try_why") == "null");
  CHECK(text(shown, "problem") == "crashed often");
}

TEST_CASE("a host is found by any spelling of its name", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "xn--bcher-kva.example");
  world.add_host(2, "c.example", "port = 8443");
  world.add_host(3, "d.example", "scheme = 'http', port = 80");
  for (const auto* name :
       {"xn--bcher-kva.example", "XN--BCHER-KVA.example:443", "b%C3%BCcher.example",
        "B%C3%BCCHER.EXAMPLE", "b%C3%BCcher.example%3A443"}) {
    CAPTURE(name);
    CHECK(text(parsed(world.get("/admin/v1/hosts/" + std::string{name})), "name") ==
          "xn--bcher-kva.example");
  }
  CHECK(text(parsed(world.get("/admin/v1/hosts/c.example:8443")), "name") == "c.example:8443");
  check_problem(world.get("/admin/v1/hosts/c.example"), 404, "host c.example: is not known");
  check_problem(world.get("/admin/v1/hosts/d.example"), 404, "host d.example: is not known");
  auto testing = admin_world{true};
  testing.add_host(3, "d.example", "scheme = 'http', port = 80");
  CHECK(text(parsed(testing.get("/admin/v1/hosts/d.example")), "origin") == "http://d.example:80");
}

TEST_CASE("a host that nobody knows is 404 and starts no actor", "[admin_hosts]") {
  auto world = admin_world{};
  for (const auto* name :
       {"nobody.example", "a%20b", "a..b", "%2e%2e", "x:0", "x:22", "u@x.example"}) {
    CAPTURE(name);
    const auto path = "/admin/v1/hosts/" + std::string{name};
    check_problem(world.get(path), 404, "host ");
    for (const auto* action : {":pause", ":resume", ":retry-now"})
      check_problem(world.post(path + action), 404, "host ");
  }
  CHECK(world.region->told.empty());
}

TEST_CASE("pause, resume and retry-now go to the host's actor and show what came of it",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example");
  world.region->describe = [](const host_address&) -> caf::result<host_report> {
    return make_error(errc::unavailable, "");
  };
  const auto path = std::string{"/admin/v1/hosts/slow.example"};
  for (auto twice = 0; twice < 2; ++twice) {
    const auto shown = parsed(world.post(path + ":pause"));
    CHECK(text(shown, "paused") == "true");
    CHECK(text(shown, "next_try_why") ==
          "paused by an operator: nothing is sent until it is resumed");
  }
  check_problem(world.post(path + ":retry-now"), 409, "resume it");
  for (auto twice = 0; twice < 2; ++twice)
    CHECK(text(parsed(world.post(path + ":resume")), "paused") == "false");
  CHECK(text(parsed(world.post(path + ":retry-now")), "paused") == "false");
  const auto told = [&](const std::string& what) {
    return std::count(world.region->told.begin(), world.region->told.end(),
                      what + " https://slow.example:443");
  };
  CHECK(told("pause") == 2);
  CHECK(told("resume") == 2);
  CHECK(told("retry") == 1);
  world.region->refusal = make_error(errc::storage_full, "no space");
  CHECK(world.post(path + ":pause").status == 507);
}

TEST_CASE("without a region of hosts the list works, and nothing else", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example");
  world.services().hosts = remote_host_handle{};
  CHECK(world.get("/admin/v1/hosts").status == 200);
  check_problem(world.get("/admin/v1/hosts/slow.example"), 503, "unavailable");
  check_problem(world.post("/admin/v1/hosts/slow.example:pause"), 503, "unavailable");
}

TEST_CASE("a read token sees hosts and blocks and changes none", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example");
  for (const auto* path :
       {"/admin/v1/hosts", "/admin/v1/hosts/slow.example", "/admin/v1/domain_blocks"}) {
    CHECK(world.ask(http_method::get, path, "", "r").status == 200);
    CHECK(world.ask(http_method::get, path, "", "").status == 401);
    CHECK(world.ask(http_method::get, path, "", "wrong").status == 401);
  }
  for (const auto* path :
       {"/admin/v1/hosts/slow.example:pause", "/admin/v1/hosts/slow.example:resume",
        "/admin/v1/hosts/slow.example:retry-now", "/admin/v1/domain_blocks"})
    CHECK(world.ask(http_method::post, path, R"({"domain":"x.example"})", "r").status == 403);
  CHECK(world.ask(http_method::del, "/admin/v1/domain_blocks/x.example", "", "r").status == 403);
  CHECK(world.count("domain_block") == 0);
  CHECK(world.count("host WHERE paused = 1") == 0);
}

TEST_CASE("a domain is blocked for everybody, listed, changed and unblocked", "[admin_hosts]") {
  auto world = admin_world{};
  const auto blocks = std::string{"/admin/v1/domain_blocks"};
  CHECK(parsed(world.post(blocks, R"({"domain":"Bad.EXAMPLE","comment":"spam"})")).find("domain"));
  CHECK(world.post(blocks, R"({"domain":"bücher.example","severity":"silence"})").body ==
        R"({"domain":"xn--bcher-kva.example","severity":"silence","comment":""})");
  CHECK(world.post(blocks, R"({"domain":"a.example","severity":"suspend"})").status == 200);
  CHECK(walk(world, blocks + "?limit=1", "domain_blocks", "domain") ==
        words{"a.example", "bad.example", "xn--bcher-kva.example"});
  const auto listed = parsed(world.get(blocks + "?after=a.example&limit=1"));
  const auto& first = listed.find("domain_blocks")->as_array()->front();
  CHECK(text(first, "severity") == "suspend");
  CHECK(text(first, "comment") == "spam");
  CHECK(text(first, "created_at") == to_iso8601(world.now()));
  CHECK(world.post(blocks, R"({"domain":"bad.example","severity":"silence"})").status == 200);
  CHECK(world.count("domain_block WHERE host = 'bad.example' AND severity = 1") == 1);
  CHECK(world.ask(http_method::del, blocks + "/BAD.example").body == R"({"domain":"bad.example"})");
  check_problem(world.ask(http_method::del, blocks + "/bad.example"), 404, "is not blocked");
  check_problem(world.ask(http_method::del, blocks + "/a%20b"), 404, "is not blocked");
  CHECK(world.count("domain_block") == 2);
  CHECK(world.count("log") == 5);
}

TEST_CASE("follows with a suspended domain end, however many there are", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "sub.bad.example");
  world.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES (1, 'a', 'a', 'a', 0)");
  constexpr auto many = 1'201; // three rounds
  for (auto id = 100; id < 100 + many; ++id) {
    const auto number = std::to_string(id);
    world.run("INSERT INTO account(id, host_id, name, folded, uri, created_at) VALUES (" + number +
              ", 1, 'n" + number + "', 'n" + number + "', 'u" + number + "', 0)");
    world.run("INSERT INTO follow(follower, followee, at) VALUES (" + number + ", 1, 0)");
  }
  CHECK(world.post("/admin/v1/domain_blocks", R"({"domain":"bad.example","severity":"silence"})")
            .status == 200);
  CHECK(world.count("follow") == many);
  CHECK(world.post("/admin/v1/domain_blocks", R"({"domain":"bad.example"})").status == 200);
  CHECK(world.count("follow") == 0);
}

TEST_CASE("what cannot be blocked is refused and stored nowhere", "[admin_hosts]") {
  auto world = admin_world{};
  const auto post = [&](const std::string& body) {
    return world.post("/admin/v1/domain_blocks", body);
  };
  check_problem(post(""), 422, "domain: '' is no host name");
  check_problem(post(R"({"domain":"bad.example:443"})"), 422, "is no host name");
  check_problem(post(R"({"domain":"https://bad.example/"})"), 422, "is no host name");
  check_problem(post(R"({"domain":"EXAMPLE.org"})"), 422, "this server's own");
  check_problem(post(R"({"domain":"bad.example","severity":"noop"})"), 422, "suspend or silence");
  check_problem(post(R"({"domain":5})"), 422, "domain: must be a text");
  check_problem(post(R"({"domain":"bad.example","comment":[]})"), 422, "comment: must be a text");
  check_problem(post("[]"), 400, "must be a JSON object");
  CHECK(world.count("domain_block") == 0);
}
