/// What operators ordered: what a host must not be sent any more, and which units are therefore
/// never delivered.
///
/// An order is `wanted` when it is given and `done` when it was answered; one that is never
/// answered may have been carried out or not. Bans count from `done`, excuses from `wanted`.
#pragma once

#include "kit/delivery_world.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

enum class host_order_kind { pause, resume, block, unblock, flush, drain, limit, replay, discard };

struct host_order_given {
  host_order_kind kind = host_order_kind::pause;
  std::string host;
  std::optional<std::int64_t> in_flight; ///< Of a limit.
  std::optional<std::int64_t> per_s;     ///< Likewise.
};

/// A row as the oracle knows it.
struct written_row {
  delivery_world::row draft;
  std::chrono::microseconds written_at{0};
  std::optional<std::chrono::microseconds> acked_at;
  bool failed = false; ///< It was answered that nothing was changed.
};

class delivery_bans {
public:
  using moment = std::chrono::microseconds;

  /// Returns a number for `done`.
  std::size_t wanted(const host_order_given& order, moment now);
  void done(std::size_t number, moment now);
  /// It was refused, and may have been carried out all the same.
  void failed(std::size_t number, moment now);
  /// What was not answered never will be.
  void node_died(moment now);
  /// A host's actor ends, and with it the pace that it kept.
  void forget_pace(const std::string& host) { bans_[host].sent.clear(); }
  /// The node of a host ends: what replaced something may be forgotten.
  void forget_replaced(const std::string& host);
  /// It is superseded before it was sent: the host must never get it.
  void forbid(const std::string& url, int number) { forbidden_.emplace(url, number); }
  bool is_forbidden(const std::string& url, int number) const {
    return forbidden_.contains({url, number});
  }

  struct sending {
    const std::string& host;
    const std::string& url;
    int number = 0;
    std::int64_t in_flight = 0; ///< To its host, with this one.
  };
  /// Returns why the host must not be sent this now; nothing: it may.
  std::optional<std::string> refuse(const sending& what, const written_row& row, moment now);
  /// Tells whether the unit may never be delivered.
  bool excuses(const std::string& host, const written_row& row) const;
  /// Tells whether units of the host may be sent again, in the order of an operator.
  bool may_replay(const std::string& host) const { return replayed_.contains(host); }
  /// Tells whether dead letters of the host may have been forgotten.
  bool may_discard(const std::string& host) const { return discarded_.contains(host); }

private:
  struct given {
    host_order_given order;
    moment wanted_at;
    std::optional<moment> done_at;
    bool is_open = true;  ///< Not answered yet.
    bool is_done = false; ///< It was carried out.
  };
  struct bans {
    std::optional<moment> paused_at;
    std::optional<moment> blocked_at;
    std::optional<moment> drained_at;
    std::vector<std::pair<moment, moment>> drains; ///< That are over.
    std::optional<moment> flushed_at;
    std::optional<std::int64_t> in_flight;
    std::optional<std::int64_t> per_s;
    std::multiset<moment> sent;
    /// Units of the last second, and whether each was sent twice: its second signature is no other
    /// request, but a third one would be.
    std::map<std::pair<std::string, int>, std::pair<moment, bool>> signed_lately;
  };

  static void count(bans& of, const sending& what, moment now);
  void lift(const host_order_given& order);
  void impose(const given& done, moment now);
  moment end_of(const given& begin, host_order_kind end) const;

  std::vector<given> orders_;
  std::map<std::string, bans> bans_;
  std::set<std::string> replayed_;
  std::set<std::string> discarded_;
  std::set<std::pair<std::string, int>> forbidden_;
};

/// Tells whether a flush leaves the activity where it is.
bool is_kept_by_flush(log_kind kind);

} // namespace trunkline::kit
