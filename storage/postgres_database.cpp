#include "storage/postgres_database.hpp"

#include "storage/log_rows.hpp"
#include "storage/postgres_session.hpp"
#include "storage/sql_connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

namespace trunkline {

namespace {

/// The advisory lock that orders the log: "trnk".
constexpr auto log_lock = std::int64_t{0x74726e6b};

constexpr auto clock_skew_max = std::chrono::seconds{60};
constexpr auto resolve_pause = std::chrono::milliseconds{50};

/// Stands in the batch table for a batch that was found not to be committed.
constexpr auto never_committed = log_seq{-1};

constexpr auto log_types = std::to_array<std::string_view>({
    "bigint", // at
    "bigint", // kind
    "bigint", // author
    "text",   // object_key
    "bigint", // class
    "bigint", // public
    "bigint", // audience_id
    "text",   // ap_id
    "bigint", // signer
    "bytea",  // body
    "bytea",  // sha256
});

constexpr auto clock_sql =
    std::string_view{"((extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"};

using extra_row = std::pair<std::size_t, endpoint_id>; ///< Row of the batch from 1, endpoint.

std::vector<extra_row> extras_of(const std::vector<log_draft>& drafts) {
  auto rows = std::vector<extra_row>{};
  for (auto at = std::size_t{0}; at < drafts.size(); ++at)
    for (const auto endpoint : drafts[at].extra)
      rows.emplace_back(at + 1, endpoint);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

struct batch {
  std::int64_t id;
  time_point now;
  std::optional<write_fence> fence;
  std::vector<log_draft> drafts;
  std::vector<extra_row> extras;

  std::int64_t rows() const {
    return static_cast<std::int64_t>(drafts.size() + extras.size()) + 1; // the batch's own
  }
};

using steady = std::chrono::steady_clock;

class postgres_database final : public sql_connection {
public:
  postgres_database(std::string_view where, const postgres_options& options)
      : session_{where, options}, options_{options} {}

  caf::error connect() { return session_.connect(); }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    if (in_transaction())
      return make_error(errc::storage_refused, "batch: inside a transaction");
    auto work = batch{.id = batch_id, .now = now, .fence = fence, .drafts = {}, .extras = {}};
    const auto failure = open_with([&](database& open) -> caf::error {
      auto drafts = body(open);
      if (!drafts)
        return std::move(drafts.error());
      work.drafts = std::move(*drafts);
      return check_drafts(work.drafts);
    });
    if (failure)
      return failure;
    work.extras = extras_of(work.drafts);
    return send_tail(work);
  }

  std::string_view key_type() const override { return "BIGINT"; }
  std::string_view now_sql() const override { return clock_sql; }
  std::string_view server_sql() const override {
    return "((extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint || '/' ||"
           " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))"; // start, timeline
  }
  std::string_view lock_sql(row_lock lock) const override {
    return lock == row_lock::shared ? " FOR KEY SHARE" : " FOR UPDATE";
  }
  std::string_view dialect() const override { return "postgres"; }

protected:
  caf::expected<sql_result> execute(std::string_view sql,
                                    std::span<const sql_value> values) override {
    if (in_transaction()) {
      if (auto failure = flush())
        return failure;
      return keep(session_.run(sql, values));
    }
    if (auto failure = reconnect_if_lost())
      return failure;
    auto result = session_.run(sql, values);
    if (result || session_.is_open() || !is_read(sql))
      return result;
    // The connection had died while it was idle. A read may simply be asked again.
    if (auto failure = session_.connect())
      return failure;
    return session_.run(sql, values);
  }

  caf::error begin() override {
    if (auto failure = reconnect_if_lost())
      return failure;
    lost_ = false;
    begun_ = false;
    pending_ = "BEGIN ISOLATION LEVEL READ COMMITTED;";
    if (options_.lifts_timeouts)
      pending_ += "SET LOCAL statement_timeout = 0;SET LOCAL lock_timeout = 0;"
                  "SET LOCAL idle_in_transaction_session_timeout = 0;";
    return {};
  }

  caf::error commit() override {
    if (!begun_)
      return forget_pending();
    auto done = keep(session_.send(take_pending() + "COMMIT"));
    if (done)
      return {};
    return session_.is_open()
               ? std::move(done.error())
               : make_error(errc::commit_unknown, "database: connection lost in COMMIT");
  }

  void roll_back() override {
    if (begun_ && session_.is_open())
      session_.send("ROLLBACK");
    forget_pending();
  }

  caf::error open_savepoint(std::size_t depth) override {
    pending_ += "SAVEPOINT " + name(depth) + ";";
    return {};
  }
  caf::error release_savepoint(std::size_t depth) override {
    pending_ += "RELEASE " + name(depth) + ";";
    return {};
  }
  caf::error roll_back_savepoint(std::size_t depth) override {
    pending_ += "ROLLBACK TO " + name(depth) + ";RELEASE " + name(depth) + ";";
    return {};
  }

  bool transaction_lost() const override { return lost_; }

private:
  static std::string name(std::size_t depth) { return "level_" + std::to_string(depth); }

  static bool is_read(std::string_view sql) {
    return sql.starts_with("SELECT") && sql.find("FOR ") == std::string_view::npos;
  }

  std::string take_pending() {
    begun_ = true;
    return std::exchange(pending_, {});
  }

  caf::error forget_pending() {
    pending_.clear();
    begun_ = false;
    return {};
  }

  caf::error reconnect_if_lost() { return session_.is_open() ? caf::error{} : session_.connect(); }

  caf::expected<sql_result> keep(caf::expected<sql_result> result) {
    lost_ = lost_ || !session_.is_open();
    return result;
  }

  /// Sends what opens and closes levels, together, before the first statement that needs it.
  caf::error flush() {
    if (pending_.empty())
      return {};
    const auto is_first = !begun_;
    const auto text = take_pending();
    auto sent = session_.send(text);
    if (!sent && is_first && !session_.is_open()) {
      // It died while it was idle, and nothing of the transaction had happened.
      if (auto failure = session_.connect())
        return fail_all(std::move(failure));
      sent = session_.send(text);
    }
    return sent ? caf::error{} : fail_all(std::move(sent.error()));
  }

  /// Which levels stand is unknown now: none of them can be kept.
  caf::error fail_all(caf::error failure) {
    lost_ = true;
    return failure;
  }

  caf::expected<commit_receipt> send_tail(const batch& work) {
    if (auto failure = flush_if_lost()) {
      drop_level();
      return failure;
    }
    const auto until = steady::now() + options_.outcome_max;
    const auto sent = session_.send(take_pending() + tail_of(work), "log", options_.commit_max);
    if (sent) {
      drop_level();
      forget_pending();
      count_written(work.rows());
      return receipt_of(work, until);
    }
    const auto stands = session_.is_open();
    drop_level();
    roll_back();
    if (stands)
      return sent.error();
    return resolve(work, until);
  }

  /// A body that ran no statement has not noticed that an idle connection had died.
  caf::error flush_if_lost() { return begun_ ? caf::error{} : flush(); }

  std::string tail_of(const batch& work) {
    auto text = fence_check(work.fence);
    text += "SELECT pg_advisory_xact_lock(" + std::to_string(log_lock) + ");";
    if (!work.drafts.empty())
      text += log_insert(work);
    if (!work.extras.empty())
      text += extra_insert(work);
    text += "INSERT INTO batch(id, at, last_seq) SELECT " + std::to_string(work.id) + ", " +
            std::to_string(to_micros(work.now)) + ", coalesce(max(seq), 0) FROM log;COMMIT";
    return text;
  }

  /// Divides by zero, and so ends the batch, unless this node is what it says; holds its row
  /// against whoever would depose it before the commit.
  static std::string fence_check(const std::optional<write_fence>& fence) {
    if (!fence)
      return "";
    return "SELECT 1 / count(*) FROM (SELECT 1 FROM node WHERE id = " +
           std::to_string(fence->node) +
           " AND incarnation = " + std::to_string(fence->incarnation) +
           " AND state IN (1, 2) FOR KEY SHARE) AS own;"; // live, leaving
  }

  /// The newest `seq` is read in a statement after the lock was taken: it sees what the holder
  /// before has committed.
  std::string log_insert(const batch& work) {
    auto text = std::string{"INSERT INTO log(seq, at, kind, author, object_key, class, public,"
                            " audience_id, ap_id, signer, body, sha256)"
                            " SELECT (SELECT coalesce(max(seq), 0) FROM log) + v.* FROM (VALUES "};
    text.replace(text.find("v.*"), 3,
                 "v.k, v.c0, v.c1, v.c2, v.c3, v.c4, v.c5, v.c6, v.c7, v.c8, v.c9, v.c10");
    for (auto row = std::size_t{0}; row < work.drafts.size(); ++row) {
      text += (row ? ",(" : "(") + std::to_string(row + 1);
      const auto values = log_row_values(work.now, work.drafts[row]);
      for (auto column = std::size_t{0}; column < values.size(); ++column)
        text += "," + session_.literal(values[column], log_types[column]);
      text += ")";
    }
    return text + ") AS v(k, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10);";
  }

  static std::string extra_insert(const batch& work) {
    auto text = "INSERT INTO log_extra(seq, endpoint_id) SELECT (SELECT max(seq) FROM log) - " +
                std::to_string(work.drafts.size()) + " + v.k, v.e FROM (VALUES ";
    for (auto at = std::size_t{0}; at < work.extras.size(); ++at)
      text += (at ? ",(" : "(") + std::to_string(work.extras[at].first) + "," +
              to_string(work.extras[at].second) + ")";
    return text + ") AS v(k, e);";
  }

  static commit_receipt receipt_from(const batch& work, log_seq last) {
    const auto rows = static_cast<log_seq>(work.drafts.size());
    if (rows == 0)
      return {.previous = last};
    return {.previous = last - rows, .first = last - rows + 1, .last = last};
  }

  caf::expected<commit_receipt> receipt_of(const batch& work, steady::time_point until) {
    const auto row = read_receipt(work, options_.commit_max);
    if (row && !row->rows.empty())
      return receipt_from(work, row->rows[0][0].integer());
    return resolve(work, until);
  }

  caf::expected<sql_result> read_receipt(const batch& work, std::chrono::milliseconds limit) {
    return session_.run("SELECT last_seq FROM batch WHERE id = $1", std::vector<sql_value>{work.id},
                        limit);
  }

  /// Finds out what became of a batch: its id is inserted once more, which waits for a commit that
  /// still runs and keeps out one that comes late. Refused as double, it is committed. A node that
  /// was deposed may claim nothing, and need not: whoever deposed it has waited for its batch, and
  /// one that comes late is refused as well.
  caf::expected<commit_receipt> resolve(const batch& work, steady::time_point until) {
    while (steady::now() < until) {
      if (auto known = ask_outcome(work, until))
        return std::move(*known);
      std::this_thread::sleep_for(resolve_pause);
    }
    return make_error(errc::commit_unknown, "database: connection lost in COMMIT");
  }

  /// Returns nothing while the server cannot be asked.
  std::optional<caf::expected<commit_receipt>> ask_outcome(const batch& work,
                                                           steady::time_point until) {
    if (reconnect_if_lost())
      return {};
    const auto limit = [until] {
      return std::max(std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()),
                      resolve_pause);
    };
    const auto claimed = session_.send(claim_of(work), "batch", limit());
    const auto is_deposed = !claimed && is_fence_refusal(claimed.error());
    if (!claimed && !is_deposed && code_of(claimed.error()) != errc::unique_violation)
      return {};
    const auto row = read_receipt(work, limit());
    if (!row || (row->rows.empty() && !is_deposed))
      return {};
    const auto last = row->rows.empty() ? never_committed : row->rows[0][0].integer();
    if (last == never_committed)
      return make_error(errc::unavailable, "database: connection lost, nothing was changed");
    count_written(work.rows());
    return receipt_from(work, last);
  }

