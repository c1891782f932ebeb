/// Carries requests between the engines of one program, by the name of the host. An engine that is
/// not connected refuses connections, as a stopped server does. Any thread.
#pragma once

#include "trunkline/engine.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace trunkline::kit {

class local_network final : public http_transport {
public:
  void connect(const std::string& host, engine& to) {
    const auto held = std::scoped_lock{mutex_};
    engines_[host] = &to;
  }

  /// Before the engine ends.
  void disconnect(const std::string& host) {
    const auto held = std::scoped_lock{mutex_};
    engines_.erase(host);
  }

  void send(transport_request request, std::function<void(transport_answer)> done) override {
    const auto path_at = request.url.find('/', request.url.find("//") + 2);
    const auto host = request.url.substr(8, path_at - 8); // after "https://"
    auto held = std::unique_lock{mutex_};
    const auto found = engines_.find(host);
    if (found == engines_.end()) {
      held.unlock();
      return done(transport_failure{.phase = transport_phase::connect, .reason = "refused"});
    }
    request.headers.emplace_back("Host", host);
    found->second->handle({.method = std::move(request.method),
                           .target = request.url.substr(path_at),
                           .headers = std::move(request.headers),
                           .body = std::move(request.body)},
                          [done](web_response answer) { done(std::move(answer)); });
  }

private:
  std::mutex mutex_; ///< Guards what follows, and keeps an engine while a request enters it.
  std::map<std::string, engine*> engines_;
};

} // namespace trunkline::kit
