// How operators block domains through the admin API.

#include "kit/admin_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

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
