// What the admin API of the node that serves tells of the hosts of all nodes.

#include "kit/peers_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

namespace {

constexpr auto all_nodes = std::array<const char*, 3>{"n1", "n2", "n3"};

/// Ids, backlogs and names rise in different orders; several hosts are equal in each.
void change_of(int id, host_line& host) {
  host.sums = {.offered = id % 5, .pending = id % 5};
  if (id % 3 == 0)
    host.oldest_at = time_point{std::chrono::seconds{id % 7}};
  host.health.facts.fail_streak = id % 4;
  host.health.latency = std::chrono::milliseconds{id % 6};
  host.health.facts.paused = id % 2 == 0;
}

std::string name_of(int id) {
  return "h" + std::to_string(id * 37 % 41) + ".example";
}

void add_all(peers_world& world) {
  for (auto id = 1; id <= 40; ++id)
    world.add_host_of(all_nodes[static_cast<std::size_t>(id % 3)], id, name_of(id),
                      [id](host_line& host) { change_of(id, host); });
}

std::string missing_in(const http_response& response) {
  const auto page = parsed(response);
  return text(page, "complete") + " " + text(page, "missing_nodes");
}

/// Post 12 of Alice, in row 1 of the log, owed to an inbox of each host.
void add_post(admin_world& world, const std::vector<int>& hosts) {
  world.run("INSERT INTO account(id, name, folded, uri, created_at)"
            " VALUES (5, 'Alice', 'alice', 'https://example.org/users/Alice', 1)");
  world.run("INSERT INTO post(id, author, visibility, created_at) VALUES (12, 5, 1, 1)");
  world.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
            " VALUES (1, 1, 1, 5, 'p/0/12', 2, 1, 0)");
  for (const auto host : hosts) {
    const auto number = std::to_string(host);
    world.run("INSERT INTO endpoint(id, host_id, url, shared) VALUES (" + number + ", " + number +
              ", 'https://inbox/" + number + "', 1)");
    world.run("INSERT INTO log_extra(seq, endpoint_id) VALUES (1, " + number + ")");
  }
}

words states_in(const json_value& page) {
  auto all = words{};
  for (const auto& host : *page.find("hosts")->as_array())
    all.push_back(text(host, "name") + " " + text(host, "state"));
  return all;
}

constexpr auto deliveries = "/admin/v1/posts/12/deliveries";

} // namespace

TEST_CASE("the hosts of three nodes are listed as those of one, in every order and page",
          "[admin_peers]") {
  auto one = peers_world{{}};
  auto three = peers_world{};
  for (auto id = 1; id <= 40; ++id)
    one.add_host(id, name_of(id), [id](host_line& host) { change_of(id, host); });
  add_all(three);
  for (const auto* query :
       {"sort=backlog", "sort=oldest", "sort=failures", "sort=latency", "sort=name",
        "sort=name&state=paused", "sort=failures&q=h1", "sort=oldest&state=unproven"})
    for (const auto* limit : {"3", "7", "40", "500"}) {
      CAPTURE(query, limit);
      const auto path = "/admin/v1/hosts?" + std::string{query} + "&limit=" + limit;
      const auto listed = walk(three, path, "hosts", "name");
      CHECK(listed == walk(one, path, "hosts", "name"));
      CHECK_FALSE(listed.empty());
    }
  const auto page = parsed(three.get("/admin/v1/hosts?sort=name&limit=500"));
  for (const auto& host : *page.find("hosts")->as_array()) {
    const auto owner = three.owners.find(text(host, "name"));
    CHECK(text(host, "node") == (owner == three.owners.end() ? "n1" : owner->second));
  }
  CHECK(text(page, "complete") == "true");
}

TEST_CASE("a node that is silent costs a second, and is named", "[admin_peers]") {
  auto world = peers_world{};
  add_all(world);
  const auto began = world.now();
  CHECK(missing_in(world.get("/admin/v1/hosts?limit=500")) == "true []");
  CHECK(world.now() == began);
  world.peers["n3"]->is_silent = true;
  const auto response = world.get("/admin/v1/hosts?limit=500"); // else it has not answered by then
  CHECK(world.now() == began + 1s);
  CHECK(missing_in(response) == R"(false ["n3"])");
  CHECK(names(parsed(response), "hosts", "node").size() == 27);
  for (const auto& late : world.unanswered)
    late(board_answer{std::vector<host_line>{}}); // nobody waits any more
  world.advance(1s);
  world.peers["n2"]->is_silent = true;
  CHECK(missing_in(world.get("/admin/v1/hosts")) == R"(false ["n2","n3"])");
  CHECK(missing_in(world.get("/admin/v1/delivery")) == R"(false ["n2","n3"])");
}

