#include "engine/admin_client.hpp"

#include "protocol/errc.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>

namespace trunkline {

namespace {

constexpr std::size_t answer_bytes_max = 4'194'304;

/// A descriptor that is closed with its scope.
struct open_socket {
  int descriptor = -1;
  explicit open_socket(int opened) : descriptor{opened} {}
  open_socket(const open_socket&) = delete;
  open_socket& operator=(const open_socket&) = delete;
  ~open_socket() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
};

bool connect_to(int descriptor, const std::string& path, std::chrono::seconds limit) {
  auto name = sockaddr_un{};
  if (path.size() >= sizeof name.sun_path)
    return false;
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size());
  const auto patience = timeval{limit.count(), 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return ::connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

bool send_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Reads until the node closes, as asked for with "Connection: close".
bool receive_all(int descriptor, std::string& out) {
  auto piece = std::array<char, 16'384>{};
  while (out.size() < answer_bytes_max) {
    const auto got = ::recv(descriptor, piece.data(), piece.size(), 0);
    if (got <= 0)
      return got == 0;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
  return false;
}

caf::expected<admin_answer> parse_answer(std::string_view text) {
  const auto head_end = text.find("\r\n\r\n");
  auto answer = admin_answer{};
  if (text.size() < 12 || head_end == std::string_view::npos ||
      std::from_chars(text.data() + 9, text.data() + 12, answer.status).ec != std::errc{})
    return make_error(errc::unavailable, "the node closed the connection without an answer");
  if (auto body = parse_json(text.substr(head_end + 4)))
    answer.body = std::move(*body);
  return answer;
}

} // namespace

caf::expected<admin_answer> ask_admin(const std::string& socket, std::string_view method,
                                      std::string_view path, const json_object& body,
                                      std::chrono::seconds limit) {
  const auto connection = open_socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!connect_to(connection.descriptor, socket, limit))
    return make_error(errc::unavailable, "no node answers at " + socket +
                                             ": start it with `trunkline run`, or name its file "
                                             "with --config");
  const auto content = to_json(body);
  auto request = std::string{method} + " " + std::string{path} +
                 " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 "Content-Type: application/json\r\nContent-Length: " +
                 std::to_string(content.size()) + "\r\n\r\n" + content;
  auto text = std::string{};
  if (!send_all(connection.descriptor, request) || !receive_all(connection.descriptor, text))
    return make_error(errc::timed_out, "the node at " + socket + " did not answer in time");
  return parse_answer(text);
}

} // namespace trunkline
