#include "protocol/delivery_verdict.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using enum delivery_outcome;

/// Noon of 6 November 1994.
constexpr auto noon = time_point{std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 12h};

/// What each status means at a personal and at a shared inbox of a host whose signatures are known.
struct row {
  int status;
  delivery_outcome personal;
  delivery_outcome shared;
};

constexpr auto matrix = std::to_array<row>({
    {200, delivered, delivered},
    {201, delivered, delivered},
    {202, delivered, delivered},
    {204, delivered, delivered},
    {299, delivered, delivered},
    {301, dead_letter, dead_letter}, // a redirect of a POST is not followed
    {302, dead_letter, dead_letter},
    {303, dead_letter, dead_letter},
    {307, dead_letter, dead_letter},
    {308, dead_letter, dead_letter},
    {400, dead_letter, dead_letter},
    {401, host_failed, host_failed},
    {402, dead_letter, dead_letter},
    {403, host_failed, host_failed},
    {404, dead_letter, item_failed},
    {405, dead_letter, dead_letter},
    {406, dead_letter, dead_letter},
    {408, host_failed, host_failed},
    {409, dead_letter, dead_letter},
    {410, dead_letter, item_failed},
    {413, dead_letter, dead_letter},
    {415, dead_letter, dead_letter},
    {418, dead_letter, dead_letter},
    {422, dead_letter, dead_letter},
    {425, host_failed, host_failed},
    {429, host_busy, host_busy},
    {451, dead_letter, dead_letter},
    {499, dead_letter, dead_letter},
    {500, host_failed, host_failed},
    {501, dead_letter, dead_letter},
    {502, host_failed, host_failed},
    {503, host_failed, host_failed},
    {504, host_failed, host_failed},
    {520, host_failed, host_failed},
    {599, host_failed, host_failed},
    {600, dead_letter, dead_letter},
});

delivery_answer answer(int status, bool shared = false) {
  return {.status = status, .shared_inbox = shared, .known = signature_scheme::cavage};
}

} // namespace

TEST_CASE("F20: each status means one thing", "[delivery_verdict]") {
  for (const auto& [status, personal, shared] : matrix) {
    CAPTURE(status);
    CHECK(judge(answer(status), noon).outcome == personal);
    CHECK(judge(answer(status, true), noon).outcome == shared);
    const auto reason = judge(answer(status), noon).reason;
    CHECK(reason == (personal == delivered ? "" : "status " + std::to_string(status)));
  }
}

TEST_CASE("a refusal of signatures is the item's where others are taken", "[delivery_verdict]") {
  for (const auto status : {401, 403}) {
    auto lately = answer(status);
    lately.answered_lately = true;
    CHECK(judge(lately, noon).outcome == item_failed);
    CHECK(judge(answer(status), noon).outcome == host_failed);
  }
}

TEST_CASE("an unproven host that refuses is asked once more with RFC 9421", "[delivery_verdict]") {
  for (const auto status : {400, 401}) {
    auto first = answer(status);
    first.known = signature_scheme::unknown;
    CHECK(judge(first, noon).outcome == sign_again);
    auto second = first;
    second.used = signature_scheme::rfc9421;
    CHECK(judge(second, noon).outcome == (status == 400 ? dead_letter : host_failed));
  }
  auto forbidden = answer(403);
  forbidden.known = signature_scheme::unknown;
  CHECK(judge(forbidden, noon).outcome == host_failed);
}

TEST_CASE("an inbox that is gone is looked up again", "[delivery_verdict]") {
  for (const auto status : {404, 410}) {
    CHECK(judge(answer(status), noon).asks_for_actor);
    CHECK_FALSE(judge(answer(status), noon).asks_for_inbox);
    CHECK(judge(answer(status, true), noon).asks_for_inbox);
    CHECK_FALSE(judge(answer(status, true), noon).asks_for_actor);
  }
  CHECK_FALSE(judge(answer(400), noon).asks_for_actor);
}

TEST_CASE("without an answer it is the item's only when it was fully written",
          "[delivery_verdict]") {
  const auto refused = judge({.status = 0, .failure = "connection refused"}, noon);
  CHECK(refused.outcome == host_failed);
  CHECK(refused.reason == "connection refused");
  CHECK_FALSE(refused.may_be_items);
  const auto silent = judge({.status = 0, .fully_written = true, .failure = "no answer"}, noon);
  CHECK(silent.outcome == host_failed);
  CHECK(silent.may_be_items);
  CHECK(judge(answer(503), noon).may_be_items);
}

TEST_CASE("Retry-After is honoured from a second to a day", "[delivery_verdict]") {
  struct example {
    const char* text;
    std::optional<std::chrono::microseconds> wait;
  };
  for (const auto& [text, wait] : std::to_array<example>({
           {"", std::nullopt},
           {"0", std::nullopt},
           {"1", 1s},
           {"120", 120s},
           {"86400", 24h},
           {"86401", 24h},
           {"999999999", 24h},
           {"9999999999", std::nullopt}, // no number of ours
           {"-5", std::nullopt},
           {"1.5", std::nullopt},
           {"soon", std::nullopt},
           {" 5", std::nullopt},
           {"Sun, 06 Nov 1994 12:00:30 GMT", 30s},
           {"Sun, 06 Nov 1994 12:00:00 GMT", std::nullopt},
           {"Sun, 06 Nov 1994 11:59:00 GMT", std::nullopt},
           {"Wed, 01 Mar 1995 00:00:00 GMT", 24h},
           {"Mon, 07 Nov 1994 11:59:60 GMT", 24h}, // a leap second
           {"Sun, 31 Feb 1995 00:00:00 GMT", std::nullopt},
           {"Sun, 06 Nox 1994 12:00:30 GMT", std::nullopt},
           {"Sun, 06 Nov 1994 24:00:30 GMT", std::nullopt},
           {"Sun, 06 Nov 1994 12:00:30 CET", std::nullopt},
           {"Sunday, 06-Nov-94 12:00:30 GMT", std::nullopt},
       })) {
    CAPTURE(text);
    CHECK(read_retry_after(text, noon) == wait);
  }
  auto busy = answer(429);
  busy.retry_after = "7";
  CHECK(judge(busy, noon).retry_after == std::optional<std::chrono::microseconds>{7s});
  auto broken = answer(503);
  broken.retry_after = "7";
  CHECK(judge(broken, noon).retry_after == std::optional<std::chrono::microseconds>{7s});
  auto refused = answer(400);
  refused.retry_after = "7";
  CHECK_FALSE(judge(refused, noon).retry_after);
}
