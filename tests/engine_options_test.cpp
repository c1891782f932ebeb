// What an engine is made of: options in code, and a builder that keeps what is wrong until `start`.

#include "tests/kit/temp_folder.hpp"
#include "trunkline/engine.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct idle_filter final : content_filter {
  verdict check(const activity_origin&, filtered_activity&) override { return verdict::accept(); }
};

engine::builder builder_of(const std::string& domain = "a.example") {
  return engine::builder{*options::for_domain(domain)};
}

/// The failure of a start that must fail; says all that a failure must say.
failure refusal_of(engine::builder parts) {
  const auto started = parts.storage(store::memory()).start();
  REQUIRE_FALSE(started);
  const auto& why = started.error();
  CHECK_FALSE(why.where.empty());
  CHECK_FALSE(why.what.empty());
  CHECK_FALSE(why.advice.empty());
  CHECK(why.message == why.where + ": " + why.what + "; " + why.advice);
  return why;
}

void answer_nothing(const route_request&, const web_reply&) {}

} // namespace

TEST_CASE("options begin with a domain that is a name", "[options]") {
  CHECK(options::for_domain("example.org"));
  for (const auto* wrong : {"", "Example.org", "https://example.org", "example.org:80", "a b"}) {
    INFO(wrong);
    const auto refused = options::for_domain(wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == failure_kind::config);
    CHECK(refused.error().where == "server.domain");
  }
}

TEST_CASE("a key that is none is refused with the one that was meant", "[options]") {
  auto values = *options::for_domain("a.example");
  const auto refused = values.set("server.listn", "127.0.0.1:1");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "server.listn: unknown setting; did you mean server.listen?");
  CHECK(values.set("zzzzzzzzzzzz", "1").error().advice ==
        "docs/configuration.md lists every setting");
}

TEST_CASE("a value out of bounds changes nothing", "[options]") {
  auto values = *options::for_domain("a.example");
  REQUIRE(values.set("server.body_bytes_max", "2048"));
  for (const auto* wrong : {"1", "many", ""})
    CHECK(values.set("server.body_bytes_max", wrong).error().where == "server.body_bytes_max");

  auto large = engine::builder{values};
  large.route("GET", "/hello", answer_nothing, {.body_bytes_max = 2049});
  CHECK(refusal_of(large).advice.find("2049") != std::string::npos);
}

TEST_CASE("copies of options share nothing that changes", "[options]") {
  auto first = *options::for_domain("a.example");
  const auto second = first;
  REQUIRE(first.set("server.listen", "nonsense"));
  const auto refused = engine::builder{first}.storage(store::memory()).start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().where == "options: server.listen");
  CHECK(engine::builder{second}.storage(store::memory()).start());
}

TEST_CASE("a file is judged as it is read, and completed as it is started", "[options]") {
  const auto folder = kit::temp_folder{};
  const auto file = (folder / "trunkline.toml").string();
  std::ofstream{file}
      << "[server]\ndomain = \"a.example\"\nlisten = \"\"\n[admin]\nlisten = \"\"\n";
  auto values = options::from_file(file);
  REQUIRE(values);
  const auto homeless = engine::builder{*values}.start();
  REQUIRE_FALSE(homeless);
  CHECK(homeless.error().where == "storage.folder");
  CHECK(homeless.error().advice.find("store::sqlite") != std::string::npos);

  REQUIRE(values->set("storage.folder", (folder / "data").string()));
  auto started = engine::builder{*values}.start();
  REQUIRE(started);
  REQUIRE(started->wait_ready(60s));
  CHECK(std::filesystem::exists(folder / "data/secret.key"));
  CHECK_FALSE(std::filesystem::exists(folder / "data/admin.sock"));

  std::ofstream{file, std::ios::app} << "[server.x]\n";
  CHECK(options::from_file(file).error().message.find("trunkline.toml:") != std::string::npos);
}

TEST_CASE("what values say together is judged by the start", "[options]") {
  auto values = *options::for_domain("a.example");
  REQUIRE(values.set("server.url", "http://a.example"));
  REQUIRE(values.set("admin.listen", "192.0.2.1:1"));
  const auto refused = engine::builder{values}.storage(store::memory()).start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure_kind::config);
  CHECK(refused.error().message.find("options: server.url: ") != std::string::npos);
  CHECK(refused.error().message.find("options: admin.listen: ") != std::string::npos);
}

