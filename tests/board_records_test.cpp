#include "actors/board_records.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

host_line some_line() {
  auto line = host_line{};
  line.address = {.scheme = "https", .name = "a.example", .port = 8443};
  line.health.facts = {.id = host_id{7},
                       .state = host_state::suspended,
                       .fail_streak = 3,
                       .first_fail_at = time_point{1s},
                       .next_try_at = time_point{2s},
                       .window = 4,
                       .paused = true,
                       .drained_after = 5,
                       .drained_upto = 6,
                       .flushed_upto = 7,
                       .limit_in_flight = 8,
                       .limit_per_s = 9,
                       .scheme = signature_scheme::cavage,
                       .last_ok_at = time_point{3s}};
  line.health.latency = 1'500ms;
  line.health.in_flight = 2;
  line.health.behind = true;
  line.health.last_error = "connect timeout";
  line.health.last_error_at = time_point{4s};
  line.health.oldest_exception_at = time_point{5s};
  line.sums = {.offered = 28,
               .delivered = 1,
               .coalesced = 2,
               .dead = 3,
               .expired = 4,
               .cancelled = 5,
               .pending = 13};
  line.exceptions = 10;
  line.dead_letters = 11;
  line.oldest_in_log = time_point{6s};
  line.oldest_at = time_point{5s};
  return line;
}

host_list_wish some_wish() {
  return {.order = host_order::oldest,
          .state = host_state::slow,
          .only_paused = true,
          .only_behind = true,
          .only_cancelled = true,
          .part = "exam",
          .after = host_place{.number = -4, .name = "b", .id = host_id{9}},
          .limit = 77};
}

board_overview some_overview() {
  auto overview = board_overview{};
  overview.totals.by_state = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  overview.totals.hosts = 36;
  overview.totals.paused = 1;
  overview.totals.behind = 2;
  overview.totals.in_flight = 3;
  overview.totals.exceptions = 4;
  overview.totals.dead_letters = 5;
  overview.totals.sums = {.offered = 6, .pending = 6};
  overview.totals.oldest_at = time_point{7s};
  overview.worst = {some_line()};
  overview.budgets = {{.kind = "healthy", .limit = 640, .in_use = 2, .waiting = 1}};
  overview.stuck = {{.name = "account 17", .since = time_point{8s}}};
  return overview;
}

std::vector<board_question> all_questions() {
  return {{some_wish()},
          {ask_overview{time_point{9s}}},
          {ask_lines{{{.scheme = "http", .name = "[::1]", .port = 80}}}},
          {flush_books{}},
          {ask_open_units{{{.host = host_id{1},
                            .cls = delivery_class::direct,
                            .unit = {.seq = 2, .endpoint = endpoint_id{3}}},
                           {.host = host_id{4}}}}}};
}

std::vector<board_answer> all_answers() {
  return {
      {std::vector{some_line(), some_line()}},
      {some_overview()},
      {books_flushed{}},
      {books_standing{.open = {true, false, true}, .dispatched = 12, .cancelled = {some_line()}}}};
}

caf::expected<board_answer> read_line(void (*change)(host_line&)) {
  auto line = some_line();
  change(line);
  return decode_board_answer(encode(board_answer{std::vector{line}}));
}

caf::expected<board_question> read_wish(void (*change)(host_list_wish&)) {
  auto wish = some_wish();
  change(wish);
  return decode_board_question(encode(board_question{wish}));
}

std::string to_hexadecimal(std::string_view bytes) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto text = std::string{};
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace

TEST_CASE("what nodes say of their hosts comes out as it went in", "[board_records]") {
  for (const auto& question : all_questions()) {
    const auto read = decode_board_question(encode(question));
    REQUIRE(read);
    CHECK(read->what.index() == question.what.index());
    CHECK(encode(*read) == encode(question));
  }
  for (const auto& answer : all_answers()) {
    const auto read = decode_board_answer(encode(answer));
    REQUIRE(read);
    CHECK(read->what.index() == answer.what.index());
    CHECK(encode(*read) == encode(answer));
  }
}

