// What operators order of remote hosts through the admin API: done once, in the audit, or not at
// all.

#include "kit/admin_world.hpp"

#include <algorithm>
#include <variant>

using namespace trunkline;
using namespace trunkline::kit;

namespace {

const auto slow = std::string{"/admin/v1/hosts/slow.example"};

/// A world with slow.example, whose actor keeps the orders it got.
struct order_world : admin_world {
  order_world() {
    add_host(1, "slow.example",
             [](host_line& host) { host.sums = {.offered = 12, .pending = 12}; });
    run("UPDATE host SET limit_per_s = 7");
    region->operate = [this](const operate_host& order) {
      orders.push_back(order);
      return came;
    };
  }

  template <class Wish>
  const Wish& last() const {
    REQUIRE_FALSE(orders.empty());
    return std::get<Wish>(orders.back().wish);
  }

  std::vector<operate_host> orders;
  operated_host came{.units = 9, .kept = 3};
};

} // namespace

TEST_CASE("drain, flush, replay and limit reach the host's actor and tell how much",
          "[admin_orders]") {
  auto world = order_world{};
  CHECK(world.post(slow + ":flush").body ==
        R"({"action":"flush","host":"slow.example","dry_run":false,"units":9,"kept":3,)"
        R"("is_all":true})");
  CHECK_FALSE(world.orders.back().dry_run);
  world.last<flush_wish>();
  parsed(world.post(slow + ":drain"));
  world.last<drain_wish>();
  parsed(world.post(slow + ":replay", R"({"from_seq":41})"));
  CHECK(world.last<replay_wish>().from_seq == 41);
  parsed(world.post(slow + ":replay", R"({"from":"1970-01-01T00:01:00Z"})"));
  CHECK(world.last<replay_wish>().from_time == time_point{60s});
  CHECK_FALSE(world.last<replay_wish>().from_seq);
  parsed(world.post(slow + ":limit", R"({"in_flight":2})"));
  CHECK(world.last<limit_wish>().in_flight == 2);
  CHECK(world.last<limit_wish>().per_s == 7);
  parsed(world.post(slow + ":limit", R"({"per_s":null})"));
  CHECK_FALSE(world.last<limit_wish>().per_s);
}

TEST_CASE("one post is replayed by its id or any of its addresses", "[admin_orders]") {
  auto world = order_world{};
  for (const auto* post :
       {"12", "https://example.org/users/alice/statuses/12", "https://example.org/@alice/12",
        "https://example.org/users/alice/statuses/12/activity",
        "https://example.org/users/alice/statuses/12#delete"}) {
    CAPTURE(post);
    parsed(world.post(slow + ":replay", R"({"post":")" + std::string{post} + R"("})"));
    CHECK(world.last<replay_wish>().about ==
          object_key{.kind = object_kind::post, .actor = 0, .target = 12});
  }
  world.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES (1, 'a', 'a', 'a', 0)");
  world.run("INSERT INTO post(id, author, visibility, boost_of, created_at)"
            " VALUES (13, 1, 1, 12, 0)");
  parsed(world.post(slow + ":replay", R"({"post":"13"})"));
  CHECK(world.last<replay_wish>().about ==
        object_key{.kind = object_kind::announce, .actor = 1, .target = 12});
}

TEST_CASE("a dry run changes nothing and stands in no audit", "[admin_orders]") {
  auto world = order_world{};
  CHECK(world.post(slow + ":flush?dry_run=1").body ==
        R"({"action":"flush","host":"slow.example","dry_run":true,"units":9,"kept":3,)"
        R"("is_all":true})");
  CHECK(world.orders.back().dry_run);
  for (const auto* action : {":pause", ":resume", ":retry-now"}) {
    const auto answer = parsed(world.post(slow + action, R"({"dry_run":true})"));
    CHECK(text(answer, "units") == "12");
    CHECK(text(answer, "dry_run") == "true");
  }
  CHECK(world.count("host WHERE paused = 1") == 0);
  CHECK(world.orders.size() == 1);
  CHECK(world.region->told.size() == 1);
  CHECK(world.count("audit") == 0);
}

