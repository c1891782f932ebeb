// How operators watch remote hosts through the admin API.

#include "kit/admin_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

TEST_CASE("hosts are listed by backlog, or as asked, a page at a time", "[admin_hosts]") {
  auto world = admin_world{};
  CHECK(names(parsed(world.get("/admin/v1/hosts")), "hosts", "name").empty());
  world.add_host(1, "b.example", [](host_line& host) {
    host.health.facts.state = host_state::suspended;
    host.health.facts.fail_streak = 3;
    host.health.facts.first_fail_at = time_point{30s};
    host.health.facts.next_try_at = time_point{60s};
    host.health.last_error = "connect timeout";
    host.health.last_error_at = time_point{40s};
  });
  world.add_host(2, "a.example", [](host_line& host) {
    host.health.facts.paused = true;
    host.health.latency = 1500ms;
  });
  world.add_host(3, "c.example", [](host_line& host) {
    host.address.port = 8443;
    host.health.behind = true;
    host.sums = {.offered = 7, .delivered = 2, .pending = 5};
    host.oldest_at = time_point{1s};
  });
  const auto page = parsed(world.get("/admin/v1/hosts?state=suspended"));
  CHECK(
      to_json(*page.find("hosts")) ==
      R"([{"name":"b.example","origin":"https://b.example:443","node":"1",)"
      R"("state":"suspended","paused":false,"drained":false,"behind":false,"backlog":0,"oldest_at":null,)"
      R"("fail_streak":3,"failing_since":"1970-01-01T00:00:30.000Z",)"
      R"("next_try_at":"1970-01-01T00:01:00.000Z","latency_ms":null,"window":2,"in_flight":0,)"
      R"("exceptions":0,"dead":0,"last_ok_at":null,)"
      R"("last_error":{"text":"connect timeout","at":"1970-01-01T00:00:40.000Z"},)"
      R"("limit":{"in_flight":null,"per_s":null},)"
      R"("sums":{"offered":0,"delivered":0,"coalesced":0,"dead":0,"expired":0,"cancelled":0,)"
      R"("pending":0},"sentence":")" +
          text(page.find("hosts")->as_array()->front(), "sentence") + R"("}])");
  CHECK(text(page, "complete") == "true");
  const auto walked = [&](const std::string& query) {
    return walk(world, "/admin/v1/hosts?" + query, "hosts", "name");
  };
  CHECK(walked("limit=1") == words{"c.example:8443", "b.example", "a.example"});
  CHECK(walked("sort=oldest&limit=1") == words{"c.example:8443", "b.example", "a.example"});
  CHECK(walked("sort=failures&limit=2") == words{"b.example", "a.example", "c.example:8443"});
  CHECK(walked("sort=latency&limit=1") == words{"a.example", "b.example", "c.example:8443"});
  CHECK(walked("limit=1&sort=name") == words{"a.example", "b.example", "c.example:8443"});
  CHECK(walked("state=paused") == words{"a.example"});
  CHECK(walked("state=behind") == words{"c.example:8443"});
  CHECK(walked("state=probing").empty());
  CHECK(walked("q=C.EX") == words{"c.example:8443"});
}

TEST_CASE("what a list of hosts cannot be asked is refused with what it can", "[admin_hosts]") {
  auto world = admin_world{};
  check_problem(world.get("/admin/v1/hosts?sort=size"), 422,
                "backlog, oldest, failures, latency or name");
  check_problem(world.get("/admin/v1/hosts?state=well"), 422, "state: must be");
  check_problem(world.get("/admin/v1/hosts?limit=501"), 422, "limit: must be 1 to 500");
  for (const auto* mark : {"x", "1", "1:", ":5", "1:x", "0:5", "1:5x"})
    check_problem(world.get("/admin/v1/hosts?after=" + std::string{mark}), 422, "after: must be");
  check_problem(world.get("/admin/v1/hosts?q=" + std::string(254, 'x')), 422, "q: must have");
}

