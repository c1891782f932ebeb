#include "engine/cluster_links.hpp"

#include "actors/basp_guard.hpp"
#include "actors/link.hpp"
#include "actors/messages.hpp"
#include "protocol/crypto.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace trunkline {

namespace {

/// How long peers may take to hear that this node ends.
constexpr auto goodbye_limit = std::chrono::milliseconds{500};

/// A node that never was there is known to the others after their next renewal; who dials earlier
/// is refused, with a warning in the log.
constexpr auto newcomer_wait = std::chrono::milliseconds{2'000};

/// Lines of the log about who was refused, in a minute; the first one of the next minute tells how
/// often nobody was told.
constexpr auto refused_lines_max = 20;
constexpr auto refused_window = std::chrono::minutes{1};

std::uint64_t random_epoch() {
  auto epoch = std::uint64_t{0};
  const auto bytes = random_bytes(sizeof epoch);
  std::memcpy(&epoch, bytes.data(), sizeof epoch);
  return epoch;
}

std::string with_port(const std::string& listen, std::uint16_t port) {
  return listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
}

pipe_guard make_guard() {
  return [guard = basp_guard{}](std::string_view bytes) mutable { return guard.admits(bytes); };
}

} // namespace

caf::expected<std::unique_ptr<cluster_links>>
cluster_links::start(const node_config& config, actor_home& home, node_log& log, server serve) {
  auto made =
      std::unique_ptr<cluster_links>{new cluster_links{config, home, log, std::move(serve)}};
  auto pipes = node_pipes::start(made->pipe_options(config));
  if (!pipes)
    return std::move(pipes.error());
  made->pipes_ = std::move(*pipes);
  made->address_ = config.cluster.address.empty()
                       ? with_port(config.cluster.listen, made->pipes_->port())
                       : config.cluster.address;
  return made;
}

cluster_links::cluster_links(const node_config& config, actor_home& home, node_log& log,
                             server serve)
    : own_name_{config.cluster.node}, epoch_{random_epoch()}, home_{home}, log_{log},
      serve_{std::move(serve)}, port_{std::make_unique<link_port>(home.system())} {}

/// The callbacks of the pipes find links until their thread has ended.
cluster_links::~cluster_links() {
  if (pipes_)
    say_goodbye();
  pipes_.reset();
  auto links = std::vector<caf::actor>{};
  {
    const auto held = std::scoped_lock{mutex_};
    for (const auto& [peer, known] : members_)
      links.push_back(caf::actor_cast<caf::actor>(known.link));
    members_.clear();
  }
  home_.end(links);
  port_.reset();
}

/// Whoever hears it ends the pipe.
void cluster_links::say_goodbye() {
  {
    const auto held = std::scoped_lock{mutex_};
    for (const auto& [peer, known] : members_)
      caf::anon_send(known.link, caf::leave_atom_v);
  }
  board_->wait(goodbye_limit, [](const link_board::links& all) {
    return std::ranges::none_of(all, [](const auto& link) { return link.second.is_up; });
  });
}

node_pipe_options cluster_links::pipe_options(const node_config& config) {
  return {
      .name = own_name_,
      .listen = config.cluster.listen,
      .files = {.certificate = config.cluster.certificate_file,
                .key = config.cluster.key_file,
                .authority = config.cluster.authority_file,
                .revoked = config.cluster.revoked_file},
      .may_enter = [this](std::string_view peer) { return link_of(peer) != nullptr; },
      .opened = [this](const opened_pipe& pipe) { take(pipe); },
      .closed = [this](std::string_view peer, const caf::error& why) { tell_lost(peer, why); },
      .failed = [this](std::string_view peer, const caf::error& why) { tell_lost(peer, why); },
      .refused = [this](std::string_view from, const caf::error& why) { tell_refused(from, why); },
      .make_guard = make_guard};
}

void cluster_links::know(const cluster_view& view) {
  const auto held = std::scoped_lock{mutex_};
  if (const auto* own = view.find(own_name_); own && !std::exchange(is_known_, true))
    new_since_ = own->incarnation == 1 ? std::chrono::steady_clock::now()
                                       : std::chrono::steady_clock::time_point{};
  for (const auto& node : view.nodes) {
    if (node.name.empty() || node.name == own_name_)
      continue;
    auto& known = members_[node.name];
    known.address = may_write(node.state) ? node.address : "";
    known.is_fresh = node.state == node_state::live && is_fresh(node, view.now);
    if (!known.link)
      known.link = spawn_link(node.name);
    if (std::exchange(known.incarnation, node.incarnation) == node.incarnation)
      continue;
    known.since = std::chrono::steady_clock::now();
    caf::anon_send(known.link, caf::connect_atom_v);
  }
}

std::vector<std::string> cluster_links::others() const {
  auto names = std::vector<std::string>{};
  const auto held = std::scoped_lock{mutex_};
  for (const auto& [peer, known] : members_)
    if (known.is_fresh)
      names.push_back(peer);
  return names;
}

std::vector<std::string> cluster_links::unreachable() const {
  const auto now = std::chrono::steady_clock::now();
  const auto links = board_->all();
  auto names = std::vector<std::string>{};
  const auto held = std::scoped_lock{mutex_};
  for (const auto& [peer, known] : members_) {
    const auto found = links.find(peer);
    if (!known.is_fresh || found == links.end() || found->second.is_up)
      continue;
    if (now - std::max(known.since, found->second.heard_at) > unreachable_after)
      names.push_back(peer);
  }
  return names;
}

/// With the mutex held: the link asks for its address once it lives.
link_handle cluster_links::spawn_link(const std::string& peer) {
  auto needs = link_dependencies{.own_name = own_name_,
                                 .peer = peer,
                                 .epoch = epoch_,
                                 .close = [this, peer] { pipes_->close(peer); },
                                 .serve = serve_,
                                 .board = board_};
  if (own_name_ < peer)
    needs.dial = [this, peer] { dial(peer); };
  auto made = home_.system().spawn(link, std::move(needs), link_options{});
  port_->open(peer, made);
  return made;
}

link_handle cluster_links::link_of(std::string_view peer) const {
  const auto held = std::scoped_lock{mutex_};
  const auto found = members_.find(peer);
  return found == members_.end() ? link_handle{} : found->second.link;
}

/// Called by the link.
void cluster_links::dial(const std::string& peer) {
  auto address = std::string{};
  {
    const auto held = std::scoped_lock{mutex_};
    if (std::chrono::steady_clock::now() < new_since_ + newcomer_wait)
      return caf::anon_send(members_[peer].link, link_lost{"the others learn of this node first"});
    const auto found = members_.find(peer);
    if (found != members_.end())
      address = found->second.address;
  }
  if (address.empty())
    return tell_lost(peer, make_error(errc::unavailable, "it is no member just now"));
  pipes_->dial(peer, address);
}

void cluster_links::tell_lost(std::string_view peer, const caf::error& why) {
  if (const auto found = link_of(peer))
    caf::anon_send(found, link_lost{context_of(why)});
}

/// On the thread of the pipes. Whoever tries again and again must not fill the log.
void cluster_links::tell_refused(std::string_view from, const caf::error& why) {
  const auto now = std::chrono::steady_clock::now();
  if (now >= refused_since_ + refused_window) {
    refused_since_ = now;
    refused_lines_ = 0;
  }
  if (++refused_lines_ > refused_lines_max) {
    ++refused_untold_;
    return;
  }
  log_.write(log_level::warning, "link_refused",
             {{"from", from},
              {"problem", context_of(why)},
              {"untold", std::exchange(refused_untold_, 0)}});
}

void cluster_links::take(const opened_pipe& pipe) {
  const auto found = link_of(pipe.peer);
  if (!found)
    ::close(pipe.descriptor);
  else if (pipe.dialled)
    port_->connect(pipe.descriptor, found);
  else
    port_->accept(pipe.peer, pipe.descriptor);
}

void cluster_links::ask(const std::string& peer, ask_peer question) {
  if (const auto found = link_of(peer))
    caf::anon_send(found, std::move(question));
  else
    question.reply(make_error(errc::unavailable, peer + " is not known here"));
}

std::string cluster_links::why_unreachable(const std::string& peer) const {
  const auto all = board_->all();
  const auto found = all.find(peer);
  if (found == all.end())
    return "not known here";
  return found->second.is_up ? "" : found->second.why_down;
}

caf::error cluster_links::reload() {
  return pipes_->reload();
}

} // namespace trunkline
