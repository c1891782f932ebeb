#include "storage/sqlite_database.hpp"

#include "storage/log_rows.hpp"
#include "storage/sql_connection.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/sqlite_pages.hpp"
#include "storage/statement.hpp"

#include <sqlite3.h>

#include <chrono>
#include <string>
#include <thread>
#include <unordered_map>

namespace trunkline {

namespace {

constexpr auto busy_timeout = std::chrono::milliseconds{2'000};
constexpr std::size_t statements_max = 256; ///< Prepared per connection; then all are let go.
constexpr int cache_kib_max = 16'384;       ///< Pages kept in memory per connection.
constexpr int checkpoint_pages = 1'000;     ///< Length of the write-ahead log that is copied back.
/// Readers that never pause keep the write-ahead log from starting anew: past this many pages the
/// writer waits for them.
constexpr int restart_pages = 16'000;
constexpr int wal_bytes_kept = 64 << 20; ///< What is left of the file after it grew once.

struct close_connection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct close_statement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using connection_ptr = std::unique_ptr<sqlite3, close_connection>;
using statement_ptr = std::unique_ptr<sqlite3_stmt, close_statement>;

struct prepared {
  statement_ptr statement;
  statement_shape shape;
  std::vector<int> slots; ///< SQLite's index of `$1`, `$2`, ...: it counts in order of appearance.
};

struct sql_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view sql) const { return std::hash<std::string_view>{}(sql); }
};

/// Leaves a statement ready for its next use, whatever happened.
class execution {
public:
  explicit execution(sqlite3_stmt* statement) : statement_{statement} {}
  ~execution() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_); // they point into the caller's values
  }
  execution(const execution&) = delete;
  execution& operator=(const execution&) = delete;

  int bind(int slot, const sql_value& value) {
    const auto& content = value.content();
    if (const auto* number = std::get_if<std::int64_t>(&content))
      return sqlite3_bind_int64(statement_, slot, *number);
    if (const auto* text = std::get_if<std::string>(&content))
      return sqlite3_bind_text64(statement_, slot, text->data(), text->size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    if (const auto* bytes = std::get_if<blob>(&content))
      return sqlite3_bind_blob64(statement_, slot, bytes->bytes.data(), bytes->bytes.size(),
                                 SQLITE_STATIC);
    return sqlite3_bind_null(statement_, slot);
  }

  int step() { return sqlite3_step(statement_); }

  sql_row row() const {
    const auto columns = sqlite3_column_count(statement_);
    auto cells = sql_row{};
    cells.reserve(static_cast<std::size_t>(columns));
    for (auto column = 0; column < columns; ++column)
      cells.push_back(cell(column));
    return cells;
  }

private:
  std::string content(int column, const void* bytes) const {
    const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return length ? std::string{static_cast<const char*>(bytes), length} : std::string{};
  }

  sql_value cell(int column) const {
    switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement_, column)};
    case SQLITE_TEXT: {
      const void* text = sqlite3_column_text(statement_, column);
      return content(column, text);
    }
    case SQLITE_BLOB: {
      const void* bytes = sqlite3_column_blob(statement_, column);
      return blob{content(column, bytes)};
    }
    case SQLITE_FLOAT: // no column has it; a quotient may
      return static_cast<std::int64_t>(sqlite3_column_double(statement_, column));
    default:
      return {};
    }
  }

  sqlite3_stmt* statement_;
};

class sqlite_database final : public sql_connection {
public:
  sqlite_database(connection_ptr connection, std::string file, sqlite_mode mode)
      : connection_{std::move(connection)}, file_{std::move(file)}, mode_{mode} {}

  /// Ends what SQLite would do by itself and does it here, where a failure is seen: SQLite's own
  /// checkpoints swallow I/O errors.
  void own_the_checkpoints() {
    sqlite3_wal_hook(
        connection_.get(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<sqlite_database*>(self)->wal_pages_ = pages;
          return SQLITE_OK;
        },
        this);
  }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    if (in_transaction())
      return make_error(errc::storage_refused, "batch: inside a transaction");
    auto receipt = commit_receipt{};
    auto failure = transact([&](database& open) -> caf::error {
      auto drafts = body(open);
      if (!drafts)
        return std::move(drafts.error());
      if (auto refused = check_drafts(*drafts))
        return refused;
      if (auto refused = fence ? check_fence(open, *fence) : caf::error{})
        return refused;
      auto appended = append_to_log(open, now, *drafts);
      if (!appended)
        return std::move(appended.error());
      receipt = *appended;
      return {};
    });
    if (failure)
      return failure;
    return receipt;
  }

  std::string_view key_type() const override { return "INTEGER"; }
  /// To the millisecond, as SQLite reads the system's clock.
  std::string_view now_sql() const override {
    return "(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)";
  }
  std::string_view server_sql() const override { return "''"; }
  std::string_view lock_sql(row_lock) const override { return ""; }
  std::string_view dialect() const override { return "sqlite"; }

