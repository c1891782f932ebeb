// Requests about one host, which the node answers to which the host belongs.

#include "kit/peers_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

namespace {

const auto far = std::string{"/admin/v1/hosts/far.example"};

/// n1, to which near.example belongs; far.example is n2's.
struct passing_world : peers_world {
  passing_world() {
    add_host_of("n1", 1, "near.example");
    add_host_of("n2", 2, "far.example");
  }
};

} // namespace

TEST_CASE("a request about another node's host is passed on whole, once", "[admin_passing]") {
  auto world = passing_world{};
  const auto answer =
      world.ask(http_method::post, far + ":replay?dry_run=1", R"({"from_seq":4})", "o", "key-1");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"of":"n2"})");
  REQUIRE(world.passed.size() == 1);
  const auto& [node, request] = world.passed.front();
  CHECK(node == "n2");
  CHECK(request.method == http_method::post);
  CHECK(request.path == far + ":replay");
  CHECK(request.query == "dry_run=1");
  CHECK(request.body == R"({"from_seq":4})");
  CHECK(request.header("Idempotency-Key") == "key-1");
  CHECK(request.header("Authorization") == "Bearer o");
  CHECK(request.peer == "192.0.2.1");
  CHECK_FALSE(request.is_passed_on);
  CHECK(world.region->told.empty());
  CHECK(world.count("audit") == 0);
}

TEST_CASE("everything about one host goes to its node", "[admin_passing]") {
  auto world = passing_world{};
  for (const auto& path :
       {far, far + "/queue?limit=3", std::string{"/admin/v1/dead-letters?host=FAR.example"}})
    CHECK(world.get(path).body == R"({"of":"n2"})");
  for (const auto* action : {":pause", ":resume", ":retry-now", ":drain", ":flush"})
    CHECK(world.post(far + action).body == R"({"of":"n2"})");
  CHECK(world.post(far + ":limit", R"({"per_s":1})").body == R"({"of":"n2"})");
  for (const auto* action : {"replay", "discard"})
    CHECK(world.post("/admin/v1/dead-letters:" + std::string{action}, R"({"host":"far.example"})")
              .body == R"({"of":"n2"})");
  CHECK(world.passed.size() == 11);
  CHECK(world.region->told.empty());
  CHECK(world.board->list({}).size() == 1); // it is on no other board
}

TEST_CASE("what belongs to this node, or to nobody, is passed on to nobody", "[admin_passing]") {
  auto world = passing_world{};
  CHECK(text(parsed(world.get("/admin/v1/hosts/near.example")), "node") == "n1");
  CHECK(world.post("/admin/v1/hosts/near.example:pause").status == 200);
  check_problem(world.get("/admin/v1/hosts/nobody.example"), 404, "is not known");
  check_problem(world.post(far + ":limit"), 422, "one must be given");
  check_problem(world.ask(http_method::post, far + ":pause", "", "r"), 403, "");
  CHECK(world.get("/admin/v1/dead-letters").status == 200);
  CHECK(world.passed.empty());
  CHECK(world.region->told == words{"describe https://near.example:443",
                                    "pause https://near.example:443",
                                    "describe https://near.example:443"});
}

TEST_CASE("what was passed on to a node is done there, or refused, and not passed on again",
          "[admin_passing]") {
  auto world = passing_world{};
  world.is_passed_on = true;
  check_problem(world.post(far + ":pause"), 503, "is on its way to another node; nothing was done");
  CHECK(world.passed.empty());
  CHECK(world.region->told.empty());
  CHECK(world.count("audit") == 0);
  CHECK(world.post("/admin/v1/hosts/near.example:pause").status == 200);
  CHECK(world.count("audit") == 1);
}

TEST_CASE("the answer under a key is kept by the node that has done it, and by no other",
          "[admin_passing]") {
  auto world = passing_world{};
  const auto flush = [&] { return world.ask(http_method::post, far + ":flush", "", "o", "k"); };
  CHECK(flush().status == 200);
  CHECK(flush().status == 200);
  CHECK(world.passed.size() == 2); // the other node knows that it has done it
  world.owners.clear();            // and has given the host to this one since then
  CHECK(flush().body.find(R"("action":"flush")") != std::string::npos);
  CHECK(flush().status == 200);
  CHECK(std::ranges::count(world.region->told, "operate https://far.example:443") == 1);
}

TEST_CASE("a host that moves while its order is carried out is shown, and passed on to nobody",
          "[admin_passing]") {
  auto world = passing_world{};
  world.region->change = [&](const host_address& host, std::string_view) {
    world.owners[host.name] = "n2";
  };
  CHECK(world.post("/admin/v1/hosts/near.example:pause").status == 200);
  CHECK(world.passed.empty());
}

TEST_CASE("what was ordered at another node is seen by the next one who looks", "[admin_passing]") {
  auto world = passing_world{};
  CHECK(world.get("/admin/v1/delivery").status == 200);
  CHECK(world.peers["n2"]->asked.size() == 1);
  CHECK(world.post(far + ":pause").status == 200);
  CHECK(world.get("/admin/v1/delivery").status == 200);
  CHECK(world.peers["n2"]->asked.size() == 2);
}

TEST_CASE("an answer of another node goes out with its headers, each once", "[admin_passing]") {
  auto world = passing_world{};
  world.answer_of_peer = {.status = 503,
                          .body = "{}",
                          .content_type = "application/problem+json",
                          .headers = {{"Retry-After", "5"},
                                      {"X-Content-Type-Options", "nosniff"},
                                      {"Referrer-Policy", "same-origin"},
                                      {"Cache-Control", "private, no-store"}}};
  const auto answer = world.get(far);
  CHECK(answer.status == 503);
  CHECK(answer.content_type == "application/problem+json");
  CHECK(answer.headers == world.answer_of_peer.headers);
}
