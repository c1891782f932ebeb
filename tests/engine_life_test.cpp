// The life of engines: start, readiness, signals, drain, loss and end, several in one process.

#include "tests/kit/fault_vfs.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/running_engine.hpp"
#include "tests/kit/temp_folder.hpp"
#include "trunkline/engine.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

int status_of(engine& node, const std::string& target) {
  return node.handle({.target = target}).status;
}

web_request new_app() {
  return {.method = "POST",
          .target = "/api/v1/apps",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
          .body = "client_name=x&redirect_uris=urn:ietf:wg:oauth:2.0:oob&scopes=read"};
}

/// An engine on a disk that fails, and what it told of its loss.
struct losing_engine {
  kit::temp_folder folder;
  kit::fault_vfs disk;
  kit::mail<failure> told;
  engine node;

  explicit losing_engine(options values = *options::for_domain("a.example"))
      : node{kit::start_engine(engine::builder{std::move(values)}
                                   .storage(store::sqlite((folder / "data").string()))
                                   .on_lost([this](const failure& why) { told.put(why); }))} {}

  ~losing_engine() { disk.fail_at(0, kit::file_fault::io_error, false); }

  void lose() {
    disk.fail_at(1, kit::file_fault::io_error, true);
    CHECK(node.handle(new_app()).status >= 500);
    REQUIRE(told.find([](const failure&) { return true; }));
  }
};

void (*handler_of(int number))(int) {
  struct sigaction found = {};
  ::sigaction(number, nullptr, &found);
  return found.sa_handler;
}

/// Waits until `run_until_signal` has taken the signal over.
void await_handler(int number, void (*before)(int)) {
  const auto end = std::chrono::steady_clock::now() + kit::engine_patience;
  while (handler_of(number) == before && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  REQUIRE(handler_of(number) != before);
}

void ignore_signal(int) {}

} // namespace

TEST_CASE("an engine that listens nowhere answers in process", "[engine][life]") {
  auto node = kit::start_engine(kit::parts_in_memory());
  CHECK(node.web_url().empty());
  CHECK(node.admin_url().empty());
  CHECK(status_of(node, "/health") == 200);
  CHECK(node.lost().message.empty());
  CHECK(node.metrics_text().find("trunkline_") != std::string::npos);
}

TEST_CASE("what is set to listen listens", "[engine][life]") {
  auto values = *options::for_domain("a.example");
  REQUIRE(values.set("server.listen", "127.0.0.1:0"));
  auto node = kit::start_engine(engine::builder{values}.storage(store::memory()));
  CHECK(node.web_url().starts_with("http://127.0.0.1:"));
  CHECK(node.admin_url().empty());
}

TEST_CASE("a drained engine takes nothing any more", "[engine][life]") {
  auto node = kit::start_engine(kit::parts_in_memory());
  CHECK(node.drain(10s));
  const auto refused = node.handle({.target = "/health"});
  CHECK(refused.status == 503);
  CHECK(refused.body.find("drains") != std::string::npos);
  for (const auto& why : {node.create_account({.name = "late"}).error(),
                          node.create_token("1").error(), node.ask("account", "1").error()}) {
    CHECK(why.kind == failure_kind::unavailable);
    CHECK(why.what == "the engine drains");
  }
  CHECK(node.drain(10s));
}

TEST_CASE("a drain waits for answers that are owed, as long as it may", "[engine][life]") {
  auto kept = kit::mail<web_reply>{};
  auto parts = kit::parts_in_memory();
  parts.route("GET", "/later", [&kept](route_request, web_reply reply) { kept.put(reply); });
  auto node = kit::start_engine(parts);
  auto answered = std::promise<int>{};
  node.handle({.target = "/later"},
              [&](web_response answer) { answered.set_value(answer.status); });
  const auto reply = kept.find([](const web_reply&) { return true; });
  REQUIRE(reply);
  CHECK_FALSE(node.drain(10ms));

  (*reply)({.status = 204});
  CHECK(answered.get_future().get() == 204);
}