TEST_CASE("a line of a host travels whole", "[board_records]") {
  const auto read = read_line([](host_line&) {});
  REQUIRE(read);
  const auto lines = std::get<std::vector<host_line>>(read->what);
  REQUIRE(lines.size() == 1);
  const auto& line = lines.front();
  const auto sent = some_line();
  CHECK(line.address == sent.address);
  CHECK(line.health.facts == sent.health.facts);
  CHECK(line.health.latency == 1'500ms);
  CHECK(line.health.in_flight == 2);
  CHECK(line.health.behind);
  CHECK(line.health.last_error == "connect timeout");
  CHECK(line.health.last_error_at == time_point{4s});
  CHECK(line.health.oldest_exception_at == time_point{5s});
  CHECK(line.sums == sent.sums);
  CHECK(line.exceptions == 10);
  CHECK(line.dead_letters == 11);
  CHECK(line.oldest_in_log == time_point{6s});
  CHECK(line.oldest_at == time_point{5s});
}

TEST_CASE("a wish, and what is said of all hosts, travel whole", "[board_records]") {
  const auto read = read_wish([](host_list_wish&) {});
  REQUIRE(read);
  const auto wish = std::get<host_list_wish>(read->what);
  CHECK(wish.order == host_order::oldest);
  CHECK(wish.state == host_state::slow);
  CHECK((wish.only_paused && wish.only_behind && wish.only_cancelled));
  CHECK(wish.part == "exam");
  REQUIRE(wish.after);
  CHECK((wish.after->number == -4 && wish.after->name == "b" && wish.after->id == host_id{9}));
  CHECK(wish.limit == 77);

  const auto overview =
      std::get<board_overview>(decode_board_answer(encode(board_answer{some_overview()}))->what);
  const auto sent = some_overview();
  CHECK(overview.totals.by_state == sent.totals.by_state);
  CHECK(overview.totals.hosts == 36);
  CHECK(overview.totals.paused == 1);
  CHECK(overview.totals.behind == 2);
  CHECK(overview.totals.in_flight == 3);
  CHECK(overview.totals.exceptions == 4);
  CHECK(overview.totals.dead_letters == 5);
  CHECK(overview.totals.sums == sent.totals.sums);
  CHECK(overview.totals.oldest_at == time_point{7s});
  CHECK(overview.budgets == sent.budgets);
  REQUIRE(overview.stuck.size() == 1);
  CHECK(overview.stuck[0].name == "account 17");
  CHECK(overview.stuck[0].since == time_point{8s});

  const auto standing = std::get<books_standing>(
      decode_board_answer(encode(board_answer{books_standing{.open = {true, false, true}}}))->what);
  CHECK(standing.open == std::vector<bool>{true, false, true});
}

// What nodes of version 1 have written: it must be read for as long as `link_version_min` is 1.
TEST_CASE("format 1 of questions about hosts is what it was", "[board_records]") {
  CHECK(to_hexadecimal(encode(board_question{host_list_wish{.part = "x", .limit = 2}})) ==
        "000000000000010000000000000078000200000000000000");
  CHECK(to_hexadecimal(encode(board_question{ask_overview{time_point{1us}}})) ==
        "010100000000000000");
  CHECK(to_hexadecimal(encode(board_question{flush_books{}})) == "03");
  CHECK(to_hexadecimal(encode(board_question{ask_open_units{{{.host = host_id{1}}}}})) ==
        "040100000001000000000000000200000000000000000000000000000000");
  CHECK(to_hexadecimal(encode(board_answer{books_flushed{}})) == "02");
  CHECK(to_hexadecimal(encode(board_answer{books_standing{.open = {true}, .dispatched = 3}})) ==
        "03010000000103000000000000000000"
        "0000");
}

TEST_CASE("bytes that are no question about hosts are refused, whatever is missing",
          "[board_records][A131]") {
  for (const auto& question : all_questions()) {
    const auto bytes = encode(question);
    for (auto length = std::size_t{0}; length < bytes.size(); ++length)
      CHECK_FALSE(decode_board_question(bytes.substr(0, length)));
    CHECK_FALSE(decode_board_question(bytes + "x"));
  }
  for (const auto& answer : all_answers()) {
    const auto bytes = encode(answer);
    for (auto length = std::size_t{0}; length < bytes.size(); ++length)
      CHECK_FALSE(decode_board_answer(bytes.substr(0, length)));
    CHECK_FALSE(decode_board_answer(bytes + "x"));
  }
  CHECK_FALSE(decode_board_question("\x05"));
  CHECK_FALSE(decode_board_answer("\x04"));
  CHECK(code_of(decode_board_answer("\xff").error()) == errc::malformed);
  const auto lies = std::string{"\x04\xff\xff\xff\xff", 5}; // of 2^32 units
  CHECK_FALSE(decode_board_question(lies));
}

TEST_CASE("a line of a host with a value that none has is refused", "[board_records][A131]") {
  using change = void (*)(host_line&);
  const auto changes = std::vector<change>{
      [](host_line& line) { line.address.scheme = "ftp"; },
      [](host_line& line) { line.address.name = ""; },
      [](host_line& line) { line.address.name = std::string(261, 'x'); },
      [](host_line& line) { line.address.port = 0; },
      [](host_line& line) { line.address.port = 65'536; },
      [](host_line& line) { line.health.facts.state = host_state{0}; },
      [](host_line& line) { line.health.facts.state = host_state{9}; },
      [](host_line& line) { line.health.facts.scheme = signature_scheme{3}; },
      [](host_line& line) { line.health.facts.fail_streak = INT64_MAX; },
      [](host_line& line) { line.health.facts.window = INT64_MAX; },
      [](host_line& line) { line.health.facts.limit_per_s = INT64_MIN; },
      [](host_line& line) { line.health.facts.limit_in_flight = INT64_MAX; },
      [](host_line& line) { line.health.facts.next_try_at = time_point::max(); },
      [](host_line& line) { line.health.facts.first_fail_at = time_point::min(); },
      [](host_line& line) { line.health.facts.last_ok_at = time_point::max(); },
      [](host_line& line) { line.health.latency = -1us; },
      [](host_line& line) { line.health.in_flight = INT64_MAX; },
      [](host_line& line) { line.health.last_error = std::string(81, 'x'); },
      [](host_line& line) { line.health.last_error_at = time_point::max(); },
      [](host_line& line) { line.health.oldest_exception_at = time_point::max(); },
      [](host_line& line) { line.sums.pending = INT64_MAX; },
      [](host_line& line) { line.sums.offered = INT64_MIN; },
      [](host_line& line) { line.exceptions = INT64_MAX; },
      [](host_line& line) { line.dead_letters = INT64_MAX; },
      [](host_line& line) { line.oldest_in_log = time_point::max(); },
      [](host_line& line) { line.oldest_at = time_point{-1us}; },
  };
  for (auto i = std::size_t{0}; i < changes.size(); ++i) {
    CAPTURE(i);
    const auto read = read_line(changes[i]);
    REQUIRE_FALSE(read);
    CHECK(code_of(read.error()) == errc::malformed);
  }
}

TEST_CASE("a question about hosts that nobody would ask is refused", "[board_records][A131]") {
  CHECK_FALSE(read_wish([](host_list_wish& wish) { wish.order = host_order{5}; }));
  CHECK_FALSE(read_wish([](host_list_wish& wish) { wish.state = host_state{0}; }));
  CHECK_FALSE(read_wish([](host_list_wish& wish) { wish.part = std::string(254, 'x'); }));
  CHECK_FALSE(read_wish([](host_list_wish& wish) { wish.limit = board_lines_max + 1; }));
  CHECK_FALSE(read_wish([](host_list_wish& wish) { wish.after->name = std::string(261, 'x'); }));
  CHECK_FALSE(decode_board_question(encode(board_question{ask_overview{time_point::max()}})));
  const auto many = ask_lines{std::vector<host_address>(
      board_lines_max + 1, {.scheme = "https", .name = "a.example", .port = 443})};
  CHECK_FALSE(decode_board_question(encode(board_question{many})));
  const auto unit = [](ask_open_units::question question) {
    return decode_board_question(encode(board_question{ask_open_units{{question}}}));
  };
  CHECK(unit({}));
  CHECK_FALSE(unit({.cls = delivery_class{0}}));
  CHECK_FALSE(unit({.cls = delivery_class{3}}));
  CHECK_FALSE(unit({.unit = {.seq = -1}}));
  CHECK_FALSE(unit({.unit = {.endpoint = endpoint_id{-1}}}));
}

TEST_CASE("what is said of all hosts can be added up, or is refused", "[board_records][A131]") {
  using change = void (*)(board_overview&);
  for (const auto one : std::vector<change>{
           [](board_overview& all) { all.totals.hosts = INT64_MAX; },
           [](board_overview& all) { all.totals.by_state[8] = INT64_MAX; },
           [](board_overview& all) { all.totals.sums.dead = INT64_MIN; },
           [](board_overview& all) { all.totals.dead_letters = INT64_MAX; },
           [](board_overview& all) { all.totals.oldest_at = time_point::max(); },
           [](board_overview& all) { all.budgets[0].limit = INT64_MAX; },
           [](board_overview& all) { all.budgets[0].kind = std::string(1'025, 'x'); },
           [](board_overview& all) { all.budgets.resize(17); },
           [](board_overview& all) { all.stuck[0].since = time_point::max(); },
           [](board_overview& all) { all.stuck[0].name = std::string(1'025, 'x'); },
       }) {
    auto overview = some_overview();
    one(overview);
    CHECK_FALSE(decode_board_answer(encode(board_answer{overview})));
  }
  CHECK_FALSE(decode_board_answer(
      encode(board_answer{std::vector<host_line>(board_lines_max + 1, some_line())})));
  CHECK_FALSE(decode_board_answer(encode(board_answer{books_standing{.dispatched = INT64_MAX}})));
}
