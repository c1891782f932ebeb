#include "engine/embedding/transport_sender.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace trunkline;

namespace {

/// Keeps what it is asked to send until the test answers.
struct scripted_transport final : http_transport {
  void send(transport_request request, std::function<void(transport_answer)> done) override {
    if (throws)
      throw std::runtime_error{"no luck"};
    asked.push_back(std::move(request));
    answers.push_back(std::move(done));
  }

  bool throws = false;
  std::vector<transport_request> asked;
  std::vector<std::function<void(transport_answer)>> answers;
};

struct scene {
  void get(const std::string& url, std::size_t bytes_max = 100) {
    sender.send(
        {.url = url, .headers = {{"Accept", "text/plain"}}, .response_bytes_max = bytes_max},
        [this](exchange_outcome outcome) { outcomes.push_back(std::move(outcome)); });
  }

  exchange_phase phase() const { return outcomes.back().failure()->phase; }

  std::shared_ptr<scripted_transport> transport = std::make_shared<scripted_transport>();
  transport_sender sender{transport, "a.example", nullptr};
  std::vector<exchange_outcome> outcomes;
};

} // namespace

TEST_CASE("an embedder's transport gets the request and gives the answer", "[transport_sender]") {
  auto made = scene{};
  made.sender.send({.method = http_method::post,
                    .url = "https://b.example/inbox",
                    .headers = {{"Date", "now"}},
                    .body = std::make_shared<const std::string>("{}")},
                   [&](exchange_outcome outcome) { made.outcomes.push_back(std::move(outcome)); });
  REQUIRE(made.transport->asked.size() == 1);
  const auto& asked = made.transport->asked.front();
  CHECK(asked.method == "POST");
  CHECK(asked.url == "https://b.example/inbox");
  CHECK(asked.headers == web_headers{{"Date", "now"}});
  CHECK(asked.body == "{}");
  CHECK(made.outcomes.empty());

  made.transport->answers.front()(web_response{
      .status = 202, .content_type = "text/plain", .body = "taken", .headers = {{"X-Y", "z"}}});
  REQUIRE(made.outcomes.size() == 1);
  const auto* answer = made.outcomes.front().response();
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK(answer->body == "taken");
  CHECK(find_header(answer->headers, "content-type") == "text/plain");
  CHECK(find_header(answer->headers, "x-y") == "z");
}

TEST_CASE("of two answers the first counts", "[transport_sender]") {
  auto made = scene{};
  made.get("https://b.example/");
  made.transport->answers.front()(
      transport_failure{.phase = transport_phase::tls, .timed_out = true, .reason = "slow"});
  made.transport->answers.front()(web_response{});
  REQUIRE(made.outcomes.size() == 1);
  CHECK(made.phase() == exchange_phase::tls);
  CHECK(made.outcomes.front().failure()->timed_out);
  CHECK(made.outcomes.front().failure()->reason == "slow");
}

TEST_CASE("a transport that throws, or answers too much, fails that request",
          "[transport_sender]") {
  auto made = scene{};
  made.get("https://b.example/", 3);
  made.transport->answers.front()(web_response{.body = "four"});
  CHECK(made.phase() == exchange_phase::body);
  made.transport->throws = true;
  made.get("https://b.example/");
  REQUIRE(made.outcomes.size() == 2);
  CHECK(made.phase() == exchange_phase::refused);
}

TEST_CASE("a transport is never asked for the server itself", "[transport_sender]") {
  auto made = scene{};
  made.get("https://a.example/users/alice");
  made.get("http://a.example:80/");
  CHECK(made.transport->asked.empty());
  REQUIRE(made.outcomes.size() == 2);
  CHECK(made.phase() == exchange_phase::refused);
}

TEST_CASE("a request that its transport forgets ends", "[transport_sender]") {
  auto made = scene{};
  made.get("https://b.example/");
  made.sender.end_aged();
  made.get("https://c.example/");
  CHECK(made.outcomes.empty());
  made.sender.end_aged();
  REQUIRE(made.outcomes.size() == 1);
  CHECK(made.phase() == exchange_phase::first_byte);
  CHECK(made.outcomes.front().failure()->timed_out);
  made.transport->answers.front()(web_response{});
  CHECK(made.outcomes.size() == 1);
  CHECK(made.sender.counters().in_flight == 1);
}

TEST_CASE("a stopped transport sends nothing more", "[transport_sender]") {
  auto made = scene{};
  made.get("https://b.example/");
  made.sender.stop();
  REQUIRE(made.outcomes.size() == 1);
  CHECK(made.phase() == exchange_phase::refused);
  made.get("https://b.example/");
  CHECK(made.transport->asked.size() == 1);
  CHECK(made.outcomes.size() == 2);
  CHECK(made.sender.counters().requests == 2);
  CHECK(made.sender.counters().failures == 2);
  CHECK(made.sender.counters().refused == 2);
}