TEST_CASE("each wrong argument is refused by name", "[builder]") {
  const auto hook = [](const post_event&) {};
  const auto hook_webhook = webhook{.name = "w",
                                    .url = "https://hooks.example/x",
                                    .secret = "0123456789abcdef01234567",
                                    .events = {}};
  CHECK(refusal_of(builder_of().filter(nullptr)).where == "builder.filter 'filter'");
  CHECK(refusal_of(builder_of().filter(std::make_shared<idle_filter>(), {.name = "a b"})).what ==
        "is no name");
  CHECK(refusal_of(builder_of().on_post({})).where == "builder.on_post");
  CHECK(refusal_of(builder_of().on_post(hook, {.queue_max = 0})).where == "builder.on_post");
  CHECK(refusal_of(builder_of().on_post(hook, {.queue_max = 65'537})).what == "queue_max is 65537");
  CHECK(refusal_of(builder_of().on_activity("", [](const activity_event&) {})).what ==
        "the type is empty");
  CHECK(refusal_of(builder_of().clock({})).where == "builder.clock");
  CHECK(refusal_of(builder_of().transport(nullptr)).where == "builder.transport");
  CHECK(refusal_of(builder_of().log({})).where == "builder.log");
  CHECK(refusal_of(builder_of().metrics({})).where == "builder.metrics");
  CHECK(refusal_of(builder_of().on_lost({})).where == "builder.on_lost");

  CHECK(refusal_of(builder_of().webhook(hook_webhook).webhook(hook_webhook)).what ==
        "the name is used twice");
  const auto broken = [&](auto change) {
    auto one = hook_webhook;
    change(one);
    return refusal_of(builder_of().webhook(one)).what;
  };
  CHECK(broken([](auto& one) { one.name = "w/1"; }) == "is no name");
  CHECK(broken([](auto& one) { one.url = "http://hooks.example/"; }) == "the URL is refused");
  CHECK(broken([](auto& one) { one.url = "hooks.example"; }) == "the URL is refused");
  CHECK(broken([](auto& one) { one.secret.pop_back(); }).find("24 bytes") != std::string::npos);
  CHECK(broken([](auto& one) { one.events = {"posts"}; }).find("posts") != std::string::npos);
}

TEST_CASE("a route needs a method, a path of its own and a handler", "[builder]") {
  const auto refused = [](const char* method, const char* pattern, route_options options = {}) {
    return refusal_of(builder_of().route(method, pattern, answer_nothing, options)).what;
  };
  CHECK(refused("FETCH", "/hello") == "the method is none that a route has");
  for (const auto* pattern : {"", "hello", "/", "/hello/", "//", "/a//b", "/a?b", "/a%20", "/x{}"})
    CHECK(refused("GET", pattern) == "the pattern is malformed");
  CHECK(refused("GET", "/api/v1/instance") == "the pattern is taken");
  CHECK(refused("GET", "/users/{}") == "the pattern is taken");
  CHECK(refused("GET", "/hello", {.scope = "fly"}) == "there is no scope 'fly'");
  CHECK(refusal_of(builder_of().route("GET", "/hello", {})).what == "there is nothing to call");
  auto twice = builder_of();
  twice.route("GET", "/hello/{}", answer_nothing).route("POST", "/hello/{}", answer_nothing);
  twice.route("GET", "/hello/{}", answer_nothing);
  CHECK(refusal_of(twice).what == "the pattern is taken");
}

TEST_CASE("no more is taken than an engine has room for", "[builder]") {
  auto hooks = builder_of();
  for (auto i = 0; i < 17; ++i)
    hooks.on_post([](const post_event&) {});
  CHECK(refusal_of(hooks).what == "an engine has at most 16 of them");
  auto routes = builder_of();
  for (auto i = 0; i < 257; ++i)
    routes.route("GET", "/own/" + std::to_string(i), answer_nothing);
  CHECK(refusal_of(routes).what == "an engine has at most 256 of them");
}

TEST_CASE("the first of several wrong arguments is told", "[builder]") {
  auto parts = builder_of();
  parts.clock({}).log({}).route("FETCH", "/hello", answer_nothing);
  CHECK(refusal_of(parts).where == "builder.clock");
}

TEST_CASE("a builder is a value: copies go ways of their own", "[builder]") {
  auto first = builder_of();
  first.storage(store::memory()).filter<idle_filter>().filter<idle_filter>();
  auto second = first;
  second.clock({});
  CHECK_FALSE(second.start());
  auto started = first.start();
  REQUIRE(started);
  REQUIRE(started->wait_ready(60s));
  first.log({});
  CHECK_FALSE(first.start());
  CHECK(started->handle({.target = "/health"}).status == 200);
}
