// Webhooks of engines, as their receivers and their operators see them.

#include "engine/config.hpp"
#include "engine/config_rules.hpp"
#include "engine/embedding/webhook_post.hpp"
#include "engine/embedding/webhook_rules.hpp"
#include "engine/node_log.hpp"
#include "kit/running_engine.hpp"
#include "kit/temp_folder.hpp"
#include "protocol/webhook_signature.hpp"
#include "trunkline/builder.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

const auto secret = std::string{"0123456789abcdef0123456789abcdef"};

/// A receiver in a world, which takes what is signed with the secret.
struct receiver {
  explicit receiver(testing::world& in) : world{in} {
    world.server("hooks.example").answer([this](const web_request& request) {
      const auto right = verify_webhook(request.headers, request.body, secret, world.now());
      forged += !right;
      requests.push_back(request);
      return web_response{.status = status};
    });
  }

  std::vector<std::string> types() const {
    auto all = std::vector<std::string>{};
    for (const auto& one : requests) {
      const auto begin = one.body.find(":\"") + 2;
      all.push_back(one.body.substr(begin, one.body.find('"', begin) - begin));
    }
    return all;
  }

  std::int64_t count(const std::string& type) const {
    const auto all = types();
    return std::count(all.begin(), all.end(), type);
  }

  testing::world& world;
  int status = 200;
  int forged = 0;
  std::vector<web_request> requests;
};

engine::builder parts_of(std::vector<std::string> events = {}) {
  auto parts = engine::builder{must(options::for_domain("a.example"))};
  parts.webhook({.name = "all",
                 .url = "https://hooks.example/in",
                 .secret = secret,
                 .events = std::move(events)});
  return parts;
}

account_card new_account_on(engine& at, const std::string& name) {
  return must(at.create_account({.name = name, .password = "", .role = "user"}));
}

post_card says(engine& at, const account_card& who, const std::string& text) {
  auto draft = new_post{};
  draft.text = text;
  return must(at.post(who.id, draft));
}

std::vector<std::string> problems_of(const node_config& config) {
  auto keys = std::vector<std::string>{};
  for (const auto& problem : broken_rules(config))
    if (problem.key.starts_with("webhooks."))
      keys.push_back(problem.key + ": " + problem.text);
  return keys;
}

/// Why a node with this webhook of the settings does not start.
std::string refusal_of(const std::string& secret_file) {
  auto values = node_options{};
  values.config.values.server.domain = "a.example";
  values.config.values.webhooks = {
      .url = "https://hooks.example/in", .secret_file = secret_file, .events = {}};
  auto log = node_log{{.descriptor = -1}, [] { return time_point{}; }};
  auto post = webhook_post{values, log, [] { return time_point{}; }};
  const auto failure = post.prepare();
  return failure ? context_of(failure) : "";
}

} // namespace

TEST_CASE("a receiver is told of everything, signed", "[webhooks]") {
  auto world = testing::world{};
  auto hooks = receiver{world};
  auto here = must(world.start(parts_of()));
  const auto alice = new_account_on(here, "alice");
  auto bob = world.server("b.example").actor("bob");
  REQUIRE(bob.follow("alice@a.example") == 202);
  const auto made = says(here, alice, "hello");
  REQUIRE(here.delete_post(alice.id, made.id));
  world.advance(10s);
  CHECK(hooks.forged == 0);
  CHECK(hooks.count("account.created") >= 1);
  CHECK(hooks.count("activity.Follow") == 1);
  CHECK(hooks.count("activity.Create") == 1);
  CHECK(hooks.count("post.created") == 1);
  CHECK(hooks.count("post.deleted") == 1);
  CHECK(hooks.count("delivery.delivered") >= 3); // Accept, Create, Delete
  const auto reports = here.webhooks();
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].name == "all");
  CHECK(reports[0].delivered == hooks.requests.size());
  CHECK(reports[0].failures == 0);
  CHECK(reports[0].behind == 0s);
}

TEST_CASE("what a receiver did not take comes after the next start", "[webhooks]") {
  const auto folder = kit::temp_folder{};
  auto world = testing::world{};
  auto hooks = receiver{world};
  const auto start = [&] {
    return must(world.start(parts_of({"post"}).storage(store::sqlite((folder / "a").string()))));
  };
  hooks.status = 503;
  {
    auto here = start();
    const auto alice = new_account_on(here, "alice");
    for (const auto* text : {"one", "two", "three"})
      says(here, alice, text);
    world.advance(10s);
  }
  CHECK(hooks.requests.size() >= 1);
  hooks.requests.clear();
  hooks.status = 200;
  {
    auto here = start();
    world.advance(2s);
    CHECK(hooks.count("post.created") == 3);
  }
  auto here = start(); // its end has written how far it came
  world.advance(1min);
  CHECK(hooks.requests.size() == 3);
}

TEST_CASE("of events that nobody wants nothing is kept or sent", "[webhooks]") {
  auto world = testing::world{};
  auto hooks = receiver{world};
  auto here = must(world.start(parts_of({"account"})));
  const auto alice = new_account_on(here, "alice");
  says(here, alice, "hello");
  world.advance(5s);
  CHECK(hooks.types() == std::vector<std::string>{"account.created"});
}

