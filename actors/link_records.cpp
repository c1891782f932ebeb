#include "actors/link_records.hpp"

#include "actors/records.hpp"

namespace trunkline {

template <class Archive, is_record<link_hello> Hello>
void carry(Archive& archive, Hello& hello) {
  archive(hello.node, hello.version_min, hello.version_max, hello.is_answer);
}

template <class Archive, is_record<link_frame> Frame>
void carry(Archive& archive, Frame& frame) {
  archive(frame.kind, frame.topic, frame.id, frame.body);
}

template <class Archive, is_record<http_request> Request>
void carry(Archive& archive, Request& request) {
  archive(request.method, request.path, request.query, request.headers, request.body, request.peer,
          request.peer_uid, request.over_unix_socket);
}

template <class Archive, is_record<http_response> Response>
void carry(Archive& archive, Response& response) {
  archive(response.status, response.body, response.content_type, response.headers, response.close);
}

void check(const link_hello&) {}

void check(const link_frame& frame) {
  check_record(frame.kind >= frame_kind::request && frame.kind <= frame_kind::refusal,
               "an unknown kind of frame");
}

void check(const http_request& request) {
  check_record(request.method <= http_method::other, "an unknown method");
}

void check(const http_response& response) {
  check_record(response.status >= 100 && response.status <= 599, "no status of HTTP");
}

std::string encode(const link_hello& hello) {
  return write_record(hello);
}

caf::expected<link_hello> decode_hello(std::string_view bytes) {
  return decode_record(bytes, "hello", read_record<link_hello>);
}

std::string encode(const std::vector<link_frame>& frames) {
  auto bytes = std::string{};
  auto to = record_writer{bytes};
  for (const auto& frame : frames)
    carry(to, frame);
  return bytes;
}

caf::expected<std::vector<link_frame>> decode_frames(std::string_view bytes) {
  return decode_record(bytes, "frames", [](record_reader& from) {
    auto frames = std::vector<link_frame>{};
    while (!from.is_empty())
      frames.push_back(read_record<link_frame>(from));
    return frames;
  });
}

std::string encode(const http_request& request) {
  return write_record(request);
}

caf::expected<http_request> decode_request(std::string_view bytes) {
  return decode_record(bytes, "request", read_record<http_request>);
}

std::string encode_seq(std::int64_t seq) {
  auto bytes = std::string{};
  auto to = record_writer{bytes};
  to(seq);
  return bytes;
}

caf::expected<std::int64_t> decode_seq(std::string_view bytes) {
  return decode_record(bytes, "row", [](record_reader& from) {
    auto seq = std::int64_t{0};
    from(seq);
    return seq;
  });
}

std::string encode(const http_response& response) {
  return write_record(response);
}

caf::expected<http_response> decode_response(std::string_view bytes) {
  return decode_record(bytes, "answer", read_record<http_response>);
}

} // namespace trunkline