TEST_CASE("a node that refuses, or answers something else, is missing at once", "[admin_peers]") {
  auto world = peers_world{};
  add_all(world);
  const auto began = world.now();
  world.peers["n2"]->refusal = make_error(errc::unavailable, "it is away");
  CHECK(missing_in(world.get("/admin/v1/hosts")) == R"(false ["n2"])");
  world.peers["n2"]->refusal = {};
  auto wrong = board_answer{books_flushed{}};
  world.admin().boards.ask = [&](const std::string&, const board_question&,
                                 std::chrono::milliseconds,
                                 const peer_boards::answered& answered) { answered(wrong); };
  CHECK(missing_in(world.get("/admin/v1/hosts")) == R"(false ["n2","n3"])");
  wrong = {std::vector<host_line>(2)}; // more than was asked for
  CHECK(missing_in(world.get("/admin/v1/hosts?limit=1")) == R"(false ["n2","n3"])");
  CHECK(missing_in(world.get("/admin/v1/delivery")) == R"(false ["n2","n3"])");
  CHECK(world.now() == began);
}

TEST_CASE("a host on its way between two nodes is listed once, as its own node has it",
          "[admin_peers]") {
  auto world = peers_world{};
  world.add_host_of("n3", 1, "a.example", [](host_line& host) {
    host.health.facts.paused = true;
    host.sums.pending = 7;
  });
  auto old = host_line{};
  old.address = {.scheme = "https", .name = "a.example"};
  old.health.facts.id = host_id{1};
  old.health.facts.paused = true;
  old.sums.pending = 9;
  world.board->load(old);
  world.peers["n2"]->board.load(old);
  const auto hosts = parsed(world.get("/admin/v1/hosts"));
  CHECK(names(hosts, "hosts", "node") == words{"n3"});
  CHECK(names(hosts, "hosts", "backlog") == words{"7"});
  const auto delivery = parsed(world.get("/admin/v1/delivery"));
  CHECK(names(delivery, "attention", "node") == words{"n3"});
  CHECK(names(delivery, "attention", "backlog") == words{"7"});
}

TEST_CASE("delivery of all nodes adds up, and the worst of all are chosen", "[admin_peers]") {
  auto world = peers_world{};
  world.services().budget = std::make_shared<delivery_budget>();
  const auto owed = [](std::int64_t units) {
    return [units](host_line& host) {
      host.health.facts.state = host_state::suspended;
      host.health.facts.fail_streak = 3;
      host.sums = {.offered = units + 1, .delivered = 1, .pending = units};
      host.oldest_at = time_point{};
    };
  };
  for (auto id = 1; id <= 15; ++id)
    world.add_host_of(all_nodes[static_cast<std::size_t>(id % 3)], id,
                      "h" + std::to_string(id) + ".example", owed(id));
  world.admin().stuck = [] { return std::vector<stuck_actor>{{"account 1", time_point{5s}}}; };
  world.peers["n2"]->stuck = [] {
    return std::vector<stuck_actor>{{"remote_host https://h1.example:443", time_point{4s}}};
  };
  const auto shown = parsed(world.get("/admin/v1/delivery"));
  const auto& totals = *shown.find("totals");
  CHECK(text(totals, "hosts") == "15");
  CHECK(text(totals, "waiting") == "120");
  CHECK(text(*totals.find("by_state"), "suspended") == "15");
  CHECK(text(*totals.find("sums"), "offered") == "135");
  CHECK(text(totals, "oldest_at") == "1970-01-01T00:00:00.000Z");
  const auto worst = names(shown, "attention", "name");
  REQUIRE(worst.size() == 10);
  CHECK(worst.front() == "h15.example");
  CHECK(worst.back() == "h6.example");
  CHECK(names(shown, "attention", "node") ==
        words{"n1", "n3", "n2", "n1", "n3", "n2", "n1", "n3", "n2", "n1"});
  const auto kinds = words{"healthy", "unproven", "retry", "probe", "slow"};
  auto thrice = kinds;
  for (auto more = 0; more < 2; ++more)
    thrice.insert(thrice.end(), kinds.begin(), kinds.end());
  CHECK(names(shown, "budgets", "kind") == thrice);
  CHECK(names(shown, "budgets", "node").at(4) == "n1");
  CHECK(names(shown, "budgets", "node").at(5) == "n2");
  CHECK(names(shown, "stuck_actors", "node") == words{"n2", "n1"});
  CHECK(missing_in(world.get("/admin/v1/delivery")) == "true []");
  CHECK(world.peers["n2"]->asked.size() == 1); // all who look share one gathering
}

