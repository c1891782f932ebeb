#include "net/answer_reader.hpp"

#include "net/body_coding.hpp"
#include "net/request_rules.hpp"
#include "protocol/errc.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <optional>

namespace trunkline {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t head_read_bytes = 4 * 1024;
constexpr std::size_t body_read_bytes = 16 * 1024;
/// What is not data between two chunks: sizes, extensions, trailers.
constexpr std::size_t chunk_overhead_bytes_max = 16 * 1024;
constexpr int switching_protocols = 101;

std::string fault_of(boost::beast::error_code failure) {
  if (failure == http::error::body_limit)
    return "the body is too large";
  if (failure == http::error::header_limit)
    return "the headers are too large";
  if (failure == http::error::partial_message || failure == http::error::end_of_stream)
    return "the answer broke off";
  return "malformed answer: " + failure.message();
}

http_headers headers_of(const http::fields& fields) {
  http_headers headers;
  for (const auto& field : fields)
    headers.emplace_back(std::string{field.name_string()}, std::string{field.value()});
  return headers;
}

std::size_t count(const http_headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [&](const auto& header) { return equal_ignoring_case(header.first, name); }));
}

/// What two parsers could read in two ways would let one answer pass for the next one's.
bool has_clear_framing(const http_headers& headers) {
  const auto lengths = count(headers, "Content-Length");
  const auto codings = count(headers, "Transfer-Encoding");
  if (lengths + codings > 1)
    return false;
  return codings == 0 || equal_ignoring_case(find_header(headers, "Transfer-Encoding"), "chunked");
}

} // namespace

struct answer_reader::parts {
  boost::beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> parser;
};

answer_reader::answer_reader(answer_limits limits, bool to_head)
    : limits_{limits}, parts_{std::make_unique<parts>()}, to_head_{to_head} {}

answer_reader::~answer_reader() = default;

std::span<char> answer_reader::prepare() {
  const auto room = parts_->buffer.prepare(in_body_ ? body_read_bytes : head_read_bytes);
  return {static_cast<char*>(room.data()), room.size()};
}

answer_progress answer_reader::advance(std::size_t bytes) {
  began_ = true;
  parts_->buffer.commit(bytes);
  if (!in_body_)
    return read_head();
  body_wire_bytes_ += bytes;
  return read_body();
}

answer_progress answer_reader::finish() {
  if (!in_body_)
    return refuse(began_ ? "the answer broke off" : "the connection was closed without an answer");
  boost::beast::error_code failure;
  parts_->parser->put_eof(failure);
  return failure ? refuse(fault_of(failure)) : complete();
}

bool answer_reader::keeps_connection() const {
  return parts_->parser && parts_->parser->keep_alive() && parts_->buffer.size() == 0;
}

std::size_t answer_reader::body_bytes() const {
  return in_body_ ? parts_->parser->get().body().size() : 0;
}

answer_progress answer_reader::refuse(std::string why) {
  fault_ = std::move(why);
  return answer_progress::broken;
}

answer_progress answer_reader::read_head() {
  auto& [buffer, parser] = *parts_;
  while (buffer.size() > 0) {
    if (!parser) {
      if (header_bytes_ >= limits_.header_bytes_max)
        return refuse("the headers are too large");
      parser.emplace();
      parser->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max - header_bytes_));
      parser->body_limit(limits_.body_bytes_max);
      parser->skip(to_head_);
    }
    boost::beast::error_code failure;
    const auto bytes = parser->put(buffer.data(), failure);
    buffer.consume(bytes);
    header_bytes_ += bytes;
    if (failure == http::error::need_more)
      return answer_progress::more;
    // The length that it announces is too large: that much was understood.
    in_body_ = failure == http::error::body_limit;
    if (failure)
      return refuse(fault_of(failure));
    if (!parser->is_header_done())
      continue;
    if (parser->get().result_int() / 100 != 1)
      return take_head();
    if (parser->get().result_int() == switching_protocols || ++interim_ > limits_.interim_max)
      return refuse("too many interim answers");
    parser.reset();
  }
  return answer_progress::more;
}

answer_progress answer_reader::take_head() {
  auto& parser = *parts_->parser;
  response_.status = static_cast<int>(parser.get().result_int());
  response_.headers = headers_of(parser.get());
  if (!has_clear_framing(response_.headers))
    return refuse("repeated or contradictory Content-Length and Transfer-Encoding");
  in_body_ = true;
  parser.eager(true);
  body_wire_bytes_ = parts_->buffer.size();
  return parser.is_done() ? complete() : read_body();
}

answer_progress answer_reader::read_body() {
  auto& [buffer, parser] = *parts_;
  while (buffer.size() > 0 && !parser->is_done()) {
    boost::beast::error_code failure;
    buffer.consume(parser->put(buffer.data(), failure));
    if (failure == http::error::need_more)
      break;
    if (failure)
      return refuse(fault_of(failure));
  }
  if (parser->is_done())
    return complete();
  if (buffer.size() > chunk_overhead_bytes_max)
    return refuse("malformed chunk");
  // Chunks of one byte are six bytes each: nobody who means well sends a body so.
  if (body_wire_bytes_ > 2 * limits_.body_bytes_max + chunk_overhead_bytes_max)
    return refuse("the body is too large");
  return answer_progress::more;
}

answer_progress answer_reader::complete() {
  if (count(response_.headers, "Content-Encoding") > 1)
    return refuse("body: more than one Content-Encoding");
  auto body = decode_body(find_header(response_.headers, "Content-Encoding"),
                          std::move(parts_->parser->get().body()), limits_.body_bytes_max);
  if (!body)
    return refuse(context_of(body.error()));
  response_.body = std::move(*body);
  return answer_progress::complete;
}

} // namespace trunkline
