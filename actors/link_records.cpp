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

template <class Archive, class Hello>
void carry(Archive& archive, Hello& hello) {
  archive(hello.node, hello.version_min, hello.version_max, hello.is_answer);
}

void write_frame(link_writer& to, const link_frame& frame) {
  to(static_cast<std::uint8_t>(frame.kind), frame.topic, frame.id, frame.body);
}

link_frame read_frame(link_reader& from) {
  auto frame = link_frame{};
  auto kind = std::uint8_t{0};
  from(kind, frame.topic, frame.id, frame.body);
  if (kind < static_cast<std::uint8_t>(frame_kind::request) ||
      kind > static_cast<std::uint8_t>(frame_kind::refusal))
    throw std::out_of_range{"an unknown kind of frame"};
  frame.kind = static_cast<frame_kind>(kind);
  return frame;
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
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  carry(to, hello);
  return bytes;
}

caf::expected<link_hello> decode_hello(std::string_view bytes) {
  return decode(bytes, "hello", [](link_reader& from) {
    auto hello = link_hello{};
    carry(from, hello);
    return hello;
  });
}

std::string encode(const std::vector<link_frame>& frames) {
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  for (const auto& frame : frames)
    write_frame(to, frame);
  return bytes;
}

caf::expected<std::vector<link_frame>> decode_frames(std::string_view bytes) {
  return decode(bytes, "frames", [](link_reader& from) {
    auto frames = std::vector<link_frame>{};
    while (!from.is_empty())
      frames.push_back(read_frame(from));
    return frames;
  });
}

std::string encode(const http_request& request) {
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  to(static_cast<std::uint8_t>(request.method), request.path, request.query);
  save(to, request.headers);
  to(request.body, request.peer, request.peer_uid, request.over_unix_socket);
  return bytes;
}

caf::expected<http_request> decode_request(std::string_view bytes) {
  return decode(bytes, "request", [](link_reader& from) {
    auto request = http_request{};
    auto method = std::uint8_t{0};
    from(method, request.path, request.query);
    if (method > static_cast<std::uint8_t>(http_method::other))
      throw std::out_of_range{"an unknown method"};
    request.method = static_cast<http_method>(method);
    load(from, request.headers);
    from(request.body, request.peer, request.peer_uid, request.over_unix_socket);
    return request;
  });
}

std::string encode(const http_response& response) {
  auto bytes = std::string{};
  auto to = link_writer{bytes};
  to(static_cast<std::int32_t>(response.status), response.body, response.content_type);
  save(to, response.headers);
  to(response.close);
  return bytes;
}

caf::expected<http_response> decode_response(std::string_view bytes) {
  return decode(bytes, "answer", [](link_reader& from) {
    auto response = http_response{};
    auto status = std::int32_t{0};
    from(status, response.body, response.content_type);
    if (status < 100 || status > 599)
      throw std::out_of_range{"no status of HTTP"};
    response.status = status;
    load(from, response.headers);
    from(response.close);
    return response;
  });
}

} // namespace trunkline
