// Trunkline behind the program's own HTTP server, here cpp-httplib: the program owns the port, and
// gives the engine what is for it. A page of the program's own stands beside, and a route of the
// engine's knows who is logged in.

#include <trunkline/engine.hpp>

#include <httplib.h>

#include <chrono>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Answers one request of httplib's with what the engine answers.
void pass(trunkline::engine& engine, const httplib::Request& from, httplib::Response& to) {
  auto request = trunkline::web_request{
      .method = from.method, .target = from.target, .body = from.body, .peer = from.remote_addr};
  for (const auto& [name, value] : from.headers)
    if (name != "REMOTE_ADDR" && name != "REMOTE_PORT" && name != "LOCAL_ADDR" &&
        name != "LOCAL_PORT") // httplib's own
      request.headers.emplace_back(name, value);
  const auto answer = engine.handle(std::move(request));
  to.status = answer.status;
  for (const auto& [name, value] : answer.headers)
    to.set_header(name, value);
  to.set_content(answer.body, answer.content_type);
}

int fail(const std::string& why) {
  std::cerr << why << '\n';
  return 1;
}

} // namespace

int main(int count, char**) {
  const auto options = trunkline::options::for_domain("mine.example");
  if (!options)
    return fail(options.error().message);
  auto engine = trunkline::engine::builder{*options}
                    .storage(trunkline::store::memory())
                    .route("GET", "/hello/{}",
                           [](trunkline::route_request request, trunkline::web_reply reply) {
                             reply({.content_type = "text/plain",
                                    .body = "Hello " + request.segments[0] + ", account " +
                                            request.caller.account + "\n"});
                           },
                           {.access = trunkline::route_access::user, .scope = "read"})
                    .log([](const trunkline::log_line&) {})
                    .start();
  if (!engine)
    return fail(engine.error().message);
  if (const auto ready = engine->wait_ready(30s); !ready)
    return fail(ready.error().message);

  auto server = httplib::Server{};
  server.Get("/", [](const httplib::Request&, httplib::Response& to) {
    to.set_content("A page of my own\n", "text/plain");
  });
  const auto to_engine = [&](const httplib::Request& from, httplib::Response& to) {
    pass(*engine, from, to);
  };
  server.Get(".*", to_engine).Post(".*", to_engine).Put(".*", to_engine).Delete(".*", to_engine);
  const auto port = server.bind_to_any_port("127.0.0.1");
  auto serving = std::thread{[&] { server.listen_after_bind(); }};
  std::cout << "http://127.0.0.1:" << port << '\n';
  if (count > 1)
    engine->run_until_signal();

  // What a client of it sees.
  const auto alice = engine->create_account({.name = "alice"});
  const auto token = alice ? engine->create_token(alice->id) : alice.error();
  auto client = httplib::Client{"127.0.0.1", port};
  const auto headers = httplib::Headers{{"Authorization", "Bearer " + (token ? *token : "")}};
  const auto page = client.Get("/");
  const auto instance = client.Get("/api/v2/instance");
  const auto hello = client.Get("/hello/world", headers);
  const auto stranger = client.Get("/hello/world");
  const auto posted =
      client.Post("/api/v1/statuses", headers, httplib::Params{{"status", "From my own server"}});
  server.stop();
  serving.join();
  if (!page || !instance || !hello || !stranger || !posted)
    return fail("the server does not answer");
  std::cout << hello->body;
  return page->status == 200 && instance->status == 200 && hello->status == 200 &&
                 stranger->status == 401 && posted->status == 200 && engine->drain(10s)
             ? 0
             : fail("an answer is not what it should be");
}
