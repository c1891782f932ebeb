#include "bench/bare_loop.hpp"

#include "bench/sample_post.hpp"

#include <pqxx/pqxx>
#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace trunkline::bench {

namespace {

using std::chrono::steady_clock;

/// Posts before the measured ones, in one commit: they make the write-ahead log as long as it is
/// going to be, so that no sync waits for the file to grow.
constexpr std::int64_t warm_up_posts = 5'000;
constexpr auto post_columns = "id, author, text, html, spoiler, visibility, language, created_at";
constexpr auto log_columns = "seq, at, kind, author, object_key, class, public, audience_id, ap_id";

std::string insert_into(const char* table, const char* columns, int values) {
  auto sql = std::string{"INSERT INTO "} + table + "(" + columns + ") VALUES (";
  for (int i = 1; i <= values; ++i)
    sql += (i > 1 ? ", $" : "$") + std::to_string(i);
  return sql + ")";
}

/// What differs from one post to the next, as long as ours.
struct post_texts {
  post_texts(std::int64_t number, std::size_t authors)
      : id{1'000'000'000'000'000'000 + number}, author{1 +
                                                       number % static_cast<std::int64_t>(authors)},
        object_key{"post/0/" + std::to_string(id)}, ap_id{"https://bench.invalid/users/poster_" +
                                                          std::to_string(author) + "/statuses/" +
                                                          std::to_string(id) + "/activity"} {}

  std::int64_t id;
  std::int64_t author;
  std::string object_key;
  std::string ap_id;
};

class sqlite_file {
public:
  explicit sqlite_file(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &connection_) != SQLITE_OK)
      throw std::runtime_error{"bare loop: cannot open " + file.string()};
  }
  sqlite_file(const sqlite_file&) = delete;
  sqlite_file& operator=(const sqlite_file&) = delete;
  ~sqlite_file() { sqlite3_close_v2(connection_); }

  void run(const std::string& sql) {
    if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error{"bare loop: " + std::string{sqlite3_errmsg(connection_)}};
  }

  sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error{"bare loop: " + std::string{sqlite3_errmsg(connection_)}};
    return statement;
  }

private:
  sqlite3* connection_ = nullptr;
};

/// Makes tables and indexes as in the file `like`; its pages may be of another format than ours.
void copy_schema(const std::filesystem::path& like, sqlite_file& to) {
  sqlite_file from{like};
  auto* rows = from.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
                            " ORDER BY type = 'index'");
  while (sqlite3_step(rows) == SQLITE_ROW)
    to.run(reinterpret_cast<const char*>(sqlite3_column_text(rows, 0)));
  sqlite3_finalize(rows);
}

void bind(sqlite3_stmt* statement, int slot, std::int64_t number) {
  sqlite3_bind_int64(statement, slot, number);
}

void bind(sqlite3_stmt* statement, int slot, std::string_view text) {
  sqlite3_bind_text(statement, slot, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

template <class... Values>
void insert(sqlite3_stmt* statement, const Values&... values) {
  int slot = 0;
  (bind(statement, ++slot, values), ...);
  if (sqlite3_step(statement) != SQLITE_DONE)
    throw std::runtime_error{"bare loop: " +
                             std::string{sqlite3_errmsg(sqlite3_db_handle(statement))}};
  sqlite3_reset(statement);
}

/// Calls `commit(first, count)` once to warm up, and then until the span is over.
template <class Commit>
load_figures loop(const char* database, const bare_load& load, Commit commit) {
  load_figures figures{.path = "bare loop",
                       .database = database,
                       .posters = load.authors,
                       .batch_mean = static_cast<double>(load.batch)};
  commit(0, warm_up_posts);
  const auto cpu = process_cpu();
  const auto begin = steady_clock::now();
  while (steady_clock::now() - begin < load.span) {
    commit(warm_up_posts + static_cast<std::int64_t>(figures.posts),
           static_cast<std::int64_t>(load.batch));
    figures.posts += load.batch;
  }
  figures.wall = steady_clock::now() - begin;
  figures.cpu = process_cpu() - cpu;
  return figures;
}

} // namespace

load_figures bare_sqlite(const std::filesystem::path& like, const std::filesystem::path& file,
                         const bare_load& load) {
  sqlite_file db{file};
  db.run("PRAGMA journal_mode=WAL");
  db.run("PRAGMA synchronous=FULL");
  copy_schema(like, db);
  auto* post = db.prepare(insert_into("post", post_columns, 8));
  auto* log = db.prepare(insert_into("log", log_columns, 9));
  const auto at = std::int64_t{1'700'000'000'000'000};
  auto figures = loop("sqlite", load, [&](std::int64_t first, std::int64_t count) {
    db.run("BEGIN IMMEDIATE");
    for (auto number = first; number < first + count; ++number) {
      const post_texts texts{number, load.authors};
      insert(post, texts.id, texts.author, sample_text, std::string_view{sample_html},
             std::string_view{""}, std::int64_t{1}, std::string_view{"en"}, at);
      insert(log, number + 1, at, std::int64_t{1}, texts.author, std::string_view{texts.object_key},
             std::int64_t{1}, std::int64_t{1}, std::int64_t{0}, std::string_view{texts.ap_id});
    }
    db.run("COMMIT");
  });
  sqlite3_finalize(post);
  sqlite3_finalize(log);
  return figures;
}

load_figures bare_postgres(const std::string& connection_string, const bare_load& load) {
  pqxx::connection db{connection_string};
  db.prepare("post", insert_into("post", post_columns, 8));
  db.prepare("log", insert_into("log", log_columns, 9));
  const auto at = std::int64_t{1'700'000'000'000'000};
  return loop("postgres", load, [&](std::int64_t first, std::int64_t count) {
    pqxx::work open{db};
    for (auto number = first; number < first + count; ++number) {
      const post_texts texts{number, load.authors};
      open.exec_prepared0("post", texts.id, texts.author, std::string{sample_text}, sample_html, "",
                          1, "en", at);
      open.exec_prepared0("log", number + 1, at, 1, texts.author, texts.object_key, 1, 1, 0,
                          texts.ap_id);
    }
    open.commit();
  });
}

} // namespace trunkline::bench
