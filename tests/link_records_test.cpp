#include "actors/basp_guard.hpp"
#include "actors/link_records.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace trunkline;

namespace {

using frames = std::vector<link_frame>;

frames some_frames() {
  return {{.kind = frame_kind::request, .topic = 1, .id = 7, .body = "ab"},
          {.kind = frame_kind::answer, .topic = 0, .id = 8, .body = std::string("\0\xff", 2)},
          {.kind = frame_kind::refusal, .topic = 9, .id = UINT64_MAX, .body = ""}};
}

http_request some_request() {
  return {.method = http_method::post,
          .path = "/api/v1/statuses",
          .query = "a=b&c",
          .headers = {{"Host", "example.org"}, {"X-Empty", ""}, {"Host", "again"}},
          .body = std::string("{\0}", 3),
          .peer = "192.0.2.1",
          .peer_uid = 33,
          .over_unix_socket = true};
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

/// 32 bytes as BASP 3 writes them.
std::string basp_header(unsigned operation, std::uint32_t length, char sender = 0) {
  auto bytes = std::string(32, '\0');
  bytes[23] = sender;
  bytes[0] = static_cast<char>(operation);
  for (auto i = 0; i < 4; ++i)
    bytes[static_cast<std::size_t>(4 + i)] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
  return bytes;
}

} // namespace

TEST_CASE("what nodes say to each other comes out as it went in", "[link_records]") {
  const auto hello =
      link_hello{.node = "n1", .version_min = 1, .version_max = 300, .is_answer = true};
  CHECK(*decode_hello(encode(hello)) == hello);
  CHECK(*decode_frames(encode(some_frames())) == some_frames());
  CHECK(decode_frames("")->empty());
  const auto request = *decode_request(encode(some_request()));
  CHECK(request.method == http_method::post);
  CHECK(request.path == "/api/v1/statuses");
  CHECK(request.query == "a=b&c");
  CHECK(request.headers == some_request().headers);
  CHECK(request.body == some_request().body);
  CHECK(request.peer == "192.0.2.1");
  CHECK(request.peer_uid == 33);
  CHECK(request.over_unix_socket);
  const auto response = *decode_response(encode(http_response{.status = 404,
                                                              .body = "no",
                                                              .content_type = "text/plain",
                                                              .headers = {{"Link", "<x>"}},
                                                              .close = true}));
  CHECK(response.status == 404);
  CHECK(response.body == "no");
  CHECK(response.content_type == "text/plain");
  CHECK(response.headers == http_headers{{"Link", "<x>"}});
  CHECK(response.close);
}

// What nodes of version 1 have written: it must be read for as long as `link_version_min` is 1.
TEST_CASE("format 1 is what it was", "[link_records]") {
  CHECK(to_hexadecimal(encode(link_hello{.node = "n1"})) == "02000000000000006e310100010000");
  CHECK(to_hexadecimal(
            encode(frames{{.kind = frame_kind::request, .topic = 2, .id = 258, .body = "ab"}})) ==
        "0102020100000000000002000000000000006162");
  CHECK(to_hexadecimal(encode(http_request{.method = http_method::del,
                                           .path = "/p",
                                           .query = "q",
                                           .headers = {{"A", "b"}},
                                           .body = "x",
                                           .peer = "::1"})) ==
        "0502000000000000002f7001000000000000007101000000010000000000000041010000000000000062"
        "01000000000000007803000000000000003a3a31ffffffff00");
  CHECK(to_hexadecimal(encode(http_response{.status = 200, .body = "x", .content_type = "t"})) ==
        "c800000001000000000000007801000000000000007400000000"
        "00");
}

TEST_CASE("bytes of a peer that are no record are refused, whatever is missing",
          "[link_records][A131]") {
  const auto all = encode(some_frames());
  auto refused = 0;
  for (auto length = std::size_t{0}; length < all.size(); ++length)
    refused += decode_frames(all.substr(0, length)) ? 0 : 1;
  CHECK(refused == static_cast<int>(all.size()) - 3); // each ends after a whole frame, and at 0
  const auto request = encode(some_request());
  for (auto length = std::size_t{0}; length < request.size(); ++length)
    CHECK_FALSE(decode_request(request.substr(0, length)));
  CHECK_FALSE(decode_request(request + "x"));
  CHECK_FALSE(decode_hello(""));
  CHECK_FALSE(decode_frames(std::string(20, '\x09'))); // an unknown kind
  auto wrong = encode(http_response{});
  wrong[0] = 1;
  wrong[1] = 0;
  CHECK_FALSE(decode_response(wrong)); // status 1
}

TEST_CASE("a length that lies reserves nothing", "[link_records][A131]") {
  // A request whose path claims 2^62 bytes; headers that claim to be 2^32.
  const auto huge = std::string("\0", 1) + std::string("\0\0\0\0\0\0\0\x40", 8);
  const auto failed = decode_request(huge);
  REQUIRE_FALSE(failed);
  CHECK(code_of(failed.error()) == errc::malformed);
  CHECK(context_of(failed.error()).find("beyond the end") != std::string::npos);
  const auto headers = std::string(17, '\0') + "\xff\xff\xff\xff";
  CHECK_FALSE(decode_request(headers));
}

TEST_CASE("the guard lets whole messages pass and stops lengths that no message has",
          "[basp_guard][A131]") {
  auto guard = basp_guard{};
  const auto message = basp_header(2, 5) + "hello" + basp_header(6, 0);
  CHECK(guard.admits(message + message));
  for (const auto byte : message) // in any pieces
    CHECK(guard.admits(std::string(1, byte)));
  const auto envelope = std::string("\0\0\0\x16@<>+trunkline.envelope", 26);
  CHECK(guard.admits(basp_header(2, basp_payload_max) + envelope));
  CHECK(guard.admits(std::string(basp_payload_max - envelope.size(), 'x')));
  CHECK_FALSE(guard.admits(basp_header(2, basp_payload_max + 1)));

  CHECK_FALSE(basp_guard{}.admits(basp_header(0, UINT32_MAX)));
  CHECK_FALSE(basp_guard{}.admits(basp_header(7, 0)));  // no such operation
  CHECK_FALSE(basp_guard{}.admits(basp_header(3, 10))); // through us to a third node
  auto late = basp_guard{};
  CHECK(late.admits(basp_header(2, 3) + "abc" + basp_header(2, 9'999'999).substr(0, 31)));
  CHECK(late.admits("\0"));
}

TEST_CASE("the guard lets nothing long pass but envelopes", "[basp_guard][A131]") {
  const auto begins = [](unsigned operation, const std::string& bytes) {
    auto guard = basp_guard{};
    auto whole = guard.admits(basp_header(operation, 8 << 20));
    for (const auto byte : bytes)
      whole = whole && guard.admits(std::string(1, byte));
    return whole;
  };
  CHECK(begins(2, std::string("\0\0\0\x16@<>+trunkline.envelopeXYZ", 29)));
  CHECK_FALSE(begins(2, std::string("\0\0\0\x0c@<>+@message", 16)));
  CHECK_FALSE(begins(2, std::string("\1\0\0\x16@<>+trunkline.envelope", 26))); // stages
  CHECK_FALSE(begins(5, ""));                                                  // a down message
  CHECK_FALSE(begins(0, ""));
  auto guard = basp_guard{};
  CHECK(guard.admits(basp_header(5, basp_small_max) + std::string(basp_small_max, 'x')));
}

TEST_CASE("the guard knows few senders of a connection", "[basp_guard][A131]") {
  auto guard = basp_guard{};
  for (auto round = 0; round < 100; ++round)
    for (auto sender = std::size_t{0}; sender < basp_senders_max; ++sender)
      CHECK(guard.admits(basp_header(2, 0, static_cast<char>(sender))));
  CHECK_FALSE(guard.admits(basp_header(2, 0, static_cast<char>(basp_senders_max))));
}
