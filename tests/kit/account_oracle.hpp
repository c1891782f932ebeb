/// What accounts were asked to do, what they answered, and whether the database agrees: nothing
/// acknowledged is missing or there twice, nothing refused is there, every change has its one row
/// of the log.
#pragma once

#include "kit/deterministic_system.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace trunkline::kit {

enum class operation_kind : std::uint8_t {
  publish,
  edit,
  remove,
  boost,
  unboost,
  follow,
  unfollow,
  block,
  unblock,
  mute,
  unmute,
};

enum class outcome {
  open,         ///< Not answered yet.
  acknowledged, ///< It was done, or was so already.
  refused,      ///< It was not done.
  unknown       ///< It may have been done: no answer, a crash, a commit of unknown outcome.
};

struct operation {
  operation_kind kind = operation_kind::publish;
  account_id account;
  std::int64_t target = 0; ///< A post or an account.
  std::string text;        ///< Of publish and edit; no two operations share one, but for retries.
  std::string key;         ///< Idempotency-Key
  outcome ended = outcome::open;
  errc why{}; ///< When it was refused.
  post_id result;
  log_seq begun_at = 0; ///< The newest row of the log when it was sent, and when it was answered.
  log_seq ended_at = 0;
  std::variant<pending_done, pending_reply<post_id>> answer;
};

class account_oracle {
public:
  explicit account_oracle(database& db) : db_{db} {}

  /// Notes an operation that was just sent.
  void sent(operation started);
  /// Takes in what has been answered by now.
  void collect();
  /// The node was killed: what is open will never be answered.
  void lose_open();
  /// Compares with the database. Returns what does not agree, one line each; nothing is open.
  std::vector<std::string> verify();

  /// Posts that were acknowledged, with their authors.
  const std::vector<std::pair<post_id, account_id>>& posts() const { return posts_; }
  const std::vector<operation>& operations() const { return operations_; }

private:
  /// (kind of the object key, actor, target)
  using relation = std::tuple<char, std::int64_t, std::int64_t>;

  struct post_fate {
    std::int64_t author = 0;
    bool removed = false;
    std::int64_t edits = 0;
  };

  log_seq newest_seq();
  void complain(std::string what) { wrong_.push_back(std::move(what)); }
  void replay_log();
  void replay(log_seq seq, std::int64_t kind, const relation& about);
  void set(log_seq seq, const relation& about, int state);
  int state_of(const relation& about) const;
  void check_ids(const std::vector<sql_row>& log);
  void check_posts();
  void check_keys();
  void check_refusals();
  void check_texts();
  void check_relations();
  void check_history(const operation& done);
  std::optional<relation> relation_of(const operation& done) const;

  database& db_;
  std::vector<operation> operations_;
  std::size_t first_open_ = 0;
  std::vector<std::pair<post_id, account_id>> posts_;
  std::vector<std::string> wrong_;
  std::map<std::int64_t, post_fate> fates_; ///< By the log.
  /// By the log: when a relation became what; 0 none, 1 there, 2 waits.
  std::map<relation, std::vector<std::pair<log_seq, int>>> history_;
};

} // namespace trunkline::kit
