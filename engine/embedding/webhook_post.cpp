#include "engine/embedding/webhook_post.hpp"

#include "actors/messages.hpp"
#include "engine/config_rules.hpp"
#include "engine/embedding/webhook_rules.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_log.hpp"
#include "protocol/errc.hpp"
#include "protocol/webhook_signature.hpp"
#include "trunkline/version.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <utility>

namespace trunkline {

namespace {

/// Few: each webhook has one request under way.
http_client_options client_options(const node_config& config) {
  auto options = http_client_options{};
  options.user_agent = "Trunkline/" + std::string{version()} + " (+" + config.server.url + ")";
  options.allow_http = true; // to loopback: the URLs were judged
  options.allowed_addresses = {"0.0.0.0/0", "::/0"};
  options.name_servers = config.federation.name_servers;
  options.requests_max = 64;
  options.connections_max = 64;
  options.known_hosts_max = 64;
  options.lookups_max = 16;
  options.tls_sessions_max = 64;
  options.bodies_bytes_max = 32 << 20;
  return options;
}

caf::error refused(const std::string& what, errc code = errc::config_invalid) {
  return make_error(code, what);
}

caf::expected<std::string> read_secret(const std::string& file) {
  const auto key = "webhooks.secret_file: " + file;
  struct stat facts = {};
  auto in = std::ifstream{file, std::ios::binary};
  if (!in || ::stat(file.c_str(), &facts) != 0)
    return refused(key + " cannot be read");
  if ((facts.st_mode & 077) != 0)
    return refused(key + " can be read by others; chmod 600 " + file, errc::insecure);
  if (facts.st_size > static_cast<off_t>(webhook_secret_bytes_max))
    return refused(key + " is longer than 1024 bytes");
  auto secret = std::string{std::istreambuf_iterator<char>{in}, {}};
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
    secret.pop_back();
  if (secret.size() < webhook_secret_bytes_min)
    return refused(key + " has fewer than 24 bytes");
  return secret;
}

/// The webhook of the settings, without its secret, and those of the embedder.
std::vector<webhook> webhooks_of(const node_config& config, const node_extensions* extensions) {
  auto all = std::vector<webhook>{};
  if (!config.webhooks.url.empty())
    all.push_back({.name = std::string{configured_webhook},
                   .url = config.webhooks.url,
                   .events = config.webhooks.events});
  if (extensions)
    std::ranges::copy(extensions->webhooks, std::back_inserter(all));
  return all;
}

caf::expected<webhook_target> target_of(const webhook& one) {
  const auto place = "webhook '" + one.name + "': ";
  if (!is_webhook_url(one.url))
    return refused(place + "the URL must be https, or http to a loopback address");
  if (one.secret.size() < webhook_secret_bytes_min)
    return refused(place + "the secret has fewer than 24 bytes");
  const auto kinds = read_event_words(one.events);
  if (!kinds)
    return refused(place + context_of(kinds.error()));
  return webhook_target{.name = one.name, .url = one.url, .secret = one.secret, .kinds = *kinds};
}

caf::expected<std::vector<webhook_target>> targets_of(const std::vector<webhook>& webhooks) {
  auto targets = std::vector<webhook_target>{};
  for (const auto& one : webhooks) {
    if (std::ranges::find(targets, one.name, &webhook_target::name) != targets.end())
      return refused("webhook '" + one.name + "': the name is used twice");
    auto target = target_of(one);
    if (!target)
      return std::move(target.error());
    targets.push_back(std::move(*target));
  }
  return targets;
}

/// The kinds that the outbox keeps for all of them. A word that is wrong stops the start later.
event_kinds unlogged_of(const std::vector<webhook>& webhooks) {
  auto kinds = event_kinds{};
  for (const auto& one : webhooks)
    for (const auto kind : {event_kind::delivery, event_kind::host_state})
      if (const auto wanted = read_event_words(one.events); wanted && wanted->has(kind))
        kinds.add(kind);
  return kinds;
}

} // namespace

bool webhook_post::is_wanted(const node_options& options) {
  return !webhooks_of(options.config.values, options.extensions.get()).empty();
}

webhook_post::webhook_post(const node_options& options, node_log& log, wall_clock clock)
    : extensions_{options.extensions}, config_{options.config.values}, source_{webhook_source(
                                                                           config_.server.domain)},
      urls_{own_urls(config_)}, world_{options.world}, log_{log}, clock_{std::move(clock)} {
  const auto webhooks = webhooks_of(config_, extensions_.get());
  for (const auto& one : webhooks)
    statuses_.push_back(std::make_shared<webhook_status>(one.name));
  const auto kinds = unlogged_of(webhooks);
  if (!kinds.has_unlogged())
    return;
  const auto on_full = [to = &log_] {
    to->write(log_level::warning, "webhook_outbox_full",
              {{"problem", "events of hosts are lost: the database takes none"}});
  };
  outbox_ = std::make_shared<webhook_outbox>(kinds, source_, on_full);
}

webhook_post::~webhook_post() {
  end(std::chrono::milliseconds{0});
}

caf::error webhook_post::prepare() {
  auto webhooks = webhooks_of(config_, extensions_.get());
  if (!config_.webhooks.url.empty()) {
    auto secret = read_secret(config_.webhooks.secret_file);
    if (!secret)
      return std::move(secret.error());
    webhooks.front().secret = std::move(*secret);
  }
  auto targets = targets_of(webhooks);
  if (!targets)
    return std::move(targets.error());
  targets_ = std::move(*targets);
  if (world_ || (extensions_ && extensions_->transport)) // who sends for the whole node
    return {};
  auto client = http_client::start(client_options(config_));
  if (!client)
    return std::move(client.error());
  client_ = std::move(*client);
  return {};
}

event_subscriber webhook_post::as_subscriber() const {
  if (!outbox_)
    return {};
  return {.wants_rows = false,
          .wants_deliveries = outbox_->wanted().has(event_kind::delivery),
          .wants_host_states = outbox_->wanted().has(event_kind::host_state),
          .tell = [outbox = outbox_](const engine_event& event) { outbox->add(event); },
          .dropped = {}};
}

void webhook_post::begin(node_actors& actors, const std::shared_ptr<http_sender>& theirs) {
  actors_ = &actors;
  auto names = std::vector<std::string>{};
  for (auto index = std::size_t{0}; index < targets_.size(); ++index) {
    names.push_back(targets_[index].name);
    auto needs = webhook_sender_dependencies{
        .storage = actors.storage,
        .sender = client_ ? std::shared_ptr<http_sender>{client_} : theirs,
        .position = actors.memory.position,
        .outbox = outbox_,
        .status = statuses_[index],
        .clock = clock_,
        .urls = urls_,
        .source = source_,
        .log = [to = &log_](const std::string& line) {
          to->write(log_level::warning, "webhook", {{"change", line}});
        }};
    senders_.push_back(actors.system().spawn(webhook_sender, targets_[index], std::move(needs),
                                             webhook_sender_options{}));
    actors.end_first(caf::actor_cast<caf::actor>(senders_.back()));
  }
  // What a webhook that is gone has not taken is no reason to keep the outbox.
  actors.system().spawn([storage = actors.storage, names](caf::event_based_actor* self) {
    ask_storage(self, storage, do_leave_webhooks(names), [](const caf::expected<caf::unit_t>&) {});
  });
}

/// A mark that is not written costs a repetition at the next start.
void webhook_post::end(std::chrono::milliseconds limit) {
  if (!actors_)
    return;
  const auto left = std::make_shared<std::atomic<std::size_t>>(senders_.size());
  const auto over = std::make_shared<std::promise<void>>();
  const auto note_end = [left, over] {
    if (--*left == 0)
      over->set_value();
  };
  for (const auto& sender : senders_)
    actors_->system().spawn([=](caf::event_based_actor* self) {
      self->request(sender, limit, close_webhook{}).then(note_end, [note_end](const caf::error&) {
        note_end();
      });
    });
  if (world_)
    world_->run_until([left] { return *left == 0; }, limit);
  else
    over->get_future().wait_for(limit);
  senders_.clear();
  actors_ = nullptr;
  if (client_)
    client_->stop();
}

std::vector<webhook_facts> webhook_post::facts() const {
  auto all = std::vector<webhook_facts>{};
  for (const auto& status : statuses_)
    all.push_back(status->read(clock_()));
  return all;
}

} // namespace trunkline
