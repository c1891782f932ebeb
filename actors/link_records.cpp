#include "actors/link_records.hpp"

#include "protocol/errc.hpp"

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>

#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace trunkline {

namespace {

/// Writes little-endian bytes into a text.
class link_writer : public cereal::OutputArchive<link_writer> {
public:
  explicit link_writer(std::string& to) : OutputArchive{this}, to_{to} {}

  template <std::integral Number>
  void write(Number number) {
    auto rest = static_cast<std::make_unsigned_t<Number>>(number);
    for (auto i = std::size_t{0}; i < sizeof(Number); ++i) {
      to_ += static_cast<char>(rest & 0xff);
      rest = static_cast<decltype(rest)>(static_cast<std::uint64_t>(rest) >> 8);
    }
  }

  void write_bytes(const void* from, std::size_t size) {
    to_.append(static_cast<const char*>(from), size);
  }

private:
  std::string& to_;
};

/// Reads them again; throws when they end too early.
class link_reader : public cereal::InputArchive<link_reader> {
public:
  explicit link_reader(std::string_view from) : InputArchive{this}, rest_{from} {}

  template <std::integral Number>
  Number read() {
    const auto bytes = take(sizeof(Number));
    auto number = std::uint64_t{0};
    for (auto i = sizeof(Number); i-- > 0;)
      number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<Number>(number);
  }

  void read_bytes(void* to, std::size_t size) {
    const auto bytes = take(size);
    bytes.copy(static_cast<char*>(to), size);
  }

  /// A container is made before it is filled: no longer than what is left can fill it.
  std::uint64_t read_size() {
    const auto size = read<std::uint64_t>();
    if (size > rest_.size())
      throw std::out_of_range{"a length beyond the end"};
    return size;
  }

  bool is_empty() const { return rest_.empty(); }

private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size())
      throw std::out_of_range{"too short"};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

} // namespace
} // namespace trunkline

// With it cereal knows how enumerations are written: as their numbers.
CEREAL_SETUP_ARCHIVE_TRAITS(trunkline::link_reader, trunkline::link_writer)

namespace trunkline {
namespace {

template <std::integral Number>
void CEREAL_SAVE_FUNCTION_NAME(link_writer& to, const Number& number) {
  to.write(
      static_cast<std::conditional_t<std::is_same_v<Number, bool>, std::uint8_t, Number>>(number));
}

template <std::integral Number>
void CEREAL_LOAD_FUNCTION_NAME(link_reader& from, Number& number) {
  using wire = std::conditional_t<std::is_same_v<Number, bool>, std::uint8_t, Number>;
  number = static_cast<Number>(from.read<wire>());
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(link_writer& to, const cereal::SizeTag<T>& tag) {
  to.write(static_cast<std::uint64_t>(tag.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(link_reader& from, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::size_t>(from.read_size());
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(link_writer& to, const cereal::BinaryData<T>& data) {
  to.write_bytes(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(link_reader& from, cereal::BinaryData<T>& data) {
  from.read_bytes(data.data, static_cast<std::size_t>(data.size));
}

/// Headers grow as they are read: what a vector of them takes is many times its shortest bytes.
void save(link_writer& to, const http_headers& headers) {
  to(static_cast<std::uint32_t>(headers.size()));
  for (const auto& [name, value] : headers)
    to(name, value);
}

void load(link_reader& from, http_headers& headers) {
  auto count = std::uint32_t{0};
  from(count);
  for (headers.clear(); headers.size() < count;) {
    auto header = http_headers::value_type{};
    from(header.first, header.second);
    headers.push_back(std::move(header));
  }
}

// What a record is made of, in its order: for both directions.

template <class Given, class Record>
concept is_record = std::same_as<std::remove_const_t<Given>, Record>;

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

void check(bool holds, const char* words) {
  if (!holds)
    throw std::out_of_range{words};
}

void check(const link_hello&) {}

void check(const link_frame& frame) {
  check(frame.kind >= frame_kind::request && frame.kind <= frame_kind::refusal,
        "an unknown kind of frame");
}

void check(const http_request& request) {
  check(request.method <= http_method::other, "an unknown method");
}

void check(const http_response& response) {
  check(response.status >= 100 && response.status <= 599, "no status of HTTP");
}

template <class Record>
std::string written(const Record& record) {
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  carry(to, record);
  return bytes;
}

template <class Record>
Record read(link_reader& from) {
  auto record = Record{};
  carry(from, record);
  check(record);
  return record;
}

/// Calls `read` with a reader of all the bytes, which it must take to their end.
template <class Read>
auto decode(std::string_view bytes, std::string_view what, Read read)
    -> caf::expected<decltype(read(std::declval<link_reader&>()))> {
  try {
    auto from = link_reader{bytes};
    auto record = read(from);
    if (from.is_empty())
      return record;
    return make_error(errc::malformed, std::string{what} + " of a node: too long");
  } catch (const std::exception& problem) {
    return make_error(errc::malformed, std::string{what} + " of a node: " + problem.what());
  }
}

} // namespace

std::string encode(const link_hello& hello) {
  return written(hello);
}

caf::expected<link_hello> decode_hello(std::string_view bytes) {
  return decode(bytes, "hello", read<link_hello>);
}

std::string encode(const std::vector<link_frame>& frames) {
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  for (const auto& frame : frames)
    carry(to, frame);
  return bytes;
}

caf::expected<std::vector<link_frame>> decode_frames(std::string_view bytes) {
  return decode(bytes, "frames", [](link_reader& from) {
    auto frames = std::vector<link_frame>{};
    while (!from.is_empty())
      frames.push_back(read<link_frame>(from));
    return frames;
  });
}

std::string encode(const http_request& request) {
  return written(request);
}

caf::expected<http_request> decode_request(std::string_view bytes) {
  return decode(bytes, "request", read<http_request>);
}

std::string encode(const http_response& response) {
  return written(response);
}

caf::expected<http_response> decode_response(std::string_view bytes) {
  return decode(bytes, "answer", read<http_response>);
}

} // namespace trunkline
