#include "storage/postgres_session.hpp"

#include "protocol/crypto.hpp"
#include "storage/postgres_error.hpp"
#include "storage/statement.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6.4 drops libpq's last answer when the connection it came on is lost: some hundred bytes.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\nleak:libpqxx-6.4.so\n";
}
#endif

namespace trunkline {

namespace {

constexpr std::size_t statements_max = 256; ///< Prepared per connection; then all are let go.

/// As long as this no other attempt follows one that has hung.
constexpr auto away_max = std::chrono::steady_clock::duration{std::chrono::milliseconds{250}};

// Types of result columns; the server gives sums as numeric.
constexpr pqxx::oid bool_type = 16;
constexpr pqxx::oid bytea_type = 17;
constexpr pqxx::oid number_types[] = {20, 21, 23, 26, 700, 701, 1700};

/// What the string does not say itself: a server that is gone must be noticed in seconds.
constexpr std::pair<std::string_view, std::string_view> defaults[] = {
    {"connect_timeout", "2"},
    {"tcp_user_timeout", "5000"},
    {"client_encoding", "UTF8"},
    {"application_name", "trunkline"},
};

std::string with_defaults(std::string_view where) {
  const auto is_url = where.find("://") != std::string_view::npos;
  auto text = std::string{where};
  for (const auto& [key, value] : defaults) {
    if (where.find(std::string{key} + "=") != std::string_view::npos)
      continue;
    const auto* separator = !is_url ? " " : text.find('?') == std::string::npos ? "?" : "&";
    text += separator + std::string{key} + "=" + std::string{value};
  }
  return text;
}

const auto no_answer = std::string{"database: no answer came in time"};

struct prepared {
  std::string name;
  statement_shape shape;
};

struct sql_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view sql) const { return std::hash<std::string_view>{}(sql); }
};

/// The letters that tell a sum from its digits are none: numbers are read up to the point.
std::int64_t number_in(const char* text, std::size_t length) {
  auto number = std::int64_t{0};
  std::from_chars(text, text + length, number);
  return number;
}