protected:
  caf::expected<sql_result> execute(std::string_view sql,
                                    std::span<const sql_value> values) override {
    if (broken_)
      return broken_;
    auto statement = prepare(sql);
    if (!statement)
      return std::move(statement.error());
    if (auto refused = check_values((*statement)->shape, values))
      return refused;
    auto result = step_through(**statement, values);
    if (!result || in_transaction() || !(*statement)->shape.writes)
      return result;
    if (auto failure = checkpoint_if_due())
      return failure;
    return result;
  }

  caf::error begin() override { return command("BEGIN IMMEDIATE"); }

  caf::error commit() override {
    if (auto failure = command("COMMIT"))
      return failure;
    return checkpoint_if_due();
  }

  void roll_back() override {
    if (!transaction_lost()) // a full disk may have rolled back already
      command("ROLLBACK");
  }

  caf::error open_savepoint(std::size_t depth) override {
    return command("SAVEPOINT " + name(depth));
  }
  caf::error release_savepoint(std::size_t depth) override {
    return command("RELEASE " + name(depth));
  }
  caf::error roll_back_savepoint(std::size_t depth) override {
    if (auto failure = command("ROLLBACK TO " + name(depth)))
      return failure;
    return command("RELEASE " + name(depth));
  }

  bool transaction_lost() const override {
    return broken_ || sqlite3_get_autocommit(connection_.get()) != 0;
  }

private:
  static std::string name(std::size_t depth) { return "level_" + std::to_string(depth); }

  /// Nobody can depose the node before the commit: the transaction writes alone.
  static caf::error check_fence(database& open, const write_fence& fence) {
    const auto own = open.run("SELECT 1 FROM node WHERE id = $1 AND incarnation = $2"
                              " AND state IN (1, 2)", // live, leaving
                              {fence.node, fence.incarnation});
    if (!own)
      return own.error();
    return own->rows.empty() ? fence_refusal() : caf::error{};
  }

  caf::error command(std::string_view sql) {
    auto done = execute(sql, {});
    return done ? caf::error{} : std::move(done.error());
  }

  caf::error fail(int code) {
    auto failure = sqlite_failure(connection_.get(), code, file_);
    // A reader that met a damaged page may go on with the others.
    if (code_of(failure) == errc::storage_broken && mode_ != sqlite_mode::reader)
      broken_ = failure;
    return failure;
  }

  caf::expected<prepared*> prepare(std::string_view sql) {
    if (const auto known = statements_.find(sql); known != statements_.end())
      return &known->second;
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const auto code =
        sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &raw, &rest);
    auto made = prepared{statement_ptr{raw}, shape_of(sql), {}};
    if (code != SQLITE_OK)
      return fail(code);
    if (!raw || rest != sql.data() + sql.size())
      return make_error(errc::storage_refused, "statement: must be one");
    for (auto number = std::size_t{1}; number <= made.shape.parameters; ++number)
      made.slots.push_back(
          sqlite3_bind_parameter_index(raw, ("$" + std::to_string(number)).c_str()));
    if (statements_.size() >= statements_max)
      statements_.clear();
    return &statements_.emplace(sql, std::move(made)).first->second;
  }

  caf::expected<sql_result> step_through(const prepared& use, std::span<const sql_value> values) {
    auto run = execution{use.statement.get()};
    for (auto at = std::size_t{0}; at < values.size(); ++at)
      if (const auto code = run.bind(use.slots[at], values[at]); code != SQLITE_OK)
        return fail(code);
    const auto before = sqlite3_total_changes64(connection_.get());
    auto result = sql_result{};
    auto code = run.step();
    for (; code == SQLITE_ROW; code = run.step())
      result.rows.push_back(run.row());
    if (code != SQLITE_DONE)
      return fail(sqlite3_extended_errcode(connection_.get()));
    if (use.shape.writes)
      result.rows_written = sqlite3_total_changes64(connection_.get()) - before;
    return result;
  }

  /// The commit before it stands whatever comes out of this; a full disk or a reader in the way
  /// only put it off.
  caf::error checkpoint_if_due() {
    const auto pages = std::exchange(wal_pages_, 0);
    if (pages < checkpoint_pages)
      return {};
    const auto mode = pages < restart_pages ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    const auto code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, mode, nullptr, nullptr);
    if (code == SQLITE_OK)
      return {};
    auto failure = fail(sqlite3_extended_errcode(connection_.get()));
    return broken_ ? failure : caf::error{};
  }

  connection_ptr connection_;
  std::string file_;
  sqlite_mode mode_;
  std::unordered_map<std::string, prepared, sql_hash, std::equal_to<>> statements_;
  caf::error broken_; ///< The first I/O error: nothing succeeds after it.
  int wal_pages_ = 0; ///< Of the write-ahead log after the last commit.
};