  /// One message, and so one transaction.
  static std::string claim_of(const batch& work) {
    return fence_check(work.fence) + "INSERT INTO batch(id, at, last_seq) VALUES (" +
           std::to_string(work.id) + ", " + std::to_string(to_micros(work.now)) + ", " +
           std::to_string(never_committed) + ")";
  }

  postgres_session session_;
  postgres_options options_;
  std::string pending_; ///< Opens and closes levels; leaves with the next statement.
  bool begun_ = false;  ///< The server has been told of the transaction.
  bool lost_ = false;   ///< Nothing of the open transaction can be kept.
};

/// Ids and the order of posts follow the clock: a node far from its database's would put its posts
/// where nobody looks. Checked at the start alone; a clock that goes wrong later is no outage.
caf::error check_clock(database& db) {
  const auto rows = db.run("SELECT " + std::string{clock_sql});
  if (!rows)
    return rows.error();
  const auto ours = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto apart = std::chrono::abs(ours - rows->rows[0][0].time());
  if (apart <= clock_skew_max)
    return {};
  return make_error(errc::storage_refused,
                    "database: its clock and this machine's are " +
                        std::to_string(std::chrono::floor<std::chrono::seconds>(apart).count()) +
                        " s apart, at most " + std::to_string(clock_skew_max.count()) +
                        " s are allowed: set the clock of one of them right, then start again");
}

} // namespace

caf::expected<std::unique_ptr<database>> open_postgres(std::string_view connection_string,
                                                       const postgres_options& options) {
  auto result = std::make_unique<postgres_database>(connection_string, options);
  if (auto failure = result->connect())
    return failure;
  if (auto failure = check_clock(*result))
    return failure;
  return std::unique_ptr<database>{std::move(result)};
}

} // namespace trunkline