int digit(char letter) {
  return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

/// Reads bytea as the server prints it: "\x" and pairs of hexadecimal digits.
blob bytes_in(std::string_view text) {
  auto result = blob{};
  text.remove_prefix(std::min<std::size_t>(2, text.size()));
  result.bytes.reserve(text.size() / 2);
  for (auto at = std::size_t{0}; at + 1 < text.size(); at += 2)
    result.bytes.push_back(static_cast<char>(digit(text[at]) * 16 + digit(text[at + 1])));
  return result;
}

sql_value cell(const pqxx::field& from, pqxx::oid type) {
  if (from.is_null())
    return {};
  const auto text = std::string_view{from.c_str(), from.size()};
  if (type == bool_type)
    return text == "t";
  if (type == bytea_type)
    return bytes_in(text);
  for (const auto each : number_types)
    if (type == each)
      return number_in(text.data(), text.size());
  return text;
}

sql_result answer(const pqxx::result& from, bool writes) {
  auto result = sql_result{};
  auto types = std::vector<pqxx::oid>{};
  for (auto column = pqxx::row_size_type{0}; column < from.columns(); ++column)
    types.push_back(from.column_type(column));
  result.rows.reserve(from.size());
  for (const auto& row : from) {
    auto& cells = result.rows.emplace_back();
    cells.reserve(types.size());
    for (auto column = pqxx::row_size_type{0}; column < from.columns(); ++column)
      cells.push_back(cell(row[column], types[column]));
  }
  if (writes)
    result.rows_written = static_cast<std::int64_t>(from.affected_rows());
  return result;
}

std::string hex_form(const std::string& bytes) {
  return "\\x" + to_hex(bytes);
}

/// Values as libpq takes them: text, or nothing for NULL.
class text_values {
public:
  explicit text_values(std::span<const sql_value> values) {
    made_.reserve(values.size()); // pointers into it must stay
    for (const auto& value : values)
      pointers_.push_back(text_of(value));
  }

  const std::vector<const char*>& pointers() const { return pointers_; }

private:
  const char* text_of(const sql_value& value) {
    if (value.is_null())
      return nullptr;
    if (const auto* text = std::get_if<std::string>(&value.content()))
      return text->c_str();
    const auto* bytes = std::get_if<blob>(&value.content());
    return made_.emplace_back(bytes ? hex_form(bytes->bytes) : std::to_string(value.integer()))
        .c_str();
  }

  std::vector<std::string> made_;
  std::vector<const char*> pointers_;
};

std::string place_of(pqxx::connection& connection) {
  const auto* host = connection.hostname();
  const auto* port = connection.port();
  return std::string{host ? host : "the socket"} + (port ? std::string{":"} + port : "");
}

caf::error refusal(pqxx::connection& connection, const std::string& why) {
  return make_error(errc::storage_refused,
                    "database: the server at " + place_of(connection) + " has " + why);
}

struct server_facts {
  std::string fsync;
  std::string synchronous_commit;
  std::string encoding;
  int process = 0; ///< Of the server, which ran this very statement.
};

server_facts ask_server(pqxx::nontransaction& statements) {
  const auto row =
      statements.exec("SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
                      " current_setting('server_encoding'), pg_backend_pid()")[0];
  return {.fsync = row[0].as<std::string>(),
          .synchronous_commit = row[1].as<std::string>(),
          .encoding = row[2].as<std::string>(),
          .process = row[3].as<int>()};
}

/// A server that confirms what it has not written is worse than none.
caf::error check_server(pqxx::connection& connection, const server_facts& facts) {
  const auto& commit = facts.synchronous_commit;
  if (facts.fsync != "on")
    return refusal(connection, "fsync=" + facts.fsync + ": a crash would lose confirmed posts");
  if (commit == "off" || commit == "local")
    return refusal(connection,
                   "synchronous_commit=" + commit + ": a crash would lose confirmed posts");
  if (facts.encoding != "UTF8")
    return refusal(connection, "server_encoding=" + facts.encoding + ": UTF8 is needed");
  return {};
}

/// The wait for one answer, under watch where there is one.
class answer_wait {
public:
  answer_wait(std::optional<answer_watch::line>& line, std::chrono::milliseconds limit)
      : line_{line ? &*line : nullptr} {
    if (line_)
      line_->begin_wait(limit);
  }
  ~answer_wait() {
    if (line_)
      line_->end_wait();
  }
  answer_wait(const answer_wait&) = delete;
  answer_wait& operator=(const answer_wait&) = delete;

private:
  answer_watch::line* line_;
};

} // namespace

struct postgres_session::connection {
  connection(const std::string& where, const postgres_options& options)
      : answer_max{options.answer_max}, link{where}, statements{link} {
    if (options.watch)
      line.emplace(*options.watch, link.sock());
  }

  bool was_cut() const { return line && line->was_cut(); }

  prepared& known(std::string_view sql) {
    if (const auto found = cache.find(sql); found != cache.end())
      return found->second;
    if (cache.size() >= statements_max)
      forget_all();
    // Named after its text: another session of ours that meets it behind a pooler has the same.
    auto made = prepared{"t_" + to_hex(sha256(sql).substr(0, 12)), shape_of(sql)};
    link.prepare(made.name, std::string{sql});
    return cache.emplace(sql, std::move(made)).first->second;
  }

  void forget(std::string_view sql) {
    const auto found = cache.find(sql);
    if (found == cache.end())
      return;
    const auto name = found->second.name;
    cache.erase(found);
    const auto wait = answer_wait{line, answer_max};
    try {
      link.unprepare(name);
    } catch (const std::exception&) { // in a failed transaction: the name is only kept for longer
    }
  }

  void forget_all() {
    while (!cache.empty())
      forget(std::string{cache.begin()->first});
  }

  std::chrono::milliseconds answer_max;
  pqxx::connection link;
  pqxx::nontransaction statements;
  std::optional<answer_watch::line> line; ///< Nothing: answers are waited for without a limit.
  std::unordered_map<std::string, prepared, sql_hash, std::equal_to<>> cache;
};

postgres_session::postgres_session(std::string_view where, postgres_options options)
    : where_{with_defaults(where)}, options_{std::move(options)} {}

postgres_session::~postgres_session() = default;

caf::error postgres_session::connect() {
  connection_.reset();
  const auto began = std::chrono::steady_clock::now();
  if (began < away_until_)
    return away_;
  auto failure = try_connect();
  if (failure)
    stay_away(failure, std::chrono::steady_clock::now() - began);
  return failure;
}

