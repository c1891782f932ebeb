#include "bench/http_load.hpp"

#include "bench/sample_post.hpp"

#include <charconv>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::bench {

namespace {

using std::chrono::steady_clock;

class http_poster {
public:
  http_poster(std::uint16_t port, std::size_t number) {
    const auto body = R"({"status":")" + std::string{sample_text} + R"(","language":"en"})";
    request_ =
        "POST /api/v1/statuses HTTP/1.1\r\nHost: " + std::string{bench_domain} +
        "\r\nAuthorization: Bearer bench-" + std::to_string(number) +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error{"http: cannot connect"};
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  http_poster(http_poster&& other) noexcept
      : request_{std::move(other.request_)}, answer_{std::move(other.answer_)},
        descriptor_{std::exchange(other.descriptor_, -1)}, sent_{other.sent_} {}
  http_poster(const http_poster&) = delete;
  http_poster& operator=(const http_poster&) = delete;
  ~http_poster() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  microseconds waited() const {
    return std::chrono::duration_cast<microseconds>(steady_clock::now() - sent_);
  }

  void send() {
    sent_ = steady_clock::now();
    if (::send(descriptor_, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      throw std::runtime_error{"http: cannot send"};
  }

  /// Returns the status of the answer once it is whole, before that 0.
  int receive() {
    char part[16384];
    const auto bytes = ::recv(descriptor_, part, sizeof part, 0);
    if (bytes <= 0)
      throw std::runtime_error{"http: the server closed"};
    answer_.append(part, static_cast<std::size_t>(bytes));
    const auto head = answer_.find("\r\n\r\n");
    if (head == std::string::npos || answer_.size() < head + 4 + body_bytes())
      return 0;
    int status = 0;
    std::from_chars(answer_.data() + 9, answer_.data() + 12, status);
    answer_.clear();
    return status;
  }

private:
  std::size_t body_bytes() const {
    static constexpr std::string_view name = "Content-Length: ";
    const auto at = answer_.find(name);
    std::size_t bytes = 0;
    if (at != std::string::npos)
      std::from_chars(answer_.data() + at + name.size(), answer_.data() + answer_.size(), bytes);
    return bytes;
  }

  std::string request_;
  std::string answer_;
  int descriptor_ = -1;
  steady_clock::time_point sent_;
};

} // namespace

load_figures post_through_http(std::uint16_t port, std::size_t posters, std::chrono::seconds span) {
  std::vector<http_poster> clients;
  std::vector<pollfd> polls;
  for (std::size_t i = 1; i <= posters; ++i) {
    clients.emplace_back(port, i);
    polls.push_back({clients.back().descriptor(), POLLIN, 0});
  }
  load_figures figures{.path = "http", .database = {}, .posters = posters};
  const auto cpu = process_cpu() - thread_cpu();
  const auto begin = steady_clock::now();
  for (auto& client : clients)
    client.send();
  for (auto open = posters; open > 0;) {
    ::poll(polls.data(), polls.size(), -1);
    for (std::size_t i = 0; i < posters; ++i) {
      const auto status = polls[i].revents ? clients[i].receive() : 0;
      if (status == 0)
        continue;
      if (status == 200)
        figures.latencies.push_back(clients[i].waited());
      else
        ++figures.failures;
      if (steady_clock::now() - begin < span) {
        clients[i].send();
        continue;
      }
      polls[i].fd = -1; // `poll` leaves it out
      --open;
    }
  }
  figures.wall = steady_clock::now() - begin;
  figures.cpu = process_cpu() - thread_cpu() - cpu;
  figures.posts = figures.latencies.size();
  return figures;
}

} // namespace trunkline::bench
