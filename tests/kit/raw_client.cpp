#include "tests/kit/raw_client.hpp"

#include "net/http_types.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace trunkline::kit {

namespace {

using std::chrono::steady_clock;

constexpr auto answer_limit = std::chrono::seconds{5};

int connect_to(int family, const void* address, socklen_t bytes) {
  const auto descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor >= 0 && ::connect(descriptor, static_cast<const sockaddr*>(address), bytes) == 0)
    return descriptor;
  if (descriptor >= 0)
    ::close(descriptor);
  return -1;
}

http_headers headers_of(std::string_view answer) {
  http_headers headers;
  answer = answer.substr(0, answer.find("\r\n\r\n"));
  for (auto begin = answer.find("\r\n"); begin != std::string_view::npos;) {
    const auto end = answer.find("\r\n", begin + 2);
    const auto line = answer.substr(begin + 2, end - begin - 2);
    if (const auto colon = line.find(": "); colon != std::string_view::npos)
      headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    begin = end;
  }
  return headers;
}

} // namespace

raw_client::raw_client(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  descriptor_ = connect_to(AF_INET, &address, sizeof address);
}

raw_client::raw_client(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  descriptor_ = connect_to(AF_UNIX, &address, sizeof address);
}

raw_client::raw_client(raw_client&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, closed_{other.closed_},
      received_{std::move(other.received_)} {}

raw_client::~raw_client() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool raw_client::read_some(steady_clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
  pollfd poll{descriptor_, POLLIN, 0};
  if (left < 0 || ::poll(&poll, 1, static_cast<int>(left)) <= 0)
    return false;
  std::array<char, 65536> part;
  const auto bytes = ::recv(descriptor_, part.data(), part.size(), 0);
  if (bytes <= 0) {
    closed_ = true;
    return false;
  }
  received_.append(part.data(), static_cast<std::size_t>(bytes));
  return true;
}

std::string raw_client::read_answer(bool bodiless) {
  const auto until = steady_clock::now() + answer_limit;
  for (;;) {
    const auto head_end = received_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const auto length = bodiless ? "" : header_of(received_, "Content-Length");
      std::size_t body_bytes = 0;
      std::from_chars(length.data(), length.data() + length.size(), body_bytes);
      const auto size = head_end + 4 + body_bytes;
      if (received_.size() >= size) {
        auto answer = received_.substr(0, size);
        received_.erase(0, size);
        return answer;
      }
    }
    if (!read_some(until))
      return {};
  }
}

std::string raw_client::read_all(std::chrono::milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  while (read_some(until)) {
  }
  return std::exchange(received_, {});
}

void raw_client::shrink_receive_buffer() {
  const int bytes = 2048;
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int status_of(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12)
    return 0;
  int status = 0;
  std::from_chars(answer.data() + 9, answer.data() + 12, status);
  return status;
}

std::string_view body_of(std::string_view answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string_view{} : answer.substr(end + 4);
}

std::string header_of(std::string_view answer, std::string_view name) {
  return std::string{find_header(headers_of(answer), name)};
}

} // namespace trunkline::kit