caf::error postgres_session::try_connect() {
  auto fresh = std::unique_ptr<connection>{};
  try {
    fresh = std::make_unique<connection>(where_, options_);
  } catch (const std::exception&) {
    return postgres_connect_failure();
  }
  if (fresh->line && !fresh->line->is_sound())
    return make_error(errc::unavailable, "database: no descriptor is left to watch it");
  try {
    const auto wait = answer_wait{fresh->line, options_.connect_max};
    const auto facts = ask_server(fresh->statements);
    if (auto refused = check_server(fresh->link, facts))
      return refused;
    // A pooler cannot tell a client one process of the server: it will meet several.
    may_prepare_ = may_prepare_ && facts.process == fresh->link.backendpid();
  } catch (const std::exception&) { // of a pooler as well, whose server is away
    return make_error(errc::unavailable,
                      fresh->was_cut() ? no_answer : context_of(postgres_failure({})));
  }
  connection_ = std::move(fresh);
  return {};
}

void postgres_session::stay_away(const caf::error& failure,
                                 std::chrono::steady_clock::duration took) {
  away_ = failure;
  away_until_ = std::chrono::steady_clock::now() + std::min(took, away_max);
}

bool postgres_session::is_open() const {
  return connection_ && connection_->link.is_open();
}

caf::expected<sql_result> postgres_session::send(const std::string& statements,
                                                 std::string_view table,
                                                 std::chrono::milliseconds limit) {
  if (!is_open()) // libpqxx would connect by itself, in the middle of a transaction
    return make_error(errc::unavailable, "database: not connected");
  try {
    const auto wait = answer_wait{connection_->line, limit};
    return answer(connection_->statements.exec(statements), false);
  } catch (const std::exception& thrown) {
    return fail(thrown, table);
  }
}

caf::expected<sql_result> postgres_session::run(std::string_view sql,
                                                std::span<const sql_value> values,
                                                std::chrono::milliseconds limit) {
  if (!is_open())
    return make_error(errc::unavailable, "database: not connected");
  auto table = std::string{};
  try {
    const auto& use = connection_->known(sql);
    table = use.shape.table;
    if (auto refused = check_values(use.shape, values))
      return refused;
    const auto texts = text_values{values};
    const auto parameters = pqxx::prepare::make_dynamic_params(texts.pointers());
    const auto wait = answer_wait{connection_->line, limit};
    const auto rows = may_prepare_
                          ? connection_->statements.exec_prepared(use.name, parameters)
                          : connection_->statements.exec_params(std::string{sql}, parameters);
    return answer(rows, use.shape.writes);
  } catch (const std::exception& thrown) {
    auto failure = fail(thrown, table);
    if (connection_)
      connection_->forget(sql); // it may be what failed
    return failure;
  }
}

caf::error postgres_session::fail(const std::exception& thrown, std::string_view table) {
  if (connection_ && connection_->was_cut()) {
    connection_.reset();
    auto silent = make_error(errc::unavailable, no_answer);
    stay_away(silent, away_max);
    return silent;
  }
  auto failure = postgres_failure(table);
  const auto* refused = dynamic_cast<const pqxx::sql_error*>(&thrown);
  const auto state = refused ? std::string_view{refused->sqlstate()} : std::string_view{};
  if (state == "26000" || state == "42P05")
    may_prepare_ = false;
  // The server has hung up, whether libpq saw it yet or not; a failure without a code of the
  // server's is the client's own.
  const auto is_local = refused && state.empty();
  if (is_local || state.starts_with("57P") || state.starts_with("08") || state == "25P03")
    connection_.reset();
  // libpqxx has more than one exception for a connection that breaks.
  return is_open() ? failure : make_error(errc::unavailable, context_of(failure));
}

std::string postgres_session::literal(const sql_value& value, std::string_view type) {
  const auto cast = "::" + std::string{type};
  if (value.is_null())
    return "NULL" + cast;
  if (const auto* text = std::get_if<std::string>(&value.content()))
    return connection_->link.quote(*text) + cast;
  if (const auto* bytes = std::get_if<blob>(&value.content()))
    return connection_->link.quote(hex_form(bytes->bytes)) + cast;
  return "'" + std::to_string(value.integer()) + "'" + cast;
}

} // namespace trunkline
