#include "engine/node_state.hpp"

#include "engine/cluster_report.hpp"
#include "engine/exit_codes.hpp"
#include "engine/standby.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "storage/postgres_database.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// A node that has nobody to wait for serves without a word about it.
constexpr auto unspoken_wait = 500ms;

/// Past it a node without a name has seen another process renew the lease that it waits for.
constexpr auto lone_wait =
    std::chrono::duration_cast<std::chrono::milliseconds>(lease_length + lease_grace) + renew_every;

/// How long a node that ends waits for what it has passed on.
constexpr auto standby_drain = 5s;

std::string boot_id() {
  auto in = std::ifstream{"/proc/sys/kernel/random/boot_id"};
  auto id = std::string{};
  std::getline(in, id);
  return id;
}

/// Names the process by what no two can have at once: this start of the machine, and the folder,
/// which is locked. Without a folder every process is another one.
std::string holder_of(const node_config& config) {
  struct stat folder = {};
  if (config.storage.folder.empty() || ::stat(config.storage.folder.c_str(), &folder) != 0)
    return to_hex(random_bytes(16));
  return boot_id() + "/" + std::to_string(folder.st_dev) + "/" + std::to_string(folder.st_ino);
}

std::string joined(const std::vector<std::string>& statements) {
  auto text = std::string{};
  for (const auto& statement : statements)
    text += (text.empty() ? "" : " ") + statement;
  return text;
}

/// Tells whether the last renewal was so long ago that the others may be gone.
bool is_old(const lease_status& status) {
  return boot_clock::now() >= status.held_until;
}

} // namespace

/// Returns when the node may work: at once on SQLite, in a cluster once it is a member, and for a
/// node without a name when its turn to serve has come.
caf::expected<std::optional<held_lease>> node::state::take_lease() {
  const auto url = postgres_url_of(*options);
  if (!url)
    return url.error();
  if (url->empty())
    return std::optional<held_lease>{};
  is_shared = true;
  {
    const auto held = std::scoped_lock{mutex};
    if (ends || !options->owner_looks)
      sessions.watch->begin();
  }
  if (auto failed = check_shared(*url))
    return failed;
  if (auto failed = begin_links())
    return failed;
  if (auto failed = begin_lease(*url))
    return failed;
  if (!lease->wait_for_turn(unspoken_wait)) {
    if (auto failed = open_standing_by())
      return failed;
    if (auto failed = links ? wait_for_membership() : wait_for_lone_turn())
      return failed;
  }
  const auto now = lease->status();
  works_as = now.incarnation;
  lease->work_as(now.incarnation);
  return std::optional{held_lease{.node = {.id = now.id,
                                           .slot = now.slot,
                                           .incarnation = now.incarnation,
                                           .serves = now.phase == lease_phase::serving},
                                  .membership = lease->membership(),
                                  .serving = lease->lease(),
                                  .sessions = sessions}};
}

/// What would go wrong only when another node takes over is found at the start.
caf::error node::state::check_shared(const std::string& url) {
  const auto missing = prepare_postgres(url);
  if (!missing)
    return missing.error();
  const auto is_named = !config.cluster.node.empty();
  if (is_named && !missing->empty())
    return make_error(errc::config_invalid,
                      "storage.postgres_url_file: its role lacks timeouts without which a node "
                      "that stands still would hold up the others; run: " +
                          joined(*missing));
  if (!missing->empty())
    log.write(log_level::warning, "role_timeouts_missing", {{"run", joined(*missing)}});
  const auto key = secret_key_of(*options);
  if (!key)
    return key.error();
  const auto db = open_postgres(url, sessions);
  return db ? check_secret_key(**db, *key) : db.error();
}

/// A node without a name has nobody to speak with.
caf::error node::state::begin_links() {
  if (config.cluster.node.empty())
    return {};
  auto begun = cluster_links::start(config, *home, log,
                                    [this](link_topic topic, const std::string& body,
                                           const peer_reply& reply) { serve(topic, body, reply); });
  if (!begun)
    return std::move(begun.error());
  links = std::move(*begun);
  return {};
}

caf::error node::state::begin_lease(const std::string& url) {
  auto wish =
      join_wish{.name = config.cluster.node,
                .holder = holder_of(config),
                .address = links ? links->address() : "",
                .weights = {.account = static_cast<std::uint32_t>(config.cluster.account_weight),
                            .host = static_cast<std::uint32_t>(config.cluster.host_weight)}};
  auto begun = lease_thread::start(
      url, sessions, std::move(wish),
      {.told = [this](const lease_status& news) { hear(news); },
       .seen = [this](const cluster_view& view) { see(view); },
       .report =
           [this] {
             return renewal_words{.report = to_json(describe()),
                                  .unreachable =
                                      links ? links->unreachable() : std::vector<std::string>{}};
           }});
  if (!begun)
    return std::move(begun.error());
  const auto held = std::scoped_lock{mutex};
  lease = std::move(*begun);
  return {};
}

/// From now on whoever asks is told that the node stands by, or answered by the one that serves.
caf::error node::state::open_standing_by() {
  auto opened = node_listeners::open(
      config,
      answer_standing_by(
          {.why = [this] { return why_standing_by(); },
           .why_alone = [this] { return why_alone(); },
           .cluster = [this] { return describe_cluster(); },
           .nodes = [this] { return describe_nodes(); },
           .answer_itself = [this](const auto& request,
                                   const auto& reply) { return answer_itself(request, reply); },
           .is_member = [this] { return lease->status().id != 0; },
           .forward = [this](auto topic, const auto& request,
                             const auto& reply) { forward(topic, request, reply); }}));
  if (!opened)
    return std::move(opened.error());
  listeners = std::move(*opened);
  log.write(log_level::info, "standing_by", {{"why", why_standing_by()}});
  const auto held = std::scoped_lock{mutex};
  stands_by = true;
  return {};
}

