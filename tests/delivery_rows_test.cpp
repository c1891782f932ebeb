// Rows of the table by which delivery is proved that need no real time: what a host asks for is
// kept to, an activity that its host cannot take holds nobody up, and hosts that come back get
// everything at once. Each prints what it measured.
#include "kit/remote_host_fixture.hpp"
#include "protocol/http_date.hpp"

#include <algorithm>
#include <iostream>

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr auto usual = 50ms; ///< What an answer takes.

/// Another host beside far.example, to see whether it waits.
struct two_hosts : remote_host_fixture {
  endpoint_id near = add_host("near.example", 0)[0];
  std::map<std::string, microseconds> written_at; ///< By text.

  explicit two_hosts(delivery_world_options options = {})
      : remote_host_fixture{std::move(options)} {}

  void post_near() {
    const auto text = "near " + std::to_string(written_at.size());
    written_at[text] = elapsed();
    write({.text = text, .author = account_id{90}, .object = ++next_object, .extra = {near}});
    settle();
  }

  /// The longest that anything for near.example waited.
  milliseconds longest_wait() const {
    auto longest = microseconds{0};
    for (const auto& request : peers->requests())
      if (request.host == "near.example")
        longest = std::max(longest, request.at - written_at.at(request.body()));
    return duration_cast<milliseconds>(longest);
  }

  /// When far.example was sent something after `at`.
  std::optional<microseconds> next_sent_after(microseconds moment) const {
    const auto found = std::ranges::find_if(peers->requests(), [&](const sent_request& request) {
      return request.host == "far.example" && request.at > moment;
    });
    return found == peers->requests().end() ? std::nullopt : std::optional{found->at};
  }

  std::int64_t next_object = 50'000;
};

struct wish_to_wait {
  std::string name;
  std::function<std::string(time_point)> header;
  seconds wait; ///< That is kept.
};

const auto wishes = std::vector<wish_to_wait>{
    {"120 s", [](time_point) { return std::string{"120"}; }, 120s},
    {"an HTTP date in 120 s", [](time_point now) { return to_http_date(now + 120s); }, 119s},
    {"10 days", [](time_point) { return std::string{"864000"}; }, 24h},
    {"an HTTP date in 10 days", [](time_point now) { return to_http_date(now + 240h); }, 24h},
};

/// Answers `status` with the wish until the first request has it; then everything is taken.
void ask_to_wait(two_hosts& here, int status, const wish_to_wait& wish) {
  here.answer(status, {{"Retry-After", wish.header(here.actors.now())}});
}

/// Returns how long nothing was sent after the wish was read, while others got theirs.
microseconds measure_wait(two_hosts& here, const wish_to_wait& wish) {
  const auto asked_at = here.elapsed();
  here.answer(202);
  const auto steps = 12;
  for (auto step = 0; step < steps; ++step) {
    here.post(0, 0, 2 + step);
    here.post_near();
    here.advance(duration_cast<microseconds>(wish.wait) / steps + 200ms);
  }
  here.advance(5s);
  const auto next = here.next_sent_after(asked_at);
  REQUIRE(next);
  return *next - asked_at;
}

} // namespace

TEST_CASE("row 8: Retry-After is kept to, and others do not wait", "[delivery_rows]") {
  auto cases = 0;
  for (const auto& wish : wishes)
    for (const auto status : {429, 503})
      for (const auto half_open : {false, true}) {
        CAPTURE(wish.name, status, half_open);
        auto options = delivery_world_options{}; // a day passes faster with few timers
        options.log_reader.poll_interval = 60s;
        options.dispatcher.checkpoint_interval = 10s;
        auto here = two_hosts{options};
        here.post();
        here.post_near();
        here.advance(2s);
        if (half_open) {
          here.answer(no_connection());
          here.post();
          here.advance(20s);
          REQUIRE(here.far().state == "suspended");
        }
        ask_to_wait(here, status, wish);
        if (half_open)
          CHECK_FALSE(here.tell(retry_host{here.address()}));
        else
          here.post();
        here.advance(usual + 10ms);
        const auto waited = measure_wait(here, wish);
        CHECK(waited >= wish.wait - 2s); // read a moment before the measure began
        CHECK(waited <= wish.wait + 5s);
        CHECK(here.longest_wait() <= 5ms);
        here.advance(10s);
        CHECK(here.far().waiting == 0);
        ++cases;
      }
  std::cout << "row 8: Retry-After kept to in " << cases
            << " cases (seconds, HTTP dates, 10 days, half-open), others waited at most 5 ms\n";
}

