// An activity that its host cannot take, and hosts that were away: what holds nobody up, and how
// everything comes to its end once they are back. Each prints what it measured.
#include "kit/remote_host_fixture.hpp"

#include <algorithm>
#include <iostream>

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

/// far.example, which answers some texts with 500.
struct picky_host : remote_host_fixture {
  std::set<std::string> poison;
  std::map<std::string, microseconds> written_at;

  explicit picky_host(delivery_world_options options = {})
      : remote_host_fixture{std::move(options)} {
    peers->set_rule("far.example", [this](const outgoing_request& request) {
      return peer_answer{.status = request.body && poison.contains(*request.body) ? 500 : 202};
    });
  }

  std::string say(std::int64_t object, int author, log_kind kind = log_kind::create) {
    const auto now = elapsed();
    const auto text = post(0, object, author, kind);
    written_at[text] = now;
    return text;
  }
  /// The next text that `say` gives cannot be taken.
  void poison_next() { poison.insert("post " + std::to_string(written + 1)); }

  milliseconds waited_for(const std::string& text) const {
    const auto found = std::ranges::find_if(
        peers->requests(), [&](const sent_request& request) { return request.body() == text; });
    REQUIRE(found != peers->requests().end());
    return duration_cast<milliseconds>(found->at - written_at.at(text));
  }
};

std::string host_name(std::size_t number) {
  return "host" + std::to_string(number) + ".example";
}

/// Hosts of a domain each.
struct many_domains : delivery_world {
  std::vector<endpoint_id> inboxes;
  int written = 0;
  std::map<std::string, microseconds> written_at;

  explicit many_domains(std::size_t count, delivery_world_options options = {})
      : delivery_world{std::move(options)} {
    peers->keep_requests();
    for (auto number = std::size_t{0}; number < count; ++number)
      inboxes.push_back(add_host(host_name(number), 0)[0]);
  }

  void answer(std::size_t from, std::size_t end, const peer_answer& with) {
    for (auto number = from; number < end; ++number)
      peers->set_rule(host_name(number), [with](const outgoing_request&) { return with; });
  }

  void post_to_all(int author = 1) {
    const auto text = "post " + std::to_string(++written);
    written_at[text] = elapsed();
    write({.text = text, .author = account_id{author}, .object = written, .extra = inboxes});
    settle();
  }

  /// What requests to these hosts waited that were sent after `since`.
  std::vector<microseconds> waits(std::size_t from, std::size_t end, microseconds since) const {
    auto names = std::set<std::string>{};
    for (auto number = from; number < end; ++number)
      names.insert(host_name(number));
    auto all = std::vector<microseconds>{};
    for (const auto& request : peers->requests())
      if (names.contains(request.host) && request.at >= since)
        all.push_back(request.at - written_at.at(request.body()));
    std::ranges::sort(all);
    return all;
  }
};

} // namespace

TEST_CASE_METHOD(picky_host, "row 9: what its host cannot take is set aside at the next success",
                 "[delivery_rows]") {
  say(0, 2);
  advance(2s);
  poison_next();
  say(0, 1);
  advance(60ms);
  const auto other = say(0, 2);
  advance(4s); // the waits after the first and the second failure
  CHECK(waited_for(other) <= 3'100ms);
  CHECK(waiting().size() == 1);
  const auto begins = written;
  for (auto more = 0; more < 300; ++more) { // tried again at 30 s, 2 min and so on meanwhile
    say(0, 1 + more % 3);
    advance(1s);
  }
  auto longest = milliseconds{0};
  for (auto number = begins + 1; number <= written; ++number)
    longest = std::max(longest, waited_for("post " + std::to_string(number)));
  CHECK(longest <= 5ms);
  CHECK(far().state == "healthy");
  CHECK(std::ranges::count(sent(), "post 2") <= 5);
  std::cout << "row 9: one activity is always answered 500: the next one waited "
            << waited_for(other).count() << " ms, others at most " << longest.count() << " ms\n";
}

TEST_CASE_METHOD(picky_host, "row 9: also when the host follows nobody but its author",
                 "[delivery_rows]") {
  say(0, 1);
  advance(2s);
  poison_next();
  say(0, 1);
  const auto next = say(0, 1);
  advance(20s);
  CHECK(waited_for(next) <= 10s);
  CHECK(waiting().size() == 1);
  const auto begins = written;
  for (auto more = 0; more < 300; ++more) {
    say(0, 1);
    advance(1s);
  }
  CHECK(far().state == "healthy");
  auto longest = milliseconds{0};
  for (auto number = begins + 1; number <= written; ++number)
    longest = std::max(longest, waited_for("post " + std::to_string(number)));
  CHECK(longest <= 5ms);
  std::cout << "row 9: the same of its only author: the next one waited "
            << waited_for(next).count() << " ms, others at most " << longest.count() << " ms\n";
}

TEST_CASE_METHOD(picky_host, "row 9: the wire shows the Delete of a quarantined Create alone",
                 "[delivery_rows]") {
  say(0, 2);
  advance(2s);
  poison_next();
  say(77, 1);
  advance(60ms);
  say(0, 2);
  advance(3s);
  REQUIRE(waiting().size() == 1);
  poison.clear();
  const auto before = sent().size();
  say(77, 1, log_kind::update);
  const auto end = say(77, 1, log_kind::remove);
  advance(100ms);
  const auto other = say(0, 1);
  advance(40s);
  auto after = sent();
  after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(before));
  CHECK(after == texts{end, other});
  const auto sums = books().sums;
  CHECK(sums.coalesced == 2);
  CHECK(sums.delivered == 4);
  CHECK(sums.pending == 0);
  CHECK(sums.are_balanced());
  std::cout << "row 9: Create, Update and Delete of an object: the wire shows the Delete alone\n";
}

