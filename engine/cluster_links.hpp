/// The links of a node to all others of its cluster: pipes, CAF's end of them, and a link actor for
/// each.
///
/// Of two nodes the one whose name comes first dials, at the address that the other one has written
/// into the database. Any thread may call the members.
#pragma once

#include "actors/link_board.hpp"
#include "actors/link_messages.hpp"
#include "actors/link_port.hpp"
#include "engine/actor_home.hpp"
#include "engine/node_log.hpp"
#include "engine/settings.hpp"
#include "net/node_pipes.hpp"
#include "storage/cluster_view.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace trunkline {

/// Without a round trip for so long a node counts as cut off from another.
inline constexpr auto unreachable_after = std::chrono::milliseconds{3'500};

class cluster_links {
public:
  /// Does what a peer asks for, on any thread; must not block.
  using server = std::function<void(link_topic, std::string body, peer_reply)>;

  /// Listens at `cluster.listen`; `home` and `log` live longer. Fails as `node_pipes::start` does.
  static caf::expected<std::unique_ptr<cluster_links>>
  start(const node_config& config, actor_home& home, node_log& log, server serve);

  /// Ends the links, then the pipes.
  ~cluster_links();
  cluster_links(const cluster_links&) = delete;
  cluster_links& operator=(const cluster_links&) = delete;

  /// Where the others reach this node.
  std::string address() const { return address_; }

  /// The nodes that there are, as the database says: from now on there is a link to each other one.
  void know(const cluster_view& view);

  /// Names of the members that have renewed their leases lately.
  std::vector<std::string> others() const;

  /// Names of the members that have not answered for `unreachable_after`, though they had the time.
  std::vector<std::string> unreachable() const;

  /// Asks the node of that name.
  void ask(const std::string& peer, ask_peer question);

  /// "" when the peer can be reached, else why not.
  std::string why_unreachable(const std::string& peer) const;

  std::map<std::string, link_facts> facts() const { return board_->all(); }

  /// Reads the certificates anew.
  caf::error reload();

private:
  struct member {
    std::string address; ///< "" when it must not be dialled.
    std::int64_t incarnation = 0;
    bool is_fresh = false;                       ///< It has tried to renew its lease lately.
    std::chrono::steady_clock::time_point since; ///< When this incarnation was seen first.
    link_handle link;
  };

  cluster_links(const node_config& config, actor_home& home, node_log& log, server serve);
  node_pipe_options pipe_options(const node_config& config);
  link_handle spawn_link(const std::string& peer);
  link_handle link_of(std::string_view peer) const;
  void dial(const std::string& peer);
  void say_goodbye();
  void tell_lost(std::string_view peer, const caf::error& why);
  void tell_refused(std::string_view from, const caf::error& why);
  void take(const opened_pipe& pipe);

  const std::string own_name_;
  const std::uint64_t epoch_;
  std::string address_;
  actor_home& home_;
  node_log& log_;
  const server serve_;
  const std::shared_ptr<link_board> board_ = std::make_shared<link_board>();
  mutable std::mutex mutex_; ///< Guards what follows, up to `members_`.
  bool is_known_ = false;    ///< The others have seen this node, or had the time to.
  std::chrono::steady_clock::time_point new_since_;
  std::map<std::string, member, std::less<>> members_;
  std::chrono::steady_clock::time_point refused_since_; ///< This and the next two: of the pipes'
  std::int64_t refused_lines_ = 0;                      ///< thread alone.
  std::int64_t refused_untold_ = 0;
  std::unique_ptr<link_port> port_;
  std::unique_ptr<node_pipes> pipes_; ///< Its thread calls the members above.
};

} // namespace trunkline
