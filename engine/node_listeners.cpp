#include "engine/node_listeners.hpp"

#include "engine/listeners.hpp"

#include <mutex>
#include <utility>

namespace trunkline {

class node_listeners::present_answerers {
public:
  void set(node_answerers next) {
    auto made = std::make_shared<const node_answerers>(std::move(next));
    const auto held = std::scoped_lock{mutex_};
    now_ = std::move(made);
  }

  std::shared_ptr<const node_answerers> get() const {
    const auto held = std::scoped_lock{mutex_};
    return now_;
  }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const node_answerers> now_;
};

node_listeners::node_listeners() : answerers_{std::make_shared<present_answerers>()} {}

caf::expected<std::unique_ptr<node_listeners>> node_listeners::open(const node_config& config,
                                                                    node_answerers first) {
  auto made = std::make_unique<node_listeners>();
  made->answer_by(std::move(first));
  if (auto failed = made->open_admin(config))
    return failed;
  if (auto failed = made->open_web(config))
    return failed;
  return made;
}

void node_listeners::answer_by(node_answerers next) {
  answerers_->set(std::move(next));
}

caf::error node_listeners::open_admin(const node_config& config) {
  if (config.admin.listen.empty() && config.admin.socket.empty())
    return {};
  auto server = http_server::start(admin_options(config),
                                   [present = answerers_](http_request request, http_reply reply) {
                                     present->get()->admin(std::move(request), std::move(reply));
                                   });
  if (!server)
    return std::move(server.error());
  admin_ = std::move(*server);
  if (!admin_->ports().empty())
    admin_url_ = listener_url(false, config.admin.listen, admin_->ports().front());
  return {};
}

caf::error node_listeners::open_web(const node_config& config) {
  if (config.server.listen.empty())
    return {};
  auto server = http_server::start(web_options(config),
                                   [present = answerers_](http_request request, http_reply reply) {
                                     present->get()->web(std::move(request), std::move(reply));
                                   });
  if (!server)
    return std::move(server.error());
  web_ = std::move(*server);
  web_url_ = listener_url(!config.server.tls_certificate_file.empty(), config.server.listen,
                          web_->ports().front());
  return {};
}

void node_listeners::stop_accepting() {
  if (web_)
    web_->stop_accepting();
}

bool node_listeners::drain(std::chrono::nanoseconds limit) {
  return !web_ || web_->drain(limit);
}

void node_listeners::stop() {
  if (web_)
    web_->stop();
  if (admin_)
    admin_->stop();
}

http_server_counters node_listeners::web_counters() const {
  return web_ ? web_->counters() : http_server_counters{};
}

http_server_counters node_listeners::admin_counters() const {
  return admin_ ? admin_->counters() : http_server_counters{};
}

} // namespace trunkline