TEST_CASE_METHOD(remote_host_fixture, "row 12: a host that is back an hour later gets all at once",
                 "[delivery_rows]") {
  post();
  advance(2s);
  answer(no_connection());
  for (auto more = 0; more < 40; ++more)
    post(static_cast<std::size_t>(more % 3), 0, 1 + more);
  advance(1h);
  REQUIRE(far().state == "suspended");
  answer({.after = 300ms});
  const auto before = peers->requests().size();
  const auto back_at = elapsed();
  caf::anon_send(hosts, note_sign_of_life{address()});
  advance(10s);
  REQUIRE(peers->requests().size() == before + 40);
  const auto first_after = peers->requests()[before].at - back_at + 300ms;
  CHECK(first_after <= 2s);
  auto rounds = std::map<microseconds, int>{};
  for (auto index = before; index < peers->requests().size(); ++index)
    ++rounds[peers->requests()[index].at];
  auto sizes = std::vector<int>{};
  for (const auto& [moment, count] : rounds)
    sizes.push_back(count);
  REQUIRE(sizes.size() > 4);
  CHECK(std::vector<int>{sizes.begin(), sizes.begin() + 4} == std::vector<int>{1, 1, 2, 4});
  CHECK(far().waiting == 0);
  std::cout << "row 12: first delivery " << duration_cast<milliseconds>(first_after).count()
            << " ms after the signed request, sent at once: probe, 1, 2, 4\n";
}

TEST_CASE("F23: a host that is away for seven days", "[delivery_rows]") {
  auto options = delivery_world_options{}; // days pass faster with few timers
  options.log_reader.poll_interval = 10min;
  options.dispatcher.checkpoint_interval = 1min;
  auto here = remote_host_fixture{options};
  here.post();
  here.advance(2s);
  here.answer(no_connection());
  const auto before = here.peers->requests().size();
  for (auto day = 0; day < 7; ++day)
    for (auto part = 0; part < 10; ++part) {
      for (auto author = 1; author <= 5; ++author)
        here.post(0, 0, author);
      here.advance(24h / 10);
    }
  const auto tries = here.peers->requests().size() - before;
  CHECK(tries <= 90);
  here.answer(202);
  const auto back_at = here.peers->requests().size();
  caf::anon_send(here.hosts, note_sign_of_life{here.address()});
  here.advance(2min);
  CHECK(here.far().waiting == 0);
  auto newest = std::map<int, int>{}; // by author: `post` numbers them in turn
  auto taken = 0;
  for (auto at = back_at; at < here.peers->requests().size(); ++at, ++taken) {
    const auto number = std::stoi(here.peers->requests()[at].body().substr(5));
    auto& last = newest[(number - 2) % 5];
    CHECK(number > last);
    last = number;
  }
  CHECK(taken == 350);
  const auto sums = here.books().sums;
  CHECK(sums.delivered == 351);
  CHECK(sums.are_balanced());
  std::cout << "F23: " << tries << " tries in 7 days, then " << taken << " activities in order\n";
}

TEST_CASE("row 1: when a hundred hosts fail at once the fault is ours", "[delivery_rows]") {
  auto here = many_domains{100};
  here.post_to_all();
  here.advance(3s);
  here.states.clear();
  here.answer(0, 100, no_connection());
  for (auto second = 0; second < 600; ++second) {
    if (second % 60 == 0)
      here.post_to_all();
    here.advance(1s);
  }
  here.answer(0, 100, {});
  here.advance(15s);
  auto most_failures = std::int64_t{0};
  for (auto number = std::size_t{0}; number < 100; ++number) {
    const auto report = here.report(host_name(number));
    CHECK(report.waiting == 0);
    CHECK(report.state != "suspended");
    most_failures = std::max(most_failures, report.failed);
  }
  const auto sums = here.books().sums;
  CHECK(sums.delivered == 100 * here.written);
  CHECK(sums.are_balanced());
  std::cout << "left out of row 1: its load. An own outage of 10 min with 100 hosts: all delivered "
               "15 s after it, at most "
            << most_failures << " requests of a host failed\n";
}

TEST_CASE("F24: a graveyard of hosts does not hold up the living", "[delivery_rows]") {
  constexpr auto dead = std::size_t{300};
  constexpr auto all = dead + 20;
  auto here = many_domains{all};
  here.answer(0, dead / 2, no_connection());
  here.answer(dead / 2, dead, no_answer());
  auto most = std::size_t{0};
  for (auto second = 0; second < 240; ++second) {
    if (second % 2 == 0)
      here.post_to_all(1 + second % 7);
    here.advance(1s);
    if (second >= 120)
      most = std::max(most, here.peers->in_flight());
  }
  CHECK(most <= 64);
  const auto waits = here.waits(dead, all, here.elapsed() - 180s);
  REQUIRE(waits.size() >= 20 * 80);
  const auto p99 = waits[waits.size() * 99 / 100];
  CHECK(p99 <= 5ms);
  std::cout << "F24: " << dead << " dead hosts beside 20: after 2 min at most " << most
            << " requests in flight, p99 of the living " << p99.count() / 1'000 << " ms\n";
}