TEST_CASE("every action is in the audit with who, why and what it came to", "[admin_orders]") {
  auto world = order_world{};
  parsed(world.post(slow + ":pause", R"({"reason":"it is on fire"})"));
  parsed(world.post(slow + ":resume?reason=water"));
  parsed(world.post(slow + ":retry-now"));
  parsed(world.post(slow + ":drain"));
  parsed(world.post(slow + ":flush", R"({"reason":"spam"})"));
  parsed(world.post(slow + ":replay", R"({"from_seq":5})"));
  parsed(world.post(slow + ":limit", R"({"in_flight":2})"));
  parsed(world.post("/admin/v1/dead-letters:replay", R"({"host":"slow.example"})"));
  parsed(world.post("/admin/v1/dead-letters:discard",
                    R"({"host":"slow.example","units":["3:4"],"reason":"old"})"));
  CHECK(walk(world, "/admin/v1/audit?limit=2", "audit", "action") ==
        words{"discard-dead-letters", "replay-dead-letters", "limit", "replay", "flush", "drain",
              "retry-now", "resume", "pause"});
  const auto page = parsed(world.get("/admin/v1/audit?target=slow.example&limit=5"));
  const auto& list = *page.find("audit")->as_array();
  CHECK(text(list[0], "who") == "token me");
  CHECK(text(list[0], "reason") == "old");
  CHECK(text(list[0], "detail") == "9 dead letters");
  CHECK(text(list[0], "at") == to_iso8601(world.now()));
  CHECK(text(list[2], "detail") == "in_flight 2, per_s 7: 9 activities, 3 kept");
  CHECK(text(list[3], "detail") == "from row 5: 9 activities, 3 kept");
  CHECK(text(list[4], "reason") == "spam");
  CHECK(parsed(world.get("/admin/v1/audit?target=x")).find("audit")->as_array()->empty());
  check_problem(world.get("/admin/v1/audit?after=x"), 422, "after: must be");
}

TEST_CASE("what happens to accounts, tokens and domains is in the audit too", "[admin_orders]") {
  auto world = order_world{};
  parsed(world.post("/admin/v1/domain_blocks", R"({"domain":"bad.example","comment":"spam"})"));
  CHECK(world.ask(http_method::del, "/admin/v1/domain_blocks/bad.example?reason=better").status ==
        200);
  CHECK(world.ask(http_method::del, "/admin/v1/domain_blocks/bad.example").status == 404);
  CHECK(world.post("/admin/v1/tokens", R"({"scope":"read","name":"grafana"})").status == 201);
  world.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES (1, 'a', 'a', 'a', 0)");
  parsed(world.post("/admin/v1/accounts/1:disable", R"({"reason":"left"})"));
  parsed(world.post("/admin/v1/accounts/1:enable"));
  parsed(world.post("/admin/v1/accounts/1:token"));
  const auto page = parsed(world.get("/admin/v1/audit"));
  CHECK(names(page, "audit", "action") == words{"create-token", "enable-account", "disable-account",
                                                "create-admin-token", "unblock-domain",
                                                "block-domain"});
  CHECK(names(page, "audit", "target") == words{"account 1", "account 1", "account 1",
                                                "token grafana", "bad.example", "bad.example"});
  CHECK(names(page, "audit", "reason") == words{"", "", "left", "", "better", "spam"});
}

TEST_CASE("an action that failed is in no audit", "[admin_orders]") {
  auto world = order_world{};
  world.region->refusal = make_error(errc::not_found, "nothing of it was owed to slow.example");
  check_problem(world.post(slow + ":replay", R"({"post":"99"})"), 404, "nothing of it was owed");
  world.region->refusal = make_error(errc::storage_full, "no space");
  CHECK(world.post(slow + ":pause").status == 507);
  CHECK(world.count("audit") == 0);
}