TEST_CASE("a log sink that is slow is not called once the engine has ended", "[engine][life]") {
  const auto stands = kit::gate{};
  const auto calls = std::make_shared<std::atomic<int>>(0);
  auto kept = std::weak_ptr<int>{}; // gone with the thread that was left behind
  {
    const auto held = std::make_shared<int>(1);
    kept = held;
    auto node = kit::start_engine(
        kit::parts_in_memory().log([calls, held, pass = stands.passer()](const log_line&) {
          ++*calls;
          pass();
        }));
    REQUIRE(stands.wait_arrived());
  } // more lines wait behind the first
  CHECK(*calls == 1);
  stands.open();
  const auto end = std::chrono::steady_clock::now() + kit::engine_patience;
  while (!kept.expired() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  CHECK(kept.expired());
  CHECK(*calls == 1);
}

TEST_CASE("engines of one process start and end in any order", "[engine][life]") {
  auto ends = std::vector<std::thread>{};
  for (auto turn = 0; turn < 2; ++turn) {
    auto engines = std::vector<engine>{};
    for (const auto* domain : {"a.example", "b.example", "c.example"}) {
      auto started = kit::parts_in_memory(domain).start();
      REQUIRE(started);
      engines.push_back(std::move(*started));
    }
    REQUIRE(engines[2].wait_ready(kit::engine_patience));
    engines.erase(engines.begin() + 1); // not waited for
    for (auto& node : engines)
      REQUIRE(node.wait_ready(kit::engine_patience));
    std::swap(engines[0], engines[1]);
    CHECK(
        engines[0].handle({.target = "/.well-known/webfinger?resource=acct:x@c.example"}).status ==
        404);
    for (auto& node : engines)
      ends.emplace_back(
          [own = std::make_shared<engine>(std::move(node))] { CHECK(own->drain(10s)); });
  }
  for (auto& thread : ends)
    thread.join();
}

TEST_CASE("an engine may end before it was ready, and be moved", "[engine][life]") {
  { REQUIRE(kit::parts_in_memory().start()); }
  auto first = kit::start_engine(kit::parts_in_memory("a.example"));
  auto second = kit::start_engine(kit::parts_in_memory("b.example"));
  first = std::move(second);
  CHECK(first.handle({.target = "/api/v2/instance"}).body.find("b.example") != std::string::npos);
  second = std::move(first);
  CHECK(status_of(second, "/health") == 200);
}

TEST_CASE("a folder that is in use is named", "[engine][life]") {
  const auto folder = kit::temp_folder{};
  const auto parts = engine::builder{*options::for_domain("a.example")}.storage(
      store::sqlite((folder / "data").string()));
  auto first = kit::start_engine(parts);
  auto second = engine::builder{parts}.start();
  REQUIRE(second);
  const auto refused = second->wait_ready(kit::engine_patience);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure_kind::in_use);
  CHECK(refused.error().where == (folder / "data").string());
  CHECK(refused.error().advice == "end the other one, or use another folder");
  CHECK(second->handle({.target = "/health"}).status == 503);
}

TEST_CASE("a port that is taken is named", "[engine][life]") {
  auto values = *options::for_domain("a.example");
  REQUIRE(values.set("server.listen", "127.0.0.1:0"));
  REQUIRE(values.set("admin.listen", "127.0.0.1:0"));
  auto first = kit::start_engine(engine::builder{values}.storage(store::memory()));
  const auto address = first.web_url().substr(std::string{"http://"}.size());
  REQUIRE(values.set("server.listen", address));
  auto second = engine::builder{values}.storage(store::memory()).start();
  REQUIRE(second);
  const auto refused = second->wait_ready(kit::engine_patience);
  REQUIRE_FALSE(refused);
  CHECK(second->web_url().empty());
  CHECK(second->admin_url().empty()); // though it listened
  CHECK(refused.error().kind == failure_kind::unavailable);
  CHECK(refused.error().message ==
        address + ": Address already in use; end the program that uses this port, or set another "
                  "one");
}

TEST_CASE("a time that is over is no failed start", "[engine][life]") {
  auto node = kit::parts_in_memory().start();
  REQUIRE(node);
  const auto early = node->wait_ready(0ms);
  if (!early) // a fast machine is ready by then
    CHECK(early.error().kind == failure_kind::timed_out);
  CHECK(node->wait_ready(kit::engine_patience));
}

TEST_CASE("for ever is a day", "[engine][life]") {
  auto node = must(kit::parts_in_memory().start());
  CHECK(node.wait_ready(std::chrono::milliseconds::max()));
  CHECK(node.wait_ready(std::chrono::milliseconds::min()));
  CHECK(node.drain(std::chrono::milliseconds::max()));
}

