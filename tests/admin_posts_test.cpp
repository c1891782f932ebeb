// Where a post is: what storage, the books and the board say, put together.

#include "api/admin_post_views.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto now = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 29}} + 11h;

host_address address_of(const std::string& name) {
  return {.scheme = "https", .name = name};
}

post_unit unit(log_seq seq, int endpoint) {
  return {.seq = seq,
          .endpoint = endpoint_id{endpoint},
          .url = "https://inbox.example/" + std::to_string(endpoint)};
}

post_unit failed(log_seq seq, int endpoint, exception_status status) {
  auto made = unit(seq, endpoint);
  made.exception = delivery_exception{.unit = {.seq = seq, .endpoint = endpoint_id{endpoint}},
                                      .status = status,
                                      .error = "500 Oops",
                                      .attempts = 4};
  if (status == exception_status::waiting)
    made.exception->next_try_at = now + 10min;
  return made;
}

/// Rows 5 (Create) and 9 (Delete), owed to five hosts.
post_deliveries found() {
  auto made = post_deliveries{};
  made.rows = {{.seq = 5, .kind = log_kind::create, .at = now - 1h, .endpoints = 5},
               {.seq = 9, .kind = log_kind::remove, .at = now - 1min, .endpoints = 1}};
  made.page = {
      {.id = host_id{1}, .address = address_of("has.example"), .units = {unit(5, 1)}},
      {.id = host_id{2}, .address = address_of("waits.example"), .units = {unit(5, 2)}},
      {.id = host_id{3},
       .address = address_of("failed.example"),
       .units = {failed(5, 3, exception_status::waiting)}},
      {.id = host_id{4},
       .address = address_of("dead.example"),
       .units = {failed(5, 4, exception_status::dead), unit(9, 4)}},
      {.id = host_id{5}, .address = address_of("also.example"), .units = {unit(5, 5)}},
  };
  made.hosts = 5;
  made.units = 6;
  return made;
}

std::vector<std::string> states_of(const post_standing& standing) {
  auto all = std::vector<std::string>{};
  for (const auto& host : standing.hosts)
    all.push_back(host.address.name + " " + std::string{to_string(host.state)});
  return all;
}

post_standing standing(const post_deliveries& of, std::vector<bool> open, log_seq dispatched = 100,
                       const host_board* board = nullptr) {
  return standing_of(of, {.open = open, .dispatched = dispatched}, [board](const auto& host) {
    return board ? board->find(host) : std::nullopt;
  });
}

} // namespace

TEST_CASE("the books are asked about what is no exception", "[admin_posts]") {
  const auto wish = questions_about(found());
  REQUIRE(wish.units.size() == 4);
  CHECK(wish.units[0].host == host_id{1});
  CHECK(wish.units[1].unit == unit_key{5, endpoint_id{2}});
  CHECK(wish.units[2].unit == unit_key{9, endpoint_id{4}});
  CHECK(wish.units[3].host == host_id{5});
}

TEST_CASE("hosts are listed with the worst that became of the post, failed ones first",
          "[admin_posts]") {
  const auto shown = standing(found(), {false, true, true, false});
  CHECK(states_of(shown) ==
        std::vector<std::string>{"dead.example dead", "failed.example exception",
                                 "waits.example pending", "also.example delivered",
                                 "has.example delivered"});
  CHECK(to_json(shown.totals) == R"({"hosts":5,"units":6,"delivered":2,"unclear":0,)"
                                 R"("cancelled":0,"pending":1,"exception":1,"dead":1})");
  CHECK(shown.is_all);
  CHECK(to_json(render(shown.hosts[1], now)) ==
        R"({"name":"failed.example","state":"exception","why":"it failed while others were taken; )"
        R"(it is tried again by itself: 500 Oops","next_try_at":"2026-11-29T11:10:00.000Z",)"
        R"("host_state":null,"paused":false,"units":[{"unit":"5:3","kind":"create",)"
        R"("inbox":"https://inbox.example/3","state":"exception","attempts":4,"error":"500 Oops",)"
        R"("next_try_at":"2026-11-29T11:10:00.000Z"}]})");
  CHECK(shown.hosts[0].units.size() == 2);
  CHECK(shown.hosts[0].units[1].state == post_state::pending);
}

TEST_CASE("what the dispatcher has not read yet waits", "[admin_posts]") {
  const auto shown = standing(found(), {false, false, false, false}, 5);
  CHECK(shown.hosts[0].units[1].state == post_state::pending);
  const auto early = standing(found(), {false, false, false, false}, 4);
  CHECK(*early.totals.find("pending")->as_int() == 3);
}

TEST_CASE("a host that waits says why and when, as the board has it", "[admin_posts]") {
  auto board = host_board{};
  auto line = host_line{};
  line.address = address_of("waits.example");
  line.health.facts.id = host_id{2};
  line.health.facts.state = host_state::suspended;
  line.health.facts.fail_streak = 3;
  line.health.facts.first_fail_at = now - 5min;
  line.health.facts.next_try_at = now + 5min;
  line.health.last_error = "connection refused";
  line.sums = {.offered = 1, .pending = 1};
  board.load(line);
  const auto shown = standing(found(), {false, true, false, false}, 100, &board);
  const auto text = to_json(render(shown.hosts[2], now));
  CHECK(text.find(R"("why":"1 waiting, connection refused since 10:55, next try 11:05")") !=
        std::string::npos);
  CHECK(text.find(R"("next_try_at":"2026-11-29T11:05:00.000Z","host_state":"suspended")") !=
        std::string::npos);
}

TEST_CASE("after a flush or a drain what is settled may not have been delivered", "[admin_posts]") {
  auto board = host_board{};
  auto line = host_line{};
  line.address = address_of("has.example");
  line.health.facts.id = host_id{1};
  line.health.facts.flushed_upto = 5;
  board.load(line);
  line = {};
  line.address = address_of("also.example");
  line.health.facts.id = host_id{5};
  line.health.facts.drained_after = 4;
  board.load(line);
  const auto shown = standing(found(), {false, true, false, false}, 100, &board);
  CHECK(states_of(shown)[3] == "also.example cancelled");
  CHECK(states_of(shown)[4] == "has.example unclear");
}

TEST_CASE("a list goes on after a place, and every place can be read", "[admin_posts]") {
  const auto place = post_recipient{.state = post_state::pending, .name = "a.example:8443"};
  CHECK(to_mark(place) == "pending:a.example:8443");
  CHECK(*read_place(to_mark(place)) == place);
  for (const auto* mark : {"", "pending", "pending:", "x:a.example"})
    CHECK_FALSE(read_place(mark));
}

TEST_CASE("a post of ours is known by its id and by its addresses alone", "[admin_posts]") {
  const auto origins = std::vector<std::string>{"https://example.org", "http://127.0.0.1:3000"};
  CHECK(*read_own_post("12", origins) == post_id{12});
  CHECK(*read_own_post("http://127.0.0.1:3000/@a/12", origins) == post_id{12});
  CHECK(*read_own_post("https://example.org/users/a/statuses/12#updates/3", origins) ==
        post_id{12});
  for (const auto* text : {"", "0", "x", "https://example.org", "https://example.org/users/a",
                           "https://example.org.evil/@a/12", "https://example.org/tags/12"})
    CHECK_FALSE(read_own_post(text, origins));
}
