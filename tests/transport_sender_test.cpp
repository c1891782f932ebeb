// The embedder's transport: what it breaks harms nobody but the request.

#include "engine/embedding/transport_sender.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;

namespace {

using answer_function = std::function<void(transport_answer)>;

/// Keeps what it is asked; what is to be done with it is the test's.
struct scripted_transport final : http_transport {
  std::vector<transport_request> asked;
  std::vector<answer_function> waiting;
  bool throws = false;

  void send(transport_request request, answer_function done) override {
    asked.push_back(std::move(request));
    waiting.push_back(std::move(done));
    if (throws)
      throw 1;
  }
};

struct sending {
  std::shared_ptr<scripted_transport> transport = std::make_shared<scripted_transport>();
  transport_sender sender{transport, "a.example", nullptr};
  std::vector<exchange_outcome> outcomes;

  void send(outgoing_request request = {.url = "https://b.example/x"}) {
    sender.send(std::move(request), [this](exchange_outcome one) { outcomes.push_back(one); });
  }

  const exchange_failure& only_failure() const {
    REQUIRE(outcomes.size() == 1);
    REQUIRE(outcomes.front().failure());
    return *outcomes.front().failure();
  }
};

} // namespace

TEST_CASE("a request and its answer pass a transport unchanged", "[transport]") {
  auto one = sending{};
  one.send({.method = http_method::post,
            .url = "https://b.example/inbox",
            .headers = {{"Date", "today"}},
            .body = std::make_shared<const std::string>("hello"),
            .response_bytes_max = 3});
  REQUIRE(one.transport->asked.size() == 1);
  const auto& asked = one.transport->asked.front();
  CHECK(asked.method == "POST");
  CHECK(asked.url == "https://b.example/inbox");
  CHECK(asked.headers == web_headers{{"Date", "today"}});
  CHECK(asked.body == "hello");
  CHECK(asked.response_bytes_max == 3);

  one.transport->waiting.front()(web_response{.status = 202,
                                              .content_type = "text/plain",
                                              .body = "abc",
                                              .headers = {{"Retry-After", "1"}}});
  REQUIRE(one.outcomes.size() == 1);
  const auto* answer = one.outcomes.front().response();
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK(answer->body == "abc");
  CHECK(find_header(answer->headers, "content-type") == "text/plain");
  CHECK(find_header(answer->headers, "retry-after") == "1");
}

TEST_CASE("a request is cancelled by its id, and its answer comes too late", "[transport]") {
  auto one = sending{};
  const auto id = next_request_id();
  one.send({.url = "https://b.example/x", .id = id});
  one.send({.url = "https://b.example/y"});
  one.sender.cancel(0);
  one.sender.cancel(next_request_id());
  CHECK(one.outcomes.empty());
  one.sender.cancel(id);
  CHECK(one.only_failure().phase == exchange_phase::first_byte);
  CHECK(one.only_failure().timed_out);
  one.sender.cancel(id);
  one.transport->waiting.front()(web_response{.status = 200});
  CHECK(one.outcomes.size() == 1);
  CHECK(one.sender.counters().in_flight == 1);
  one.transport->waiting.back()(web_response{.status = 200});
  CHECK(one.outcomes.size() == 2);
}

TEST_CASE("the first answer counts", "[transport]") {
  auto one = sending{};
  one.send();
  one.transport->waiting.front()(web_response{.status = 200});
  one.transport->waiting.front()(web_response{.status = 500});
  one.transport->waiting.front()(transport_failure{});
  REQUIRE(one.outcomes.size() == 1);
  CHECK(one.outcomes.front().response()->status == 200);
  CHECK(one.sender.counters().answers == 1);
  CHECK(one.sender.counters().failures == 0);
}

TEST_CASE("a failure keeps its phase", "[transport]") {
  auto one = sending{};
  one.send();
  one.transport->waiting.front()(
      transport_failure{.phase = transport_phase::tls, .timed_out = true, .reason = "too slow"});
  CHECK(one.only_failure().phase == exchange_phase::tls);
  CHECK(one.only_failure().timed_out);
  CHECK(one.only_failure().reason == "too slow");
}

TEST_CASE("an answer that is none is a failure", "[transport]") {
  auto one = sending{};
  SECTION("too large") {
    one.send({.url = "https://b.example/x", .response_bytes_max = 2});
    one.transport->waiting.front()(web_response{.body = "abc"});
  }
  SECTION("no status") {
    one.send();
    one.transport->waiting.front()(web_response{.status = 7});
  }
  CHECK(one.only_failure().phase == exchange_phase::body);
}

TEST_CASE("an exception is a refusal, also when the answer comes after all", "[transport]") {
  auto one = sending{};
  one.transport->throws = true;
  one.send();
  CHECK(one.only_failure().phase == exchange_phase::refused);
  one.transport->waiting.front()(web_response{});
  CHECK(one.outcomes.size() == 1);
}

TEST_CASE("this server is never asked", "[transport]") {
  auto one = sending{};
  one.send({.url = "https://a.example/users/x"});
  CHECK(one.only_failure().phase == exchange_phase::refused);
  CHECK(one.transport->asked.empty());
}

TEST_CASE("what is never answered times out", "[transport]") {
  auto one = sending{};
  one.send();
  one.sender.end_aged();
  CHECK(one.outcomes.empty());
  one.sender.end_aged();
  CHECK(one.only_failure().timed_out);
  CHECK(one.sender.counters().in_flight == 0);
  one.transport->waiting.front()(web_response{});
  CHECK(one.outcomes.size() == 1);
}

TEST_CASE("no more than 4,096 requests are under way", "[transport]") {
  auto one = sending{};
  for (auto i = 0; i < 4096; ++i)
    one.send();
  CHECK(one.outcomes.empty());
  one.send();
  CHECK(one.only_failure().phase == exchange_phase::refused);
  CHECK(one.transport->asked.size() == 4096);
  one.transport->waiting.front()(web_response{});
  one.send();
  CHECK(one.transport->asked.size() == 4097);
}

TEST_CASE("a sender that is stopped ends everything and takes nothing", "[transport]") {
  auto one = sending{};
  one.send();
  one.sender.stop();
  CHECK(one.only_failure().phase == exchange_phase::refused);
  one.send();
  CHECK(one.outcomes.size() == 2);
  CHECK(one.transport->asked.size() == 1);
}