TEST_CASE("the log, the clock and the metrics are the embedder's", "[engine][life]") {
  auto lines = kit::mail<log_line>{};
  const auto noon = std::chrono::sys_days{std::chrono::year{2030} / 5 / 6} + 12h;
  {
    auto node =
        kit::start_engine(kit::parts_in_memory()
                              .log([&](const log_line& line) {
                                lines.put(line);
                                throw 1; // harms nobody
                              })
                              .clock([noon] { return std::chrono::system_clock::time_point{noon}; })
                              .metrics([] { return std::string{"mine 7"}; }));
    const auto ready = lines.find([](const auto& line) { return line.event == "node_ready"; });
    REQUIRE(ready);
    CHECK(ready->severity == log_severity::info);
    CHECK(ready->json.starts_with(R"({"at":"2030-05-06T12:00:00)"));
    CHECK(ready->json.find('\n') == std::string::npos);
    CHECK(node.metrics_text().ends_with("\nmine 7\n"));
  }
  CHECK(lines.find([](const auto& line) { return line.event == "node_stopped"; }));
}

TEST_CASE("a clock and metrics that throw harm nobody", "[engine][life]") {
  auto node =
      kit::start_engine(kit::parts_in_memory()
                            .clock([]() -> std::chrono::system_clock::time_point { throw 1; })
                            .metrics([]() -> std::string { throw 1; }));
  CHECK(status_of(node, "/health") == 200);
  CHECK(node.metrics_text().find("trunkline_") != std::string::npos);
}

TEST_CASE("a log sink that does not return is left behind", "[engine][life]") {
  auto release = std::make_shared<std::promise<void>>();
  auto entered = std::make_shared<std::atomic<bool>>(false);
  {
    auto node = kit::start_engine(kit::parts_in_memory().log(
        [entered, gate = release->get_future().share()](const log_line&) {
          *entered = true;
          gate.wait();
        }));
    CHECK(status_of(node, "/health") == 200);
  }
  CHECK(*entered);
  release->set_value();
}

TEST_CASE("signals are waited for by one, and their handlers put back", "[engine][signals]") {
  const auto before = ::signal(SIGTERM, ignore_signal);
  auto first = kit::start_engine(kit::parts_in_memory("a.example"));
  auto second = kit::start_engine(kit::parts_in_memory("b.example"));
  for (const auto number : {SIGTERM, SIGINT}) {
    const auto old = handler_of(number);
    auto waiting = std::async(std::launch::async, [&] { return first.run_until_signal(); });
    await_handler(number, old);
    CHECK(second.run_until_signal() == -1);
    ::kill(::getpid(), number);
    CHECK(waiting.get() == number);
    CHECK(handler_of(number) == old);
  }
  CHECK(handler_of(SIGTERM) == ignore_signal);
  ::signal(SIGTERM, before);
}

TEST_CASE("an engine that is lost says so, once, and answers nothing", "[engine][lost]") {
  auto broken = losing_engine{};
  const auto before = handler_of(SIGTERM);
  auto waiting = std::async(std::launch::async, [&] { return broken.node.run_until_signal(); });
  await_handler(SIGTERM, before);
  broken.lose();
  CHECK(waiting.get() == 0);
  CHECK(broken.node.run_until_signal() == 0); // at once
  CHECK_FALSE(broken.node.lost().message.empty());
  CHECK(broken.node.lost().kind == failure_kind::internal);
  CHECK(broken.told.size() == 1);
  CHECK(status_of(broken.node, "/health") == 503);
  CHECK(broken.node.web_url().empty());
  CHECK(broken.node.drain(1s));
}

TEST_CASE("the listeners of a lost engine are closed", "[engine][lost]") {
  auto values = *options::for_domain("a.example");
  REQUIRE(values.set("server.listen", "127.0.0.1:0"));
  auto broken = losing_engine{values};
  REQUIRE(values.set("server.listen", broken.node.web_url().substr(7)));
  broken.lose();
  // The port is free for another one, soon: they close on a thread of their own.
  const auto end = std::chrono::steady_clock::now() + kit::engine_patience;
  auto taken = false;
  while (!taken && std::chrono::steady_clock::now() < end) {
    auto next = engine::builder{values}.storage(store::memory()).start();
    REQUIRE(next);
    taken = static_cast<bool>(next->wait_ready(kit::engine_patience));
  }
  CHECK(taken);
}

TEST_CASE("an engine finds again what it has kept in PostgreSQL", "[engine][life][postgres]") {
  const auto folder = kit::temp_folder{};
  const auto parts = engine::builder{*options::for_domain("a.example")}.storage(
      store::postgres(kit::fresh_postgres_database(false), (folder / "data").string()));
  auto alice = std::string{};
  auto post = post_card{};
  {
    auto node = kit::start_engine(parts);
    alice = must(node.create_account({.name = "alice"})).id;
    post = must(node.post(alice, {.text = "kept"}));
    const auto home = must(node.home(alice));
    REQUIRE(home.size() == 1);
    CHECK(home[0].id == post.id);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "data" / "trunkline.db"));

  auto again = kit::start_engine(parts);
  CHECK(must(again.find_account("alice")).id == alice);
  const auto home = must(again.home(alice));
  REQUIRE(home.size() == 1);
  CHECK(home[0].id == post.id);
  CHECK(home[0].content == "<p>kept</p>");
}

TEST_CASE("a PostgreSQL that cannot be reached is named", "[engine][life][postgres]") {
  const auto folder = kit::temp_folder{};
  const auto nowhere = folder.path().string(); // where no server has its socket
  auto node = engine::builder{*options::for_domain("a.example")}
                  .storage(store::postgres("postgresql://alice:hidden@/posts?host=" + nowhere,
                                           (folder / "data").string()))
                  .start();
  REQUIRE(node);
  const auto refused = node->wait_ready(kit::engine_patience);
  REQUIRE_FALSE(refused);
  const auto& why = refused.error();
  CAPTURE(why.message);
  CHECK(why.kind == failure_kind::unavailable);
  CHECK(why.where == "database");
  CHECK_THAT(why.message, Catch::StartsWith("database: ") && Catch::Contains(nowhere));
  CHECK_THAT(why.message, !Catch::Contains("hidden"));
  CHECK(why.advice ==
        "look whether the database runs and takes this user, then start the engine again");
  CHECK(node->handle({.target = "/health"}).status == 503);
}
