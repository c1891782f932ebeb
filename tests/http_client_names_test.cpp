// Names are looked up a few at a time, and those of one owner hold nobody up.

#include "net/lookup_queue.hpp"
#include "tests/kit/client_fixture.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"
#include "tests/kit/stub_dns.hpp"

#include <array>
#include <atomic>
#include <chrono>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

std::string below(const std::string& domain, int number) {
  return "n" + std::to_string(number) + "." + domain;
}

void answer_all(peer_connection& peer) {
  while (!peer.read_request().empty() && peer.send(answer("x"))) {
  }
}

/// Takes turns until there are none.
std::vector<std::string> take_all(lookup_queue& queue) {
  auto names = std::vector<std::string>{};
  while (const auto turn = queue.next())
    names.push_back(turn->name);
  return names;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("turns go round the domains", "[client][names]") {
  auto queue = lookup_queue{100, 8};
  for (auto i = 0; i < 3; ++i)
    queue.push(below("many.test", i));
  queue.push("one.test");
  queue.push("a.two.test");
  queue.push("b.two.test");
  CHECK(take_all(queue) == names{"n0.many.test", "one.test", "a.two.test", "n1.many.test",
                                 "b.two.test", "n2.many.test"});
  for (const auto* domain : {"many.test", "many.test", "many.test", "one.test", "two.test"})
    queue.end(domain);
  CHECK(queue.domains() == 1);
  queue.end("two.test");
  CHECK(queue.domains() == 0);
}

TEST_CASE("a domain has its share of the turns, and all together have a limit", "[client][names]") {
  auto queue = lookup_queue{5, 2};
  for (auto i = 0; i < 10; ++i)
    queue.push(below("many.test", i));
  CHECK(take_all(queue).size() == 2);
  for (auto i = 0; i < 4; ++i)
    queue.push("other" + std::to_string(i) + ".test");
  CHECK(take_all(queue) == names{"other0.test", "other1.test", "other2.test"});
  queue.end("many.test"); // room for one, and another one was there before
  CHECK(take_all(queue) == names{"other3.test"});
  queue.end("other0.test");
  CHECK(take_all(queue) == names{"n2.many.test"});
  queue.end("other1.test"); // the domain has its share again
  CHECK(take_all(queue).empty());
}

TEST_CASE("F25: a domain with 300 names whose servers hang delays no other",
          "[client][names][F25]") {
  auto silent = std::atomic<int>{0};
  auto asked = std::array<std::atomic<bool>, 300>{};
  stub_dns dns{[&](const std::string& name, int) -> dns_answer {
    if (!name.ends_with(".hangs.test"))
      return {.addresses = {"127.0.0.1"}};
    if (!asked.at(static_cast<std::size_t>(std::stoi(name.substr(1)))).exchange(true))
      ++silent;
    return {.silent = true};
  }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.name_limit = 60s; // a look-up takes 36 s to end: it is another one's turn only then
  options.total_limit = 100s;
  auto client = start_client(options);
  std::vector<std::future<exchange_outcome>> stuck;
  for (auto i = 0; i < 300; ++i)
    stuck.push_back(begin_exchange(*client, {.url = peer.url("/", below("hangs.test", i))}));
  for (auto i = 0; i < 20; ++i) {
    const auto outcome = get(*client, peer.url("/", below("good.test", i)));
    CHECK(result_of(outcome) == "200");
    CHECK(outcome.timing.name < 2s);
    CHECK(result_of(get(*client, peer.url("/", "h" + std::to_string(i) + ".test"))) == "200");
  }
  CHECK(silent == 8);
  CHECK(client->counters().lookups == 48);
  client->stop();
  for (auto& one : stuck)
    CHECK(one.get().failure() != nullptr);
}

TEST_CASE("F25: every name of a domain gets its turn as look-ups end", "[client][names][F25]") {
  stub_dns dns{[](const std::string&, int) -> dns_answer { return {.addresses = {"127.0.0.1"}}; }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.lookups_max = 3;
  options.lookups_per_domain_max = 2;
  auto client = start_client(options);
  std::vector<std::future<exchange_outcome>> all;
  for (auto i = 0; i < 50; ++i) {
    all.push_back(begin_exchange(*client, {.url = peer.url("/", below("many.test", i))}));
    all.push_back(begin_exchange(*client, {.url = peer.url("/", below("more.test", i))}));
  }
  for (auto& one : all)
    CHECK(result_of(one.get()) == "200");
  CHECK(client->counters().lookups == 100);
}

TEST_CASE("F25: names that nobody waits for any more are not asked for", "[client][names][F25]") {
  stub_dns dns{[](const std::string& name, int) -> dns_answer {
    return {.addresses = {"127.0.0.1"}, .silent = !name.starts_with("last")};
  }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.lookups_per_domain_max = 1;
  options.name_limit = 4s; // a look-up ends after 2.4 s
  auto client = start_client(options);
  std::vector<std::future<exchange_outcome>> stuck;
  for (auto i = 0; i < 20; ++i) {
    const auto id = next_request_id();
    stuck.push_back(
        begin_exchange(*client, {.url = peer.url("/", below("hangs.test", i)), .id = id}));
    if (i > 0)
      client->cancel(id);
  }
  CHECK(result_of(get(*client, peer.url("/", "last.hangs.test"))) == "200");
  for (auto& one : stuck)
    CHECK(result_of(one.get()) == "name!");
  CHECK(client->counters().lookups == 2);
}

TEST_CASE("shares of look-ups are at least one", "[client][names]") {
  auto options = client_options();
  options.lookups_per_domain_max = 0;
  CHECK(!http_client::start(options));
}