TEST_CASE("bad input is refused with what can be done, and changes nothing", "[admin_orders]") {
  auto world = order_world{};
  const auto refused = [&](const std::string& action, const std::string& body,
                           const std::string& part) {
    CAPTURE(action, body);
    check_problem(world.post("/admin/v1/" + action, body), 422, part);
  };
  refused("hosts/slow.example:replay", "", "exactly one must be given");
  refused("hosts/slow.example:replay", R"({"from_seq":1,"post":"2"})", "exactly one");
  refused("hosts/slow.example:replay", R"({"from_seq":0})", "from_seq: must be");
  refused("hosts/slow.example:replay", R"({"from_seq":"x"})", "from_seq");
  refused("hosts/slow.example:replay", R"({"from":"yesterday"})", "from: must be a time");
  refused("hosts/slow.example:replay", R"({"post":"https://other.example/@a/1"})", "post: must be");
  refused("hosts/slow.example:limit", "", "one must be given");
  refused("hosts/slow.example:limit", R"({"in_flight":0})", "in_flight: must be 1 to");
  refused("hosts/slow.example:limit", R"({"per_s":1000001})", "per_s: must be 1 to");
  refused("hosts/slow.example:flush?dryrun=1", "", "dryrun: is no parameter of this");
  refused("hosts/slow.example:flush?dry_run=maybe", "", "dry_run");
  refused("hosts/slow.example:flush", R"({"reason":5,"from":1})", "from: is no parameter");
  refused("hosts/slow.example:flush", R"({"reason":")" + std::string(1'001, 'x') + R"("})",
          "reason: must have at most");
  refused("dead-letters:replay", "", "host: must be given");
  refused("dead-letters:discard", R"({"host":"slow.example","units":["x"]})", "ROW:ENDPOINT");
  refused("dead-letters:discard", R"({"host":"slow.example","units":[]})", "units: is empty");
  refused("accounts", R"({"name":"bob","reason":[]})", "reason");
  CHECK(world.orders.empty());
  CHECK(world.region->told.empty());
  CHECK(world.count("audit") == 0);
}

TEST_CASE("the same key gets the same answer for an hour", "[admin_orders]") {
  auto world = order_world{};
  const auto flush = [&](const std::string& key, const std::string& rest = "") {
    return world.ask(http_method::post, slow + ":flush" + rest, "", "o", key);
  };
  const auto first = flush("a");
  world.came.units = 1;
  CHECK(flush("a").body == first.body);
  CHECK(world.orders.size() == 1);
  CHECK(world.count("audit") == 1);
  check_problem(flush("a", "?reason=other"), 422, "was used for another request");
  CHECK(text(parsed(flush("b")), "units") == "1");
  check_problem(flush(std::string(256, 'k')), 422, "at most 255 bytes");
  world.region->refusal = make_error(errc::storage_full, "no space");
  CHECK(flush("c").status == 507);
  world.region->refusal = {};
  CHECK(flush("c").status == 200);
  world.advance(61min);
  CHECK(text(parsed(flush("a")), "units") == "1");
  CHECK(world.orders.size() == 4);
}

TEST_CASE("keys that are kept are bounded, the oldest go first", "[admin_orders]") {
  auto answers = kept_answers{};
  const auto now = time_point{1s};
  for (auto number = std::size_t{0}; number <= kept_answers::answers_max; ++number) {
    const auto key = std::to_string(number);
    REQUIRE_FALSE(*answers.begin(key, "x", now));
    answers.keep(key, {.status = 200});
  }
  CHECK(*answers.begin("1", "x", now));
  CHECK(code_of(answers.begin("1", "y", now).error()) == errc::invalid);
  CHECK_FALSE(*answers.begin("0", "x", now));
  CHECK(code_of(answers.begin("0", "x", now).error()) == errc::conflict);
  answers.forget("0");
  CHECK_FALSE(*answers.begin("0", "x", now));
}

TEST_CASE("what waits for a host is listed in pages", "[admin_orders]") {
  auto world = order_world{};
  world.region->queue = [](const list_queue& wish) {
    auto queue = host_queue{};
    for (auto seq = wish.after.seq + 1; seq <= 3 && queue.items.size() < wish.limit; ++seq)
      queue.items.push_back({.unit = {.seq = seq, .endpoint = endpoint_id{7}},
                             .inbox = "https://slow.example/inbox",
                             .author = account_id{1},
                             .object = {.kind = object_kind::post, .actor = 0, .target = 12},
                             .at = time_point{1s},
                             .is_exception = seq == 2,
                             .attempts = 1,
                             .error = seq == 2 ? "503 Busy" : ""});
    queue.is_end = queue.items.empty() || queue.items.back().unit.seq == 3;
    return queue;
  };
  CHECK(walk(world, slow + "/queue?limit=2", "queue", "unit") == words{"1:7", "2:7", "3:7"});
  const auto page = parsed(world.get(slow + "/queue?after=1:7&limit=1"));
  CHECK(to_json(*page.find("queue")) ==
        R"([{"unit":"2:7","inbox":"https://slow.example/inbox","author":"1","kind":"create",)"
        R"("object":"p/0/12","class":"bulk","at":"1970-01-01T00:00:01.000Z","in_flight":false,)"
        R"("exception":true,"attempts":1,"error":"503 Busy","next_try_at":null}])");
  check_problem(world.get(slow + "/queue?after=x"), 422, "after: 'x' must be ROW:ENDPOINT");
  check_problem(world.get(slow + "/queue?limit=501"), 422, "limit: must be");
  check_problem(world.get("/admin/v1/hosts/nobody.example/queue"), 404, "is not known");
}