namespace {

enum class comes_to { delivered, dead, exception, hosts_failure, busy };

struct matrix_row {
  int status;
  bool shared;
  comes_to outcome;
  bool looks_again = false; ///< For the actor, or the inbox.
};

constexpr auto delivered = comes_to::delivered;
constexpr auto dead_letter = comes_to::dead;
constexpr auto item_waits = comes_to::exception;
constexpr auto host_fails = comes_to::hosts_failure;
constexpr auto less = comes_to::busy;

/// A host that answered 2xx within ten minutes.
const auto proven_matrix = std::vector<matrix_row>{
    {200, true, delivered},
    {200, false, delivered},
    {201, true, delivered},
    {202, true, delivered},
    {202, false, delivered},
    {204, true, delivered},
    {301, true, dead_letter},
    {302, false, dead_letter},
    {307, true, dead_letter},
    {308, false, dead_letter},
    {400, true, dead_letter},
    {400, false, dead_letter},
    {401, true, item_waits},
    {401, false, item_waits},
    {402, true, dead_letter},
    {403, true, item_waits},
    {403, false, item_waits},
    {404, true, item_waits, true},
    {404, false, dead_letter, true},
    {405, true, dead_letter},
    {406, false, dead_letter},
    {408, true, host_fails},
    {408, false, host_fails},
    {409, true, dead_letter},
    {410, true, item_waits, true},
    {410, false, dead_letter, true},
    {411, true, dead_letter},
    {413, true, dead_letter},
    {413, false, dead_letter},
    {415, false, dead_letter},
    {422, true, dead_letter},
    {422, false, dead_letter},
    {425, true, host_fails},
    {425, false, host_fails},
    {429, true, less},
    {429, false, less},
    {451, true, dead_letter},
    {500, true, host_fails},
    {500, false, host_fails},
    {501, true, dead_letter},
    {501, false, dead_letter},
    {502, true, host_fails},
    {503, true, host_fails},
    {503, false, host_fails},
    {504, false, host_fails},
    {520, true, host_fails},
    {530, false, host_fails},
};

/// A host that never answered well.
const auto unproven_matrix = std::vector<matrix_row>{
    {202, true, delivered},
    {400, true, dead_letter},
    {400, false, dead_letter},
    {401, true, host_fails},
    {401, false, host_fails},
    {403, true, host_fails},
    {403, false, host_fails},
    {404, false, dead_letter, true},
    {404, true, item_waits, true},
    {410, false, dead_letter, true},
    {429, true, less},
    {500, true, host_fails},
    {501, false, dead_letter},
    {503, false, host_fails},
};

void check_row(const matrix_row& row, bool proven) {
  CAPTURE(row.status, row.shared, proven);
  auto here = remote_host_fixture{};
  if (proven) {
    here.post();
    here.advance(2s);
  }
  const auto before = here.count_sent();
  here.answer(row.status);
  here.post(row.shared ? 0 : 1);
  here.advance(150ms); // less than any wait for the next try
  const auto signed_again = !proven && (row.status == 400 || row.status == 401);
  CHECK(here.count_sent() == before + (signed_again ? 2 : 1));
  CHECK(here.signatures[signature_scheme::rfc9421] == (signed_again ? 1 : 0));
  const auto report = here.far();
  CHECK((report.failed > 0) == (row.outcome == comes_to::hosts_failure));
  CHECK(report.next_try_at.has_value() ==
        (row.outcome == comes_to::hosts_failure || row.outcome == comes_to::busy));
  CHECK(here.missing.size() == (row.looks_again ? 1U : 0U));
  here.advance(1s + 10ms); // a checkpoint
  if (row.outcome == comes_to::exception || row.outcome == comes_to::delivered)
    here.answer(202);
  CHECK(here.dead().size() == (row.outcome == comes_to::dead ? 1U : 0U));
  CHECK(here.waiting().size() == (row.outcome == comes_to::exception ? 1U : 0U));
  CHECK(here.far().delivered == (proven ? 1 : 0) + (row.outcome == comes_to::delivered));
  here.answer(202);
  here.advance(1min);
  CHECK(here.far().waiting == 0);
  const auto sums = here.books().sums;
  CHECK(sums.are_balanced());
  CHECK(sums.dead == (row.outcome == comes_to::dead ? 1 : 0));
  CHECK(sums.pending == 0);
}

} // namespace

TEST_CASE("row 8: each status means what the matrix says", "[delivery_rows]") {
  for (const auto& row : proven_matrix)
    check_row(row, true);
  for (const auto& row : unproven_matrix)
    check_row(row, false);
  std::cout << "row 8: " << proven_matrix.size() << " statuses of proven hosts and "
            << unproven_matrix.size() << " of unproven ones, on shared and personal inboxes\n";
}

TEST_CASE("row 8: one 410 after the other never suspends a host", "[delivery_rows]") {
  auto here = remote_host_fixture{};
  here.post();
  here.advance(2s);
  here.peers->set_rule("far.example", [](const outgoing_request& request) {
    return peer_answer{.status = request.url.ends_with("/1/inbox") ? 410 : 202};
  });
  for (auto more = 0; more < 20; ++more)
    here.post(1, 0, 1 + more);
  here.post(0);
  here.advance(3s);
  CHECK(here.far().state == "healthy");
  CHECK(here.dead().size() == 20);
  CHECK(here.sent().back() != "");
  CHECK(here.far().delivered == 2);
}