TEST_CASE("verify_webhook refuses what was tampered with, and says why", "[webhooks]") {
  const auto now = std::chrono::system_clock::time_point{1'700'000'000s};
  const auto headers_at = [](std::int64_t seconds, const std::string& body) {
    return web_headers{{"Webhook-Id", "1-post"},
                       {"WEBHOOK-TIMESTAMP", std::to_string(seconds)},
                       {"webhook-signature", sign_webhook(secret, {"1-post", seconds, body})}};
  };
  const auto right = headers_at(1'700'000'000, "{}");
  CHECK(verify_webhook(right, "{}", secret, now));
  CHECK(verify_webhook(right, "{}", secret, now + 300s));
  const auto tampered = verify_webhook(right, "{ }", secret, now);
  REQUIRE_FALSE(tampered);
  CHECK(tampered.error().kind == failure_kind::forbidden);
  CHECK(tampered.error().where == "webhook-signature");
  CHECK_FALSE(verify_webhook(right, "{}", secret + "x", now));
  auto later = right;
  later[1].second = "1700000001";
  CHECK_FALSE(verify_webhook(later, "{}", secret, now));
  const auto old = verify_webhook(right, "{}", secret, now + 301s);
  REQUIRE_FALSE(old);
  CHECK(old.error().where == "webhook-timestamp");
  const auto unsigned_one = verify_webhook({}, "{}", secret, now);
  REQUIRE_FALSE(unsigned_one);
  CHECK(unsigned_one.error().kind == failure_kind::invalid);
}

TEST_CASE("a webhook's URL is https, or http of loopback", "[webhooks]") {
  for (const auto* url : {"https://hooks.example/in", "https://10.0.0.7/in",
                          "https://[fd00::1]:8443/", "http://127.0.0.1:8000/in",
                          "http://127.8.9.1/", "http://[::1]:8000/", "http://localhost:8000/"}) {
    INFO(url);
    CHECK(is_webhook_url(url));
  }
  for (const auto* url :
       {"http://hooks.example/in", "http://10.0.0.7/", "http://127.attacker.example/",
        "http://localhost.example/", "ftp://127.0.0.1/", "hooks.example", "", "https://",
        "https://user:word@hooks.example/", "http://[::2]/", "http://128.0.0.1/"}) {
    INFO(url);
    CHECK_FALSE(is_webhook_url(url));
  }
}

TEST_CASE("words that are no events are refused, with what was meant", "[webhooks]") {
  CHECK(*read_event_words({}) == event_kinds::all());
  CHECK_FALSE(read_event_words({"post", "account"})->has(event_kind::activity));
  const auto wrong = [](std::string word) {
    const auto read = read_event_words({"post", std::move(word)});
    return read ? std::string{} : context_of(read.error());
  };
  CHECK(wrong("posts") == "there is no event 'posts'; did you mean 'post'?");
  CHECK(wrong("host-state") == "there is no event 'host-state'; did you mean 'host_state'?");
  CHECK(wrong("something else") == "there is no event 'something else'; the events are activity, "
                                   "post, delivery, host_state and account");
}

TEST_CASE("the settings of a webhook are judged together", "[webhooks][config]") {
  auto config = node_config{};
  CHECK(problems_of(config).empty());
  config.webhooks.url = "https://hooks.example/in";
  CHECK(problems_of(config) ==
        std::vector<std::string>{"webhooks.secret_file: is needed too: a URL and a secret go "
                                 "together"});
  config.webhooks.secret_file = "secret";
  CHECK(problems_of(config) ==
        std::vector<std::string>{"webhooks.secret_file: must be an absolute path"});
  config.webhooks.secret_file = "/etc/secret";
  CHECK(problems_of(config).empty());
  config.webhooks.url = "http://hooks.example/in";
  config.webhooks.events = {"pots"};
  CHECK(
      problems_of(config) ==
      std::vector<std::string>{"webhooks.url: must be https, or http to a loopback address",
                               "webhooks.events: there is no event 'pots'; did you mean 'post'?"});
}

TEST_CASE("the file of a webhook's secret is long enough and its owner's alone", "[webhooks]") {
  const auto folder = kit::temp_folder{};
  const auto file = folder / "secret";
  CHECK_THAT(refusal_of(file.string()), Catch::Contains("cannot be read"));
  std::ofstream{file} << std::string(23, 'x') << "\n";
  std::filesystem::permissions(file, std::filesystem::perms{0600});
  CHECK_THAT(refusal_of(file.string()), Catch::Contains("fewer than 24 bytes"));
  std::ofstream{file} << std::string(24, 'x') << "\n";
  CHECK(refusal_of(file.string()) == "");
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  CHECK_THAT(refusal_of(file.string()), Catch::Contains("chmod 600"));
  std::filesystem::permissions(file, std::filesystem::perms{0600});
  std::ofstream{file} << std::string(1'025, 'x');
  CHECK_THAT(refusal_of(file.string()), Catch::Contains("longer than"));
}

TEST_CASE("an engine with a webhook that is refused does not start", "[webhooks]") {
  const auto refusal = [](webhook one) {
    auto started = kit::parts_in_memory().webhook(std::move(one)).start();
    return started ? std::string{} : started.error().message;
  };
  const auto right = webhook{.name = "alerts", .url = "https://hooks.example/", .secret = secret};
  auto wrong = right;
  wrong.url = "http://hooks.example/";
  CHECK_THAT(refusal(wrong), Catch::Contains("alerts") && Catch::Contains("https"));
  wrong = right;
  wrong.secret = "short";
  CHECK_THAT(refusal(wrong), Catch::Contains("alerts") && Catch::Contains("24 bytes"));
  wrong = right;
  wrong.events = {"pots"};
  CHECK_THAT(refusal(wrong), Catch::Contains("alerts") && Catch::Contains("did you mean 'post'?"));
  auto twice = kit::parts_in_memory().webhook(right).webhook(right).start();
  REQUIRE_FALSE(twice);
  CHECK_THAT(twice.error().message, Catch::Contains("alerts"));
}
