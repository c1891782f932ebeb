/// What the handlers of the admin API ask the node they run in. Made by the engine; outlives the
/// gateways. Every function may be called from any thread and must not block.
#pragma once

#include "actors/watchdog.hpp"
#include "api/kept_answers.hpp"
#include "api/peer_boards.hpp"
#include "protocol/json.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct readiness_check {
  std::string name; ///< "storage", "draining", ...
  bool passed = false;
  std::string detail; ///< "" when there is nothing to add.
};

/// The last answer of each actor that was asked, for when one does not answer in time. Bounded; the
/// oldest go first. Any thread.
class report_cache {
public:
  static constexpr std::size_t reports_max = 4096;

  void keep(const std::string& actor, const json_object& report);
  std::optional<json_object> find(const std::string& actor) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<std::uint64_t, json_object>> reports_;
  std::map<std::uint64_t, std::string> order_;
  std::uint64_t count_ = 0;
};

/// An answer that all who look share, so that ten screens cost no more than one. Any thread.
class shared_glance {
public:
  static constexpr auto age_max = std::chrono::seconds{1};

  using taker = std::function<void(const std::string&)>;

  /// Calls `take` with what was made less than the age ago, else with what `make` makes. `make`
  /// hands that to the taker which it gets, at once or later, from any thread; whoever looks until
  /// then gets the same. If it lets go of that taker instead, so are those who look.
  void get(time_point now, taker take, const std::function<void(taker)>& make);

  /// Something was changed that the next one who looks must see.
  void forget();

private:
  struct making;

  void finish(const std::shared_ptr<making>& made, const std::string& text);

  std::mutex mutex_;
  std::optional<std::string> text_;
  time_point made_at_;
  std::weak_ptr<making> making_; ///< Under way, held by whoever makes it.
};

struct admin_services {
  std::string node_id = "1";
  std::uint32_t own_uid = 0; ///< A unix socket's peer with this user id may do everything.
  std::function<std::string()> metrics; ///< Prometheus text.
  std::function<json_object()> nodes;   ///< Each node, and how it is.
  std::function<json_object()> cluster; ///< Who shares the database, and who serves.
  std::function<std::vector<readiness_check>()> readiness;
  std::function<bool()> started;
  std::function<caf::expected<std::int64_t>()> next_id; ///< For new accounts.
  /// Actors that keep their threads, the longest first; empty: there is no watchdog.
  std::function<std::vector<stuck_actor>()> stuck;
  std::function<json_array()> filters;  ///< How the embedder's filters decide; empty: none.
  std::function<json_array()> hooks;    ///< Likewise.
  std::function<json_array()> webhooks; ///< Likewise.
  peer_boards boards;                   ///< Of the other nodes.
  host_owners owners;                   ///< Null functions: every host belongs to this node.
  report_cache reports;
  shared_glance glance; ///< At delivery as a whole.
  kept_answers answers; ///< To actions that had a key, and were done here.
};

} // namespace trunkline
