#include "actors/webhook_body.hpp"

#include "protocol/json.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto noon = time_point{} + 20'000h + 12h + 34ms;

const auto source = webhook_source("a.example");

std::string body_of(const engine_event& event) {
  return *render_webhook(event, source).body;
}

std::string id_of(const engine_event& event) {
  return render_webhook(event, source).id;
}

delivery_event delivery(delivery_change change, time_point at = noon) {
  return {.at = at,
          .seq = 9,
          .change = change,
          .host = "far.example",
          .inbox = "https://far.example/inbox",
          .status = change == delivery_change::delivered ? 202 : 500,
          .error = change == delivery_change::delivered ? "" : "answered 500"};
}

} // namespace

TEST_CASE("a body has the type, the time and every member of the event", "[webhook_body]") {
  const auto post = post_event{.seq = 7,
                               .at = noon,
                               .change = post_change::edited,
                               .id = "112233445566778899",
                               .uri = "https://a.example/p/1",
                               .author = "ann",
                               .author_id = "42",
                               .local = true,
                               .content = "<p>\"hi\"</p>",
                               .spoiler = "cw",
                               .language = "en",
                               .visibility = "public",
                               .sensitive = true,
                               .reply_to_id = "41",
                               .mentions = {"bob@b.example"}};
  CHECK(body_of(post) ==
        R"({"type":"post.edited","timestamp":"1972-04-13T20:00:00.034Z","data":{"seq":7,)"
        R"("at":"1972-04-13T20:00:00.034Z","change":"edited","id":"112233445566778899",)"
        R"("uri":"https://a.example/p/1","author":"ann","author_id":"42","local":true,)"
        R"("content":"<p>\"hi\"</p>","spoiler":"cw","language":"en","visibility":"public",)"
        R"("sensitive":true,"reply_to_id":"41","mentions":["bob@b.example"]}})");
  CHECK(body_of(activity_event{.seq = 8,
                               .at = noon,
                               .type = "Follow",
                               .actor = "bob@b.example",
                               .actor_id = "43",
                               .object = "https://a.example/users/ann",
                               .local = false}) ==
        R"({"type":"activity.Follow","timestamp":"1972-04-13T20:00:00.034Z","data":{"seq":8,)"
        R"("at":"1972-04-13T20:00:00.034Z","type":"Follow","actor":"bob@b.example",)"
        R"("actor_id":"43","object":"https://a.example/users/ann","local":false}})");
  CHECK(body_of(delivery(delivery_change::failed)) ==
        R"({"type":"delivery.failed","timestamp":"1972-04-13T20:00:00.034Z","data":{"seq":9,)"
        R"("at":"1972-04-13T20:00:00.034Z","change":"failed","host":"far.example",)"
        R"("inbox":"https://far.example/inbox","status":500,"error":"answered 500"}})");
  CHECK(body_of(host_state_event{
            .at = noon, .host = "far.example", .state = "suspended", .reason = "failed"}) ==
        R"({"type":"host_state.changed","timestamp":"1972-04-13T20:00:00.034Z","data":{)"
        R"("at":"1972-04-13T20:00:00.034Z","host":"far.example","state":"suspended",)"
        R"("reason":"failed"}})");
  CHECK(body_of(account_event{.seq = 3,
                              .at = noon,
                              .change = account_change::created,
                              .id = "42",
                              .account = "ann",
                              .local = true}) ==
        R"({"type":"account.created","timestamp":"1972-04-13T20:00:00.034Z","data":{"seq":3,)"
        R"("at":"1972-04-13T20:00:00.034Z","change":"created","id":"42","account":"ann",)"
        R"("local":true}})");
}

TEST_CASE("different events have different ids, fit to be signed", "[webhook_body]") {
  auto other_inbox = delivery(delivery_change::delivered);
  other_inbox.inbox = "https://far.example/1/inbox";
  auto other_row = delivery(delivery_change::delivered);
  other_row.seq = 10;
  const auto events = std::vector<engine_event>{
      activity_event{.seq = 7, .at = noon, .type = "Create"},
      activity_event{.seq = 7, .at = noon, .type = "Follow"},
      activity_event{.seq = 7, .at = noon, .type = "Accept"},
      activity_event{.seq = 8, .at = noon, .type = "Create"},
      post_event{.seq = 7, .at = noon},
      post_event{.seq = 7, .at = noon, .change = post_change::deleted},
      account_event{.seq = 7, .at = noon},
      delivery(delivery_change::delivered),
      delivery(delivery_change::failed),
      delivery(delivery_change::failed, noon + 1us),
      delivery(delivery_change::dead),
      other_inbox,
      other_row,
      host_state_event{.at = noon, .host = "far.example", .state = "failing"},
      host_state_event{.at = noon, .host = "far.example", .state = "suspended"},
      host_state_event{.at = noon + 1us, .host = "far.example", .state = "suspended"},
      host_state_event{.at = noon, .host = "near.example", .state = "suspended"}};
  auto ids = std::set<std::string>{};
  for (const auto& event : events) {
    ids.insert(id_of(event));
    CHECK(id_of(event).find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_-") == std::string::npos);
  }
  CHECK(ids.size() == events.size());
  const auto elsewhere = webhook_source("b.example");
  CHECK(render_webhook(events[0], elsewhere).id != id_of(events[0]));
}

TEST_CASE("an event that comes again has the id that it had", "[webhook_body]") {
  CHECK(id_of(delivery(delivery_change::delivered)) ==
        id_of(delivery(delivery_change::delivered, noon + 1h))); // delivered again after a crash
  CHECK(id_of(delivery(delivery_change::dead)) ==
        id_of(delivery(delivery_change::dead, noon + 1h)));
  auto edited_since = post_event{.seq = 7, .at = noon};
  edited_since.content = "as it is by now";
  CHECK(id_of(edited_since) == id_of(post_event{.seq = 7, .at = noon}));
}

TEST_CASE("the words of events name their kinds", "[webhook_body]") {
  CHECK(event_kind_of("activity") == event_kind::activity);
  CHECK(event_kind_of("account") == event_kind::account);
  CHECK_FALSE(event_kind_of("posts"));
  CHECK(kind_of(post_event{}) == event_kind::post);
  CHECK(kind_of(host_state_event{}) == event_kind::host_state);
  auto kinds = event_kinds{};
  kinds.add(event_kind::post);
  CHECK(kinds.has(event_kind::post));
  CHECK_FALSE(kinds.has(event_kind::account));
  CHECK_FALSE(kinds.has_unlogged());
  CHECK(event_kinds::all().has_unlogged());
}
