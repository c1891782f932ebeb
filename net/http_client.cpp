#include "net/http_client.hpp"

#include "net/client_shared.hpp"
#include "net/connection_pool.hpp"
#include "net/known_urls.hpp"
#include "net/name_resolver.hpp"
#include "net/outgoing_exchange.hpp"
#include "net/request_head.hpp"
#include "net/tls_client.hpp"

#include "protocol/address_rules.hpp"
#include "protocol/errc.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>

namespace trunkline {

namespace {

constexpr std::size_t known_urls_max = 4'096;

caf::error check(const http_client_options& options) {
  if (options.requests_max < 1 || options.connections_max < options.requests_max)
    return make_error(errc::config_invalid, "connections_max: at least requests_max");
  if (options.connections_per_host_max < 1)
    return make_error(errc::config_invalid, "connections_per_host_max: at least 1");
  if (options.lookups_max < 1 || options.lookups_per_domain_max < 1 || options.known_hosts_max < 1)
    return make_error(errc::config_invalid,
                      "lookups_max, lookups_per_domain_max, known_hosts_max: at least 1");
  if (options.header_bytes_max < 1024 || options.header_bytes_max > 1024 * 1024)
    return make_error(errc::config_invalid, "header_bytes_max: 1 KiB to 1 MiB");
  if (std::ranges::any_of(options.user_agent,
                          [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    return make_error(errc::config_invalid, "user_agent: holds a control character");
  return caf::none;
}

} // namespace

class http_client::impl {
public:
  explicit impl(std::unique_ptr<client_shared> shared) : shared_{std::move(shared)} {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { stop(); }

  caf::error open() {
    auto tls = tls_client::make(shared_->options.ca_file, shared_->options.tls_sessions_max);
    if (!tls)
      return std::move(tls.error());
    auto names = name_resolver::make(*shared_);
    if (!names)
      return std::move(names.error());
    tls_ = std::move(*tls);
    names_ = std::move(*names);
    pool_ = std::make_unique<connection_pool>(*shared_);
    shared_->tls = tls_.get();
    shared_->names = names_.get();
    shared_->pool = pool_.get();
    return caf::none;
  }

  void run() {
    busy_.emplace(shared_->loop.get_executor());
    // Signals belong to the program that embeds the client, and SIGPIPE to nobody.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[this] { shared_->loop.run(); }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void send(outgoing_request request, exchange_handler done) {
    {
      const std::lock_guard lock{gate_};
      if (!stopped_)
        return boost::asio::post(
            shared_->loop, [this, request = std::move(request), done = std::move(done)]() mutable {
              begin(std::move(request), std::move(done));
            });
    }
    refuse(done, "the client was stopped");
  }

  void cancel(std::uint64_t id) {
    const std::lock_guard lock{gate_};
    if (id != 0 && !stopped_)
      boost::asio::post(shared_->loop, [this, id] {
        if (const auto found = by_id_.find(id); found != by_id_.end())
          found->second->cancel(); // which takes it out
      });
  }

  void stop() {
    {
      const std::lock_guard lock{gate_};
      if (std::exchange(stopped_, true))
        return;
      boost::asio::post(shared_->loop, [this] { close(); });
    }
    if (thread_.joinable())
      thread_.join();
  }

  const client_counts& counts() const { return shared_->counts; }

private:
  void refuse(const exchange_handler& done, std::string reason) {
    ++shared_->counts.failures;
    ++shared_->counts.refused;
    done({exchange_failure{.phase = exchange_phase::refused, .reason = std::move(reason)}, {}});
  }

  bool is_own(const host_address& host) const {
    const auto with_port = host.name + ":" + std::to_string(host.port);
    return std::ranges::any_of(shared_->options.own_hosts, [&](const std::string& own) {
      return own == host.name || own == with_port;
    });
  }

  /// An inbox gets many requests: its URL is read once.
  caf::expected<known_urls::url_ptr> find_url(const outgoing_request& request) {
    if (auto known = urls_.find(request.url))
      return known;
    auto read = parse_remote_url(request.url, {.allow_http = shared_->options.allow_http});
    if (!read)
      return std::move(read.error());
    if (is_own(read->host))
      return make_error(errc::invalid, "the host is this server");
    auto url = std::make_shared<const remote_url>(std::move(*read));
    if (request.method == http_method::post)
      urls_.keep(request.url, url);
    return url;
  }

  void begin(outgoing_request request, exchange_handler done) {
    ++shared_->counts.requests;
    auto url = find_url(request);
    if (!url)
      return refuse(done, context_of(url.error()));
    if (auto fault = find_request_fault(request))
      return refuse(done, std::move(*fault));
    if (under_way_.size() >= shared_->options.requests_max)
      return refuse(done, "too many requests are under way");
    auto made = std::make_shared<outgoing_exchange>(
        *shared_, std::move(request), std::move(*url),
        [this, done = std::move(done)](outgoing_exchange& ended, exchange_outcome outcome) {
          end(ended, done, std::move(outcome));
        });
    under_way_.insert(made);
    if (made->id() != 0)
      by_id_.emplace(made->id(), made.get());
    shared_->counts.in_flight = under_way_.size();
    made->start();
  }

  void end(outgoing_exchange& ended, const exchange_handler& done, exchange_outcome outcome) {
    by_id_.erase(ended.id());
    under_way_.erase(ended.shared_from_this());
    shared_->counts.in_flight = under_way_.size();
    const auto* failure = outcome.failure();
    ++(failure != nullptr ? shared_->counts.failures : shared_->counts.answers);
    if (failure != nullptr && failure->phase == exchange_phase::refused)
      ++shared_->counts.refused;
    done(std::move(outcome));
  }

  void close() {
    while (!under_way_.empty())
      (*under_way_.begin())->abort("the client was stopped"); // which takes it out
    pool_->stop();
    names_->stop();
    shared_->limits.stop();
    busy_.reset();
  }

  std::unique_ptr<client_shared> shared_;
  std::unique_ptr<tls_client> tls_;
  std::unique_ptr<name_resolver> names_;
  std::unique_ptr<connection_pool> pool_;
  known_urls urls_{known_urls_max};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> busy_;
  std::unordered_set<std::shared_ptr<outgoing_exchange>> under_way_;
  std::unordered_map<std::uint64_t, outgoing_exchange*> by_id_; ///< Of those that have one.
  std::mutex gate_;
  bool stopped_ = false;
  std::thread thread_;
};

caf::expected<std::unique_ptr<http_client>> http_client::start(http_client_options options) {
  if (auto failure = check(options))
    return failure;
  auto allowed = parse_allowed_prefixes(options.allowed_addresses);
  if (!allowed)
    return std::move(allowed.error());
  auto inner = std::make_unique<impl>(
      std::make_unique<client_shared>(std::move(options), std::move(*allowed)));
  if (auto failure = inner->open())
    return failure;
  inner->run();
  return std::unique_ptr<http_client>{new http_client{std::move(inner)}};
}

http_client::http_client(std::unique_ptr<impl> inner) : impl_{std::move(inner)} {}

http_client::~http_client() = default;

void http_client::send(outgoing_request request, exchange_handler done) {
  impl_->send(std::move(request), std::move(done));
}

void http_client::cancel(std::uint64_t id) {
  impl_->cancel(id);
}

void http_client::stop() {
  impl_->stop();
}

http_client_counters http_client::counters() const {
  const auto& counts = impl_->counts();
  return {.requests = counts.requests,
          .answers = counts.answers,
          .failures = counts.failures,
          .refused = counts.refused,
          .retries = counts.retries,
          .connections = counts.connections,
          .reused = counts.reused,
          .resumed = counts.resumed,
          .lookups = counts.lookups,
          .open_connections = counts.open_connections,
          .in_flight = counts.in_flight,
          .known_hosts = counts.known_hosts};
}

} // namespace trunkline