TEST_CASE("a host is shown with what its actor says, and why its next try is when it is",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example", [](host_line& host) {
    host.health.facts.state = host_state::suspended;
    host.health.facts.fail_streak = 4;
    host.sums = {.offered = 9, .dead = 3, .pending = 6};
  });
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
                       .fetch_not_before = time_point{70s},
                       .last_errors = {{time_point{50s}, 503, "503 Busy"},
                                       {time_point{40s}, 0, "connection refused"}}};
  };
  const auto shown = parsed(world.get("/admin/v1/hosts/slow.example"));
  CHECK(text(shown, "state") == "probing");
  CHECK(text(shown, "backlog") == "9");
  CHECK(text(shown, "oldest_at") == "1970-01-01T00:00:05.000Z");
  CHECK(text(shown, "in_flight") == "1");
  CHECK(text(shown, "exceptions") == "2");
  CHECK(text(shown, "dead") == "3");
  CHECK(text(shown, "fail_streak") == "4");
  CHECK(text(shown, "next_try_at") == "1970-01-01T00:01:00.000Z");
  CHECK(text(shown, "next_try_why") == "back-off after 4 failures: connection refused");
  CHECK(text(shown, "fetch_not_before") == "1970-01-01T00:01:10.000Z");
  CHECK(text(shown, "last_errors") ==
        R"([{"at":"1970-01-01T00:00:50.000Z","status":503,"text":"503 Busy"},)"
        R"({"at":"1970-01-01T00:00:40.000Z","status":null,"text":"connection refused"}])");
  CHECK(text(*shown.find("sums"), "pending") == "6");
  CHECK(text(shown, "signature_scheme") == "unknown");
  CHECK(text(shown, "node") == "1");
  CHECK(text(shown, "stale") == "false");
}

TEST_CASE("since when something waits of which only the books know is theirs to say",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "paused.example", [](host_line& host) { host.health.facts.paused = true; });
  auto waiting = std::int64_t{1};
  world.region->describe = [&](const host_address& host) { // the books tell in this moment
    world.board->note_books(host_id{1}, host, {.pending = 1}, 0, 0, time_point{7s});
    return host_report{.host = host, .state = "healthy", .paused = true, .waiting = waiting};
  };
  const auto shown = [&] { return parsed(world.get("/admin/v1/hosts/paused.example")); };
  CHECK(text(shown(), "backlog") == "1");
  CHECK(text(shown(), "oldest_at") == "1970-01-01T00:00:07.000Z");
  waiting = 0; // it has been sent, and the books do not know yet
  CHECK(text(shown(), "oldest_at") == "null");
}

TEST_CASE("a host whose actor does not answer is shown as the board has it, and as stale",
          "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "slow.example", [](host_line& host) {
    host.health.facts.state = host_state::suspended;
    host.health.facts.fail_streak = 1;
    host.health.facts.next_try_at = time_point{60s};
    host.dead_letters = 4; // of which its row says nothing
  });
  world.region->describe = [](const host_address&) -> caf::result<host_report> {
    return make_error(errc::quarantined, "crashed often");
  };
  const auto shown = parsed(world.get("/admin/v1/hosts/slow.example"));
  CHECK(text(shown, "stale") == "true");
  CHECK(text(shown, "state") == "suspended");
  CHECK(text(shown, "next_try_why") == "back-off after 1 failure");
  CHECK(text(shown, "dead") == "4");
  CHECK(text(shown, "problem") == "crashed often");
}

TEST_CASE("a host is found by any spelling of its name", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_host(1, "xn--bcher-kva.example");
  world.add_host(2, "c.example", [](host_line& host) { host.address.port = 8443; });
  const auto plain = [](host_line& host) { host.address = {"http", "d.example", 80}; };
  world.add_host(3, "d.example", plain);
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
  testing.add_host(3, "d.example", plain);
  CHECK(text(parsed(testing.get("/admin/v1/hosts/d.example")), "origin") == "http://d.example:80");
}

TEST_CASE("a host that has a row and no line yet is found, and gets one", "[admin_hosts]") {
  auto world = admin_world{};
  world.add_row(7, {.scheme = "https", .name = "new.example"});
  CHECK(names(parsed(world.get("/admin/v1/hosts")), "hosts", "name").empty());
  CHECK(text(parsed(world.get("/admin/v1/hosts/new.example")), "state") == "unproven");
  CHECK(names(parsed(world.get("/admin/v1/hosts")), "hosts", "name") == words{"new.example"});
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