TEST_CASE("one glance is gathered at a time, for all who look", "[admin_peers]") {
  const auto now = time_point{1s};
  auto glance = shared_glance{};
  auto makings = std::vector<shared_glance::taker>{};
  auto got = words{};
  const auto look = [&] {
    glance.get(
        now, [&](const std::string& text) { got.push_back(text); },
        [&](const shared_glance::taker& take) { makings.push_back(take); });
  };
  look();
  look();
  CHECK(makings.size() == 1);
  CHECK(got.empty());
  makings[0]("a");
  look();
  CHECK(got == words{"a", "a", "a"});
  CHECK(makings.size() == 1);

  glance.forget();
  look();
  glance.forget(); // something was ordered: what is under way is too old for the next one
  look();
  REQUIRE(makings.size() == 3);
  makings[1]("old");
  look();
  makings[2]("new");
  look();
  CHECK(got == words{"a", "a", "a", "old", "new", "new", "new"});

  glance.forget();
  look();
  makings.clear(); // whoever gathered is gone
  look();
  CHECK(makings.size() == 1);
}

TEST_CASE("where a post is, by the word of all nodes", "[admin_peers]") {
  auto world = peers_world{};
  for (const auto& [node, id] : std::map<std::string, int>{{"n1", 1}, {"n2", 2}, {"n3", 3}})
    world.add_host_of(node, id, "h" + std::to_string(id) + ".example", [](host_line& host) {
      host.health.facts.state = host_state::suspended;
      host.sums = {.offered = 3, .pending = 3};
    });
  world.add_host_of("n3", 4, "h4.example",
                    [](host_line& host) { host.health.facts.flushed_upto = 1; });
  world.add_host_of("n2", 5, "h5.example",
                    [](host_line& host) { host.health.facts.drained_after = 0; });
  add_post(world, {1, 2, 3, 4, 5});
  world.peers["n3"]->books.is_open = [](const auto& unit) { return unit.host == host_id{3}; };
  const auto page = parsed(world.get(deliveries));
  CHECK(states_in(page) == words{"h3.example pending", "h5.example cancelled", "h4.example unclear",
                                 "h1.example delivered", "h2.example delivered"});
  CHECK(names(page, "hosts", "why").front() == "3 waiting");
  CHECK(names(page, "hosts", "host_state").front() == "suspended");
  CHECK(text(page, "complete") == "true");
  CHECK(world.books->flushes == 1);
  CHECK(world.peers["n2"]->books.flushes == 1);
  CHECK(world.peers["n3"]->books.flushes == 1);
  world.peers["n2"]->books.dispatched = 0; // it has not read row 1 yet
  CHECK(states_in(parsed(world.get(deliveries))).back() == "h5.example pending");
}

TEST_CASE("what a node that is away delivers to is not called delivered", "[admin_peers]") {
  auto world = peers_world{};
  for (const auto& [node, id] : std::map<std::string, int>{{"n1", 1}, {"n2", 2}, {"n3", 3}})
    world.add_host_of(node, id, "h" + std::to_string(id) + ".example");
  add_post(world, {1, 2, 3});
  const auto unclear = words{"h3.example unclear", "h1.example delivered", "h2.example delivered"};
  const auto began = world.now();
  SECTION("it is silent") {
    world.peers["n3"]->is_silent = true;
    const auto response = world.get(deliveries);
    CHECK(states_in(parsed(response)) == unclear);
    CHECK(names(parsed(response), "hosts", "why").front() ==
          "the node that delivers to it does not answer");
    CHECK(missing_in(response) == R"(false ["n3"])");
    CHECK(world.now() <= began + 1s);
    CHECK(world.peers["n3"]->asked.size() == 1); // it costs no second round
  }
  SECTION("it goes away after the first round") {
    auto rounds = 0;
    world.peers["n3"]->books.is_open = [](const auto&) { return true; };
    world.admin().boards.ask =
        [&, ask = world.admin().boards.ask](const std::string& node, const board_question& question,
                                            std::chrono::milliseconds limit,
                                            const peer_boards::answered& answered) {
          world.peers["n3"]->is_silent = ++rounds > 2;
          ask(node, question, limit, answered);
        };
    const auto response = world.get(deliveries);
    CHECK(states_in(parsed(response)) == unclear);
    CHECK(missing_in(response) == R"(false ["n3"])");
  }
  SECTION("nobody asks it any more, and its hosts belong to nobody else yet") {
    world.peers.erase("n3");
    CHECK(states_in(parsed(world.get(deliveries))) == unclear);
  }
}
