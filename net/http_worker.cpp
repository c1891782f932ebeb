#include "net/http_worker.hpp"

#include "net/http_listener.hpp"
#include "protocol/http_date.hpp"

#include <boost/asio/post.hpp>

#include <csignal>
#include <ctime>

namespace trunkline {

void http_worker::start() {
  busy_.emplace(loop.get_executor());
  for (const auto& listener : listeners)
    listener->start();
  // Signals belong to the program that embeds the server: its threads take them, ours never do.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[self = shared_from_this()] { self->loop.run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void http_worker::stop_accepting() {
  boost::asio::post(loop, [this] { close_listeners(); });
}

void http_worker::drain(std::function<void()> begun) {
  boost::asio::post(loop, [this, begun = std::move(begun)] {
    draining = true;
    close_listeners();
    begun();
    const auto connections = open; // closing one changes `open`
    for (const auto& [key, connection] : connections)
      connection->drain();
  });
}

void http_worker::stop() {
  boost::asio::post(loop, [this] {
    for (const auto& listener : listeners)
      listener->abort();
    listeners.clear();
    const auto connections = std::exchange(open, {});
    for (const auto& [key, connection] : connections)
      connection->abort();
    busy_.reset();
  });
}

void http_worker::join() {
  if (thread_.joinable())
    thread_.join();
}

std::string_view http_worker::date() {
  const auto now = std::time(nullptr);
  if (now != date_at_) {
    date_ = to_http_date(time_point{std::chrono::seconds{now}});
    date_at_ = now;
  }
  return date_;
}

void http_worker::close_listeners() {
  for (const auto& listener : std::exchange(listeners, {}))
    listener->close();
}

} // namespace trunkline