caf::error node::state::wait_for_membership() {
  while (!lease->wait_for_membership(unspoken_wait))
    if (auto failed = why_not_serving())
      return end_standing_by(std::move(failed));
  return {};
}

/// Of a node without a name, which does nothing until it serves.
caf::error node::state::wait_for_lone_turn() {
  const auto since = std::chrono::steady_clock::now();
  while (!lease->wait_for_turn(unspoken_wait)) {
    if (auto failed = why_not_serving())
      return end_standing_by(std::move(failed));
    if (std::chrono::steady_clock::now() - since > lone_wait)
      return make_error(errc::already_running,
                        "storage.postgres_url_file: another process serves from this database; "
                        "name the nodes (cluster.node) to let one of them stand by");
  }
  return {};
}

/// Waits for as long as another node has the accounts.
caf::error node::state::wait_for_turn() {
  if (!lease)
    return {};
  while (!lease->wait_for_turn(unspoken_wait)) {
    if (auto failed = why_not_serving()) {
      servers->drain(standby_drain, nullptr);
      return failed;
    }
  }
  const auto now = lease->status();
  log.write(log_level::info, "lease_held",
            {{"node", std::to_string(now.id)}, {"incarnation", now.incarnation}});
  const auto held = std::scoped_lock{mutex};
  stands_by = false;
  return {};
}

caf::error node::state::end_standing_by(caf::error why) {
  listeners->stop_accepting();
  listeners->drain(standby_drain);
  return why;
}

/// Why waiting is of no use; nothing while it is.
caf::error node::state::why_not_serving() {
  const auto now = lease->status();
  const auto held = std::scoped_lock{mutex};
  if (lost)
    return lost;
  if (ends)
    return make_error(errc::unavailable, "the node was ended before it served");
  if (now.phase == lease_phase::doubled)
    return make_error(errc::already_running,
                      "cluster.node: another process runs as " + config.cluster.node);
  if (now.failure && code_of(now.failure) == errc::config_invalid)
    return now.failure;
  return {};
}

/// Called on the lease's thread.
void node::state::see(const cluster_view& view) {
  if (links)
    links->know(view);
  if (links && works)
    federation->see(view);
  const auto held = std::scoped_lock{mutex};
  serves_now = serving_name(view);
}

/// Called on the lease's thread.
void node::state::hear(const lease_status& news) {
  const auto was = std::exchange(lease_was, news.phase);
  if (news.failure)
    log.write(log_level::warning, "lease_not_renewed", {{"problem", context_of(news.failure)}});
  if (news.phase == lease_phase::doubled) {
    const auto reason =
        make_error(errc::already_running, "another process runs under this node's name");
    log.write(log_level::error, "node_doubled", {{"problem", context_of(reason)}});
    if (!options->extensions) {
      log.flush(last_words_limit);
      std::_Exit(exit_locked);
    }
    return refuse_for_ever(reason);
  }
  if (!is_deposed(was, news))
    return;
  log.write(log_level::error, "node_deposed", {{"serves", serving_node()}});
  log.flush(last_words_limit);
  refuse_for_ever(make_error(errc::unavailable, "another node has taken over"));
}

/// What it works as is no member any more, or has no accounts any more though it served.
bool node::state::is_deposed(lease_phase was, const lease_status& news) const {
  if (works_as == 0 || news.phase == lease_phase::leaving || news.phase == lease_phase::left)
    return false;
  const auto lost_accounts = was == lease_phase::serving && news.phase != lease_phase::serving;
  return lost_accounts || news.phase == lease_phase::joining || news.incarnation != works_as;
}

/// Who looked after the sessions waits from now on.
void node::state::watch_by_thread() {
  if (is_shared)
    sessions.watch->begin();
}

/// As of the last renewal; "" when nobody serves.
std::string node::state::serving_node() const {
  const auto held = std::scoped_lock{mutex};
  return serves_now;
}

/// "n1 serves", or what it waits for that keeps it from joining.
std::string node::state::why_standing_by() const {
  const auto now = lease->status();
  if (now.phase == lease_phase::joining && !now.waits_for.empty())
    return "another process runs as " +
           (config.cluster.node.empty() ? std::string{"the only node"} : config.cluster.node);
  const auto serving = serving_node();
  return (serving.empty() ? "nobody" : serving) + " serves";
}

/// Why a request cannot be passed on to who serves; "" when it can.
std::string node::state::why_alone() const {
  const auto serving = serving_node();
  if (serving.empty() || serving == config.cluster.node)
    return "nobody else serves";
  return links ? links->why_unreachable(serving) : "it has no name, and so no link";
}

json_object node::state::describe_nodes() {
  const auto own = describe();
  if (!lease)
    return nodes_of_lone_node(own, clock());
  const auto now = lease->status();
  return nodes_of(now.view, now.id, is_old(now), own);
}

json_object node::state::describe_cluster() const {
  if (!lease)
    return report_of_lone_node(clock());
  const auto now = lease->status();
  return report_of(now.view, now.id, is_old(now));
}

std::string node::standing_by() const {
  auto stands_by = false;
  {
    const auto held = std::scoped_lock{state_->mutex};
    stands_by = state_->stands_by;
  }
  return stands_by ? state_->why_standing_by() : "";
}

} // namespace trunkline
