/// One running node: its folder, databases, actors, listeners, and the order in which they start
/// and end.
///
/// The constructor returns at once; the start goes on in a thread of its own. Any thread may call
/// the members, but none of the node's own. At most 12 + 2 x cores threads, two more where it has a
/// name in a cluster. When storage fails in a way that no later success may follow, the program's
/// process ends with `exit_io`; a node with extensions, which an embedder made, refuses everything
/// and tells the embedder.
#pragma once

#include "api/caller.hpp"
#include "engine/node_options.hpp"
#include "net/http_types.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace trunkline {

class node_embedding;

class node {
public:
  explicit node(std::shared_ptr<const node_options> options);

  /// Calls `stop`.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Waits until the node serves. Fails with what stopped the start, or with `errc::timed_out`.
  caf::error wait_ready(std::chrono::milliseconds limit);

  /// Tells whether the start goes on: for as long as another node holds the lease.
  bool is_starting() const;

  /// Why this node stands by: "n1 serves"; "" when it does not.
  std::string standing_by() const;

  /// "http://127.0.0.1:3000", ports resolved; "" unless the node serves or drains.
  std::string web_url() const;
  std::string admin_url() const;

  /// Stops accepting, answers what is in flight, and returns whether all of it was within `limit`.
  bool drain(std::chrono::milliseconds limit);

  /// Serves a request that came in over no socket, as the client API does: as `who`, or, without,
  /// as its headers say. Does not block. 503 unless the node serves.
  void handle(http_request request, std::shared_ptr<const caller> who, http_reply reply);

  /// Likewise the admin API, as an operator.
  void handle_admin(http_request request, http_reply reply);

  /// What GET /metrics shows; "" unless the node serves.
  std::string metrics_text() const;

  /// Reads what may change while it runs: the certificates of the cluster. When something is wrong
  /// with them nothing changes, and the log and the error say what.
  caf::error reload();

  /// Why it answers nothing any more; no error while it does.
  caf::error lost() const;

  /// Calls `wake` once the node is lost, on any thread, or at once when it is; it must not block.
  /// Replaces an earlier one, empty: forgets it; what runs of that is over on return.
  void watch_loss(std::function<void()> wake);

  /// Looks for actors that do not come to an end, and for databases that do not answer; see
  /// `node_options::owner_looks`. One thread at a time.
  void look();

  /// What it was started with.
  const node_config& config() const;

  /// What the embedder added.
  node_embedding& embedding();

  /// The virtual world that it lives in; null in the real one.
  const std::shared_ptr<virtual_world>& world() const;

  /// Ends everything, without losing what was answered. Returns whether all of it has ended: when
  /// not, because the database does not answer, the destructor would wait for the rest, and a
  /// program does better to end without it. A second call does nothing.
  bool stop();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace trunkline
