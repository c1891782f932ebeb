#include "net/request_reader.hpp"

#include "net/http_worker.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace trunkline {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t head_read_bytes = 4 * 1024;
constexpr std::size_t body_read_bytes = 16 * 1024;
/// What is not data between two chunks: sizes, extensions, trailers.
constexpr std::size_t chunk_overhead_bytes_max = 16 * 1024;

http_fault fault_of(boost::beast::error_code failure) {
  if (failure == http::error::body_limit)
    return body_too_large;
  if (failure == http::error::header_limit)
    return headers_too_large;
  if (failure == http::error::bad_version)
    return {505, "Unsupported HTTP version"};
  return {400, "Malformed request"};
}

http_method method_of(http::verb verb) {
  switch (verb) {
  case http::verb::get:
    return http_method::get;
  case http::verb::head:
    return http_method::head;
  case http::verb::post:
    return http_method::post;
  case http::verb::put:
    return http_method::put;
  case http::verb::patch:
    return http_method::patch;
  case http::verb::delete_:
    return http_method::del;
  case http::verb::options:
    return http_method::options;
  default:
    return http_method::other;
  }
}

http_headers headers_of(const http::fields& fields) {
  http_headers headers;
  for (const auto& field : fields)
    headers.emplace_back(std::string{field.name_string()}, std::string{field.value()});
  return headers;
}

} // namespace

struct request_reader::reader {
  explicit reader(head_limits limits) : scanner{limits} {}

  std::string_view text() const {
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
  }

  boost::beast::flat_buffer buffer;
  head_scanner scanner;
  http::request_parser<http::string_body> parser;
};

request_reader::request_reader(http_server_shared& shared, std::string_view leftover)
    : shared_{shared}, reader_{std::make_unique<reader>(
                           head_limits{.header_bytes_max = shared.options.header_bytes_max,
                                       .headers_max = shared.options.headers_max,
                                       .target_bytes_max = shared.options.target_bytes_max})} {
  reader_->parser.header_limit(static_cast<std::uint32_t>(shared.options.header_bytes_max) + 1);
  reader_->parser.body_limit(shared.options.body_bytes_max);
  const auto room = reader_->buffer.prepare(leftover.size());
  std::ranges::copy(leftover, static_cast<char*>(room.data()));
  reader_->buffer.commit(leftover.size());
}

request_reader::~request_reader() {
  shared_.bodies_bytes -= counted_bytes_;
}

std::span<char> request_reader::prepare() {
  const auto room = reader_->buffer.prepare(in_body_ ? body_read_bytes : head_read_bytes);
  return {static_cast<char*>(room.data()), room.size()};
}

void request_reader::commit(std::size_t bytes) {
  reader_->buffer.commit(bytes);
}

bool request_reader::began() const {
  return in_body_ || reader_->buffer.size() > 0;
}

http_progress request_reader::advance() {
  return in_body_ ? advance_body() : advance_head();
}

http_request request_reader::take_request() {
  request_.body = std::move(reader_->parser.get().body());
  return std::move(request_);
}

std::string request_reader::take_leftover() {
  return std::string{reader_->text()};
}

http_progress request_reader::refuse(http_fault fault) {
  fault_ = fault;
  keep_alive_ = false;
  // The others may use the room at once: the answer takes a while to leave.
  reader_->parser.get().body() = {};
  shared_.bodies_bytes -= std::exchange(counted_bytes_, 0);
  return http_progress::refused;
}

http_progress request_reader::advance_head() {
  if (!skipped_empty_line_ && reader_->text().starts_with("\r\n")) {
    skipped_empty_line_ = true; // old clients send one behind a body
    reader_->buffer.consume(2);
  }
  if (!skipped_empty_line_ && reader_->text() == "\r")
    return http_progress::more;
  std::size_t size = 0;
  if (const auto fault = reader_->scanner.scan(reader_->text(), size))
    return refuse(*fault);
  return size == 0 ? http_progress::more : take_head(size);
}

http_progress request_reader::take_head(std::size_t size) {
  auto& parser = reader_->parser;
  const auto head = reader_->text().substr(0, size);
  if (const auto fault = check_lines(head))
    return refuse(*fault);
  boost::beast::error_code failure;
  parser.put(boost::asio::buffer(head.data(), head.size()), failure);
  if (failure || !parser.is_header_done())
    return refuse(fault_of(failure));
  const auto& message = parser.get();
  request_.method = method_of(message.method());
  request_.headers = headers_of(message);
  is_head_ = request_.method == http_method::head;
  const auto minor = message.version() == 10 ? 0 : 1;
  if (const auto fault = check_framing(request_.headers, minor))
    return refuse(*fault);
  if (const auto fault = take_target({message.target().data(), message.target().size()}, request_))
    return refuse(*fault);
  keep_alive_ = parser.keep_alive();
  reader_->buffer.consume(size);
  if (parser.is_done())
    return http_progress::complete;
  if (parser.content_length().value_or(0) > shared_.options.body_bytes_max)
    return refuse(body_too_large);
  in_body_ = true;
  expects_continue_ = minor > 0 && !request_.header("Expect").empty();
  parser.eager(true);
  return http_progress::body_begins;
}

http_progress request_reader::advance_body() {
  auto& [buffer, scanner, parser] = *reader_;
  while (buffer.size() > 0 && !parser.is_done()) {
    boost::beast::error_code failure;
    buffer.consume(parser.put(buffer.data(), failure));
    if (failure == http::error::need_more)
      break;
    if (failure)
      return refuse(fault_of(failure));
  }
  const auto received = parser.get().body().size();
  shared_.bodies_bytes += received - counted_bytes_;
  counted_bytes_ = received;
  // The parser unfolds trailers; one that is refused can smuggle nothing.
  if (parser.is_done() && headers_of(parser.get()).size() > request_.headers.size())
    return refuse({400, "Trailers are not supported"});
  if (parser.is_done())
    return http_progress::complete;
  if (buffer.size() > chunk_overhead_bytes_max)
    return refuse({400, "Malformed chunk"});
  if (shared_.bodies_bytes > shared_.options.bodies_bytes_max)
    return refuse({503, "Too many request bodies at once"});
  return http_progress::more;
}

} // namespace trunkline