int flags_of(sqlite_mode mode) {
  constexpr auto common = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  return mode == sqlite_mode::reader ? common : common | SQLITE_OPEN_CREATE;
}

std::string settings_of(sqlite_mode mode) {
  auto sql = std::string{"PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"};
  sql += "PRAGMA cache_size=-" + std::to_string(cache_kib_max) + ";";
  if (mode == sqlite_mode::reader)
    return sql + "PRAGMA query_only=ON; SELECT count(*) FROM sqlite_schema;";
  if (mode == sqlite_mode::writer)
    sql += "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
           "PRAGMA journal_size_limit=" +
           std::to_string(wal_bytes_kept) + ";";
  return sql + "SELECT count(*) FROM sqlite_schema;";
}

/// The same without what only a file has.
std::string settings_in_memory(sqlite_mode mode) {
  auto sql = std::string{"PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;"};
  sql += "PRAGMA cache_size=-" + std::to_string(cache_kib_max) + ";";
  if (mode == sqlite_mode::reader)
    sql += "PRAGMA query_only=ON;";
  return sql + "SELECT count(*) FROM sqlite_schema;";
}

/// Who meets a lock in memory waits for microseconds of work, not for a disk: SQLite's own waits,
/// which grow to 100 ms, would let a busy writer starve the readers.
int wait_in_memory(void*, int times) {
  constexpr auto nap = std::chrono::microseconds{100};
  constexpr auto times_max = busy_timeout / nap;
  if (times >= times_max)
    return 0;
  std::this_thread::sleep_for(nap);
  return 1;
}

caf::error refused(errc code, const std::string& file, const std::string& why) {
  return make_error(code, "database " + file + ": " + why);
}

} // namespace

caf::expected<std::unique_ptr<database>> open_sqlite(const std::filesystem::path& file,
                                                     sqlite_mode mode) {
  const auto path = mode == sqlite_mode::memory ? std::string{":memory:"} : file.string();
  sqlite3* raw = nullptr;
  const auto* files = mode == sqlite_mode::memory ? nullptr : checksummed_files();
  const auto opened = sqlite3_open_v2(path.c_str(), &raw, flags_of(mode), files);
  auto connection = connection_ptr{raw};
  if (opened != SQLITE_OK)
    return refused(errc::storage_refused, path, sqlite3_errstr(opened));
  // Of a new file; one that was made without keeps what it has.
  auto reserved = page_checksum_bytes;
  if (mode == sqlite_mode::writer)
    sqlite3_file_control(raw, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  const auto set = sqlite3_exec(raw, settings_of(mode).c_str(), nullptr, nullptr, nullptr);
  if (set != SQLITE_OK)
    return sqlite_failure(raw, set, path);
  auto result = std::make_unique<sqlite_database>(std::move(connection), path, mode);
  if (mode == sqlite_mode::writer)
    result->own_the_checkpoints();
  return std::unique_ptr<database>{std::move(result)};
}

caf::expected<std::unique_ptr<database>> open_sqlite_in_memory(const std::string& name,
                                                               sqlite_mode mode) {
  // A name that begins with a slash is shared; the file system keeps it by this name alone.
  const auto path = "/" + name;
  sqlite3* raw = nullptr;
  const auto opened = sqlite3_open_v2(path.c_str(), &raw, flags_of(mode), "memdb");
  auto connection = connection_ptr{raw};
  if (opened != SQLITE_OK)
    return refused(errc::storage_refused, path, sqlite3_errstr(opened));
  sqlite3_busy_handler(raw, wait_in_memory, nullptr);
  const auto set = sqlite3_exec(raw, settings_in_memory(mode).c_str(), nullptr, nullptr, nullptr);
  if (set != SQLITE_OK)
    return sqlite_failure(raw, set, path);
  return std::unique_ptr<database>{
      std::make_unique<sqlite_database>(std::move(connection), path, mode)};
}

} // namespace trunkline
