// Requests that are ended early by their id.

#include "tests/kit/client_fixture.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"
#include "tests/kit/stub_dns.hpp"

#include <set>
#include <thread>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

bool has_ended(const std::future<exchange_outcome>& waited) {
  return waited.wait_for(0s) == std::future_status::ready;
}

} // namespace

TEST_CASE("a request to a black hole is cancelled", "[client][cancel]") {
  std::atomic<int> gone = 0;
  peer_server peer{[&](peer_connection& connection) {
    connection.read_request();
    connection.wait_for_end();
    ++gone;
  }};
  auto client = start_client();
  const auto id = next_request_id();
  auto one = begin_exchange(*client, {.url = peer.url(), .id = id});
  auto other = begin_exchange(*client, {.url = peer.url(), .id = next_request_id()});
  REQUIRE(eventually([&] { return peer.accepted() == 2; }));
  client->cancel(id);
  const auto outcome = one.get();
  CHECK(result_of(outcome) == "first_byte!");
  CHECK(outcome.timing.total < 2s); // far from any limit
  CHECK(eventually([&] { return gone == 1; }));
  CHECK(client->counters().open_connections == 1);
  CHECK(client->counters().in_flight == 1);
  CHECK(!has_ended(other));
}

TEST_CASE("a request that waits for a connection is cancelled and takes none", "[client][cancel]") {
  std::atomic<bool> may_answer = false;
  peer_server peer{[&](peer_connection& connection) {
    while (!connection.read_request().empty()) {
      while (!may_answer && connection.pause(5)) {
      }
      connection.send(answer("x"));
    }
  }};
  auto options = client_options();
  options.connections_per_host_max = 1;
  auto client = start_client(options);
  auto first = begin_exchange(*client, {.url = peer.url(), .id = next_request_id()});
  REQUIRE(eventually([&] { return peer.accepted() == 1; }));
  const auto id = next_request_id();
  auto second = begin_exchange(*client, {.url = peer.url(), .id = id});
  auto third = begin_exchange(*client, {.url = peer.url(), .id = next_request_id()});
  client->cancel(id);
  const auto outcome = second.get();
  CHECK(result_of(outcome) == "refused!");
  CHECK(!outcome.failure()->fully_written());
  CHECK(!has_ended(first));
  may_answer = true;
  CHECK(result_of(first.get()) == "200");
  CHECK(result_of(third.get()) == "200");
  CHECK(peer.accepted() == 1);
}

TEST_CASE("a request whose name is looked up is cancelled", "[client][cancel]") {
  stub_dns dns{[](const std::string&, int) -> dns_answer { return {.silent = true}; }};
  auto options = client_options();
  options.name_servers = {dns.server()};
  auto client = start_client(options);
  const auto id = next_request_id();
  auto one = begin_exchange(*client, {.url = "http://silent.example:8080/", .id = id});
  REQUIRE(eventually([&] { return dns.asked("silent.example") > 0; }));
  client->cancel(id);
  const auto outcome = one.get();
  CHECK(result_of(outcome) == "name!");
  CHECK(outcome.timing.total < 2s);
}

TEST_CASE("what has ended, has no id or was never sent is not cancelled", "[client][cancel]") {
  std::atomic<bool> may_answer = true;
  peer_server peer{[&](peer_connection& connection) {
    while (!connection.read_request().empty()) {
      while (!may_answer && connection.pause(5)) {
      }
      connection.send(answer("x"));
    }
  }};
  auto client = start_client();
  const auto id = next_request_id();
  CHECK(result_of(fetch(*client, {.url = peer.url(), .id = id})) == "200");
  client->cancel(id);
  may_answer = false;
  auto nameless = begin_exchange(*client, {.url = peer.url()});
  client->cancel(0);
  client->cancel(id);
  client->cancel(next_request_id());
  auto named = begin_exchange(*client, {.url = peer.url(), .id = next_request_id()});
  REQUIRE(eventually([&] { return peer.accepted() == 2; })); // the cancels were before this
  CHECK(!has_ended(nameless));
  may_answer = true;
  CHECK(result_of(nameless.get()) == "200");
  CHECK(result_of(named.get()) == "200");
  CHECK(client->counters().failures == 0);
  client->stop();
  client->cancel(id); // nobody is there
}

TEST_CASE("ids of requests are given once, on any thread", "[client][cancel]") {
  constexpr auto each = std::size_t{1'000};
  auto ids = std::array<std::vector<std::uint64_t>, 4>{};
  {
    auto threads = std::vector<std::jthread>{};
    for (auto& mine : ids)
      threads.emplace_back([&mine] {
        for (auto i = std::size_t{0}; i < each; ++i)
          mine.push_back(next_request_id());
      });
  }
  auto all = std::set<std::uint64_t>{};
  for (const auto& mine : ids)
    all.insert(mine.begin(), mine.end());
  CHECK(all.size() == ids.size() * each);
  CHECK(!all.contains(0));
}
