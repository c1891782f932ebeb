#include "tests/kit/postgres_proxy.hpp"

#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace trunkline::kit {

namespace {

constexpr auto poll_interval_ms = 20; ///< How soon the end of the test is noticed.

sockaddr_un address_of(const std::string& folder) {
  auto address = sockaddr_un{};
  address.sun_family = AF_UNIX;
  const auto path = folder + "/.s.PGSQL.5432";
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error{"socket path too long"};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

int connect_to(const std::string& folder) {
  const auto address = address_of(folder);
  const auto link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(link, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return link;
  close(link);
  return -1;
}

std::string receive(int link) {
  auto bytes = std::string(65'536, '\0');
  const auto length = recv(link, bytes.data(), bytes.size(), 0);
  bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return bytes;
}

bool send_all(int link, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(link, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Changes the process id in the message that tells it, if `bytes` holds one.
void change_process(std::string& bytes) {
  constexpr auto message = std::string_view{"K\0\0\0\x0c", 5};
  if (const auto at = bytes.find(message); at != std::string::npos)
    bytes[at + message.size() + 3] ^= 1;
}

bool ends_with_commit(std::string_view bytes) {
  return bytes.ends_with(std::string_view{"COMMIT\0", 7});
}

} // namespace

postgres_proxy::postgres_proxy(const std::string& target) {
  const auto space = target.find(' ');
  target_ = target.substr(5, space - 5);
  rest_ = target.substr(space);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(folder_.path().string());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 16) != 0)
    throw std::runtime_error{"no socket for the proxy"};
  acceptor_ = std::thread{[this] { accept_all(); }};
}

postgres_proxy::~postgres_proxy() {
  ending_ = true;
  acceptor_.join();
  for (auto& session : sessions_)
    session.join();
  close(listener_);
}

std::string postgres_proxy::connection_string() const {
  return "host=" + folder_.path().string() + rest_;
}

void postgres_proxy::at_commit(proxy_mood mood, proxy_mood then) {
  then_ = then;
  mood_ = mood;
}

void postgres_proxy::accept_all() {
  while (!ending_) {
    auto waiting = pollfd{listener_, POLLIN, 0};
    if (poll(&waiting, 1, poll_interval_ms) <= 0)
      continue;
    const auto client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (mood_ == proxy_mood::refuse)
      close(client);
    else
      sessions_.emplace_back([this, client] { serve(client); });
  }
}

void postgres_proxy::serve(int client) {
  const auto server = connect_to(target_);
  while (!ending_ && server >= 0) {
    pollfd waiting[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    const auto looked_at = frozen_ ? nfds_t{0} : nfds_t{2};
    if (poll(waiting, looked_at, poll_interval_ms) <= 0)
      continue;
    if (waiting[0].revents != 0 && !hand_on(client, server, receive(client)))
      break;
    if (waiting[1].revents == 0)
      continue;
    auto answer = receive(server);
    if (hides_process_)
      change_process(answer);
    if (answer.empty() || !send_all(client, answer))
      break;
  }
  close(client);
  close(server);
}

bool postgres_proxy::hand_on(int client, int server, const std::string& bytes) {
  const auto mood = mood_.load();
  const auto acts =
      mood != proxy_mood::pass && mood != proxy_mood::refuse && ends_with_commit(bytes);
  if (!acts)
    return !bytes.empty() && send_all(server, bytes);
  mood_ = then_.load();
  if (mood == proxy_mood::lose_request)
    return false;
  if (!send_all(server, bytes))
    return false;
  if (mood == proxy_mood::leave_running) {
    before_drop();
    shutdown(client, SHUT_RDWR);
  }
  receive(server);
  return mood == proxy_mood::keep_answer;
}

} // namespace trunkline::kit
