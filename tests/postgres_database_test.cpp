#include "storage/postgres_database.hpp"

#include "storage/log_store.hpp"
#include "storage/node_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/postgres_proxy.hpp"
#include "tests/kit/postgres_server.hpp"

using namespace trunkline;
using kit::must;

namespace {

using drafts = std::vector<log_draft>;

std::unique_ptr<database> opened(const std::string& where) {
  return must(open_postgres(where));
}

errc refusal_of(const std::string& where, const std::string& word) {
  const auto db = open_postgres(where);
  REQUIRE_FALSE(db);
  CHECK_THAT(context_of(db.error()), Catch::Contains(word));
  return code_of(db.error());
}

std::string backend_of(database& db) {
  return std::to_string(must(db.run("SELECT pg_backend_pid()")).rows[0][0].integer());
}

void terminate(database& admin, const std::string& backend) {
  must(admin.run("SELECT pg_terminate_backend(" + backend + ", 5000)"));
}

/// Commits one post's row and a setting with the batch id as its name.
caf::expected<commit_receipt> commit(database& db, std::int64_t batch,
                                     std::optional<write_fence> fence = {}) {
  return db.commit_batch(batch, {}, fence, [&](database& open) -> caf::expected<drafts> {
    auto row = open.run("INSERT INTO setting(name) VALUES ($1)", {std::to_string(batch)});
    if (!row)
      return row.error();
    return drafts{{.author = account_id{1}, .object = {object_kind::post, 0, batch}}};
  });
}

std::vector<std::string> settings_in(database& db) {
  return kit::rows_of(db.run("SELECT name FROM setting ORDER BY name"));
}

/// Makes `body` run on the server when a row of `setting` is committed.
void at_commit(database& db, const std::string& body) {
  must(db.run("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body +
              "; RETURN NULL; END $$"));
  must(db.run("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON setting"
              " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"));
}

} // namespace

TEST_CASE("a server that could lose confirmed posts is refused", "[postgres]") {
  const auto unsafe = kit::postgres_server{{"fsync=off"}};
  CHECK(refusal_of(unsafe.connection_string(), "fsync=off") == errc::storage_refused);
  CHECK(refusal_of(unsafe.connection_string(), "trunkline-pg-") == errc::storage_refused); // where
  for (const std::string mode : {"off", "local"}) {
    const auto where = kit::fresh_postgres_database(false);
    const auto name = where.substr(where.rfind('=') + 1);
    must(opened(where)->run("ALTER DATABASE " + name + " SET synchronous_commit = " + mode));
    CHECK(refusal_of(where, "synchronous_commit=" + mode) == errc::storage_refused);
  }
}

TEST_CASE("a database that does not store UTF-8 is refused", "[postgres]") {
  auto admin = opened(kit::shared_postgres().connection_string());
  must(admin->run("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"));
  CHECK(refusal_of(kit::shared_postgres().connection_string("bytes"),
                   "server_encoding=SQL_ASCII") == errc::storage_refused);
}

TEST_CASE("what cannot be connected to is unavailable and keeps its secrets", "[postgres]") {
  for (const auto* where :
       {"postgresql://me:topsecret@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=topsecret",
        "postgresql://me:topsecret@[::1/x", "host=127.0.0.1 topsecret", "topsecret"}) {
    CAPTURE(where);
    const auto db = open_postgres(where);
    REQUIRE_FALSE(db);
    CHECK(code_of(db.error()) == errc::unavailable);
    CHECK_THAT(context_of(db.error()), !Catch::Contains("topsecret"));
  }
}

TEST_CASE("locks and time-outs of the server are busy, not broken", "[postgres]") {
  const auto where = kit::fresh_postgres_database();
  const auto name = where.substr(where.rfind('=') + 1);
  auto holder = opened(where);
  must(holder->run("ALTER DATABASE " + name + " SET statement_timeout = '200ms'"));
  must(holder->run("ALTER DATABASE " + name + " SET lock_timeout = '100ms'"));
  auto db = opened(where);
  const auto slow = db->run("SELECT pg_sleep(5)");
  REQUIRE_FALSE(slow);
  CHECK(code_of(slow.error()) == errc::storage_busy);
  must(holder->transact([&](database& open) -> caf::error {
    must(open.run("LOCK TABLE setting IN ACCESS EXCLUSIVE MODE"));
    CHECK(code_of(commit(*db, 1).error()) == errc::storage_busy);
    return {};
  }));
  must(holder->transact([&](database& open) -> caf::error {
    must(open.run("LOCK TABLE log IN ACCESS EXCLUSIVE MODE")); // met by the tail of the batch
    CHECK(code_of(commit(*db, 1).error()) == errc::storage_busy);
    return {};
  }));
  CHECK(settings_in(*db).empty());
  CHECK(must(commit(*db, 1)).first == 1);
}

TEST_CASE("a deadlock is busy for one of the two", "[postgres]") {
  const auto where = kit::fresh_postgres_database();
  auto left = opened(where);
  must(left->run("INSERT INTO setting(name) VALUES ('a'), ('b')"));
  auto right = opened(where);
  const auto update = [](database& db, const char* name) {
    return db.run("UPDATE setting SET text = 'x' WHERE name = $1", {name});
  };
  auto codes = std::vector<errc>{};
  auto other = std::thread{};
  auto other_failure = caf::error{};
  const auto failure = left->transact([&](database& open) -> caf::error {
    must(update(open, "a"));
    auto both_hold = std::atomic<bool>{false};
    other = std::thread{[&] {
      other_failure = right->transact([&](database& its) -> caf::error {
        auto done = update(its, "b");
        both_hold = true;
        both_hold.notify_one();
        if (done)
          done = update(its, "a");
        return done ? caf::error{} : done.error();
      });
    }};
    both_hold.wait(false);
    auto done = update(open, "b");
    return done ? caf::error{} : done.error();
  });
  other.join();
  CHECK(bool(failure) != bool(other_failure));
  CHECK(code_of(failure ? failure : other_failure) == errc::storage_busy);
}

TEST_CASE("a connection that died while idle is replaced without a failure", "[postgres]") {
  const auto where = kit::fresh_postgres_database();
  auto admin = opened(where);
  auto db = opened(where);
  terminate(*admin, backend_of(*db));
  CHECK(settings_in(*db).empty());
  terminate(*admin, backend_of(*db));
  CHECK(must(commit(*db, 1)).first == 1);
  terminate(*admin, backend_of(*db));
  CHECK(must(db->commit_batch(2, {}, {}, [](database&) { return drafts{}; })).previous == 1);
  terminate(*admin, backend_of(*db));
  must(db->transact([](database& open) -> caf::error {
    must(open.run("INSERT INTO setting(name) VALUES ('b')"));
    return {};
  }));
  CHECK(settings_in(*db) == std::vector<std::string>{"1", "b"});
}

TEST_CASE("a connection lost in a transaction loses all of it, at every level", "[postgres]") {
  const auto where = kit::fresh_postgres_database();
  auto admin = opened(where);
  auto db = opened(where);
  const auto failure = db->transact([&](database& open) -> caf::error {
    must(open.run("INSERT INTO setting(name) VALUES ('a')"));
    const auto backend = backend_of(open);
    const auto unit = open.transact([&](database& inner) -> caf::error {
      must(inner.run("INSERT INTO setting(name) VALUES ('b')"));
      terminate(*admin, backend);
      auto row = inner.run("INSERT INTO setting(name) VALUES ('c')");
      CHECK(code_of(row.error()) == errc::unavailable);
      return row.error();
    });
    CHECK(code_of(unit) == errc::unavailable);
    CHECK(code_of(open.run("SELECT 1").error()) == errc::unavailable);
    return {}; // swallowed
  });
  CHECK(code_of(failure) == errc::unavailable);
  CHECK(settings_in(*db).empty());
}

TEST_CASE("F16: after a restart of the server the same connection goes on", "[postgres]") {
  for (const auto* mode : {"fast", "immediate"}) {
    auto server = kit::postgres_server{};
    auto db = opened(server.connection_string());
    must(db->run("CREATE TABLE t(a BIGINT)"));
    must(db->run("INSERT INTO t(a) VALUES (1)"));
    server.stop(mode);
    const auto away = db->run("SELECT a FROM t").error();
    CAPTURE(mode, context_of(away));
    CHECK(code_of(away) == errc::unavailable);
    CHECK(code_of(db->transact([](database& open) -> caf::error {
            auto row = open.run("INSERT INTO t(a) VALUES (2)");
            return row ? caf::error{} : row.error();
          })) == errc::unavailable);
    server.start();
    CHECK(kit::rows_of(db->run("SELECT a FROM t")) == std::vector<std::string>{"1"});
    must(db->run("INSERT INTO t(a) VALUES (3)"));
  }
}

TEST_CASE("a commit whose answer is lost is found", "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  CHECK(must(commit(*db, 1)).last == 1);
  const auto before = db->rows_written();
  proxy.at_commit(kit::proxy_mood::lose_answer);
  const auto receipt = must(commit(*db, 2));
  CHECK(receipt.previous == 1);
  CHECK(receipt.first == 2);
  CHECK(receipt.last == 2);
  CHECK(db->rows_written() - before == 3);
  CHECK(settings_in(*db) == std::vector<std::string>{"1", "2"});
  CHECK(must(commit(*db, 3)).first == 3);
}

TEST_CASE("a commit that still runs when its connection is lost is waited for",
          "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  const auto watcher = opened(where); // outlives the proxy's threads
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  at_commit(*db, "PERFORM pg_advisory_xact_lock(1), pg_sleep(1)");
  proxy.before_drop = [&] {
    while (kit::rows_of(watcher->run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
                                     " AND objid = 1"))
               .empty()) {
    }
  };
  proxy.at_commit(kit::proxy_mood::leave_running);
  CHECK(must(commit(*db, 1)).last == 1);
  CHECK(settings_in(*db) == std::vector<std::string>{"1"});
}

TEST_CASE("a batch that never reached the server is known not to be committed",
          "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  proxy.at_commit(kit::proxy_mood::lose_request);
  CHECK(code_of(commit(*db, 1).error()) == errc::unavailable);
  CHECK(settings_in(*db).empty());
  CHECK(must(newest_seq(*db)) == 0);
  CHECK(must(commit(*db, 2)).first == 1);
}

TEST_CASE("a server process that dies in COMMIT takes the batch with it", "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto db = opened(where);
  at_commit(*db, "PERFORM pg_terminate_backend(pg_backend_pid())");
  CHECK(code_of(commit(*db, 1).error()) == errc::unavailable);
  must(db->run("DROP TRIGGER late ON setting"));
  CHECK(settings_in(*db).empty());
  CHECK(must(newest_seq(*db)) == 0);
}

TEST_CASE("an outcome that cannot be asked for is unknown after 5 s", "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  proxy.at_commit(kit::proxy_mood::lose_answer, kit::proxy_mood::refuse);
  const auto began = std::chrono::steady_clock::now();
  CHECK(code_of(commit(*db, 1).error()) == errc::commit_unknown);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took > std::chrono::seconds{4});
  CHECK(took < std::chrono::seconds{8});
  proxy.at_commit(kit::proxy_mood::pass);
  CHECK(settings_in(*db) == std::vector<std::string>{"1"}); // it had been kept
}

TEST_CASE("a batch of a node that was deposed writes nothing", "[postgres][fence]") {
  const auto where = kit::fresh_postgres_database();
  auto db = opened(where);
  REQUIRE(must(start_node(*db, {.id = 5, .slot = 1})) == 1);
  CHECK(must(commit(*db, 1, write_fence{5, 1})).first == 1);
  const auto before = kit::dump(*db);
  CHECK(code_of(commit(*db, 2, write_fence{5, 2}).error()) == errc::unavailable);
  CHECK(code_of(commit(*db, 3, write_fence{6, 1}).error()) == errc::unavailable);
  CHECK_THAT(context_of(commit(*db, 4, write_fence{6, 1}).error()), Catch::Contains("fence"));
  CHECK(kit::dump(*db) == before);
  CHECK(must(commit(*db, 5, write_fence{5, 1})).first == 2);
}

TEST_CASE("more statements than are kept prepared all run", "[postgres]") {
  auto db = opened(kit::fresh_postgres_database());
  for (auto number = 0; number < 600; ++number)
    CHECK(must(db->run("SELECT " + std::to_string(number))).rows[0][0].integer() == number);
  const auto kept = must(db->run("SELECT count(*) FROM pg_prepared_statements"));
  CHECK(kept.rows[0][0].integer() <= 256);
}

TEST_CASE("a prepared statement that is gone is done without", "[postgres]") {
  // What a pooler in transaction mode does: the next statement meets another session.
  auto db = opened(kit::fresh_postgres_database());
  CHECK(must(db->run("SELECT 41")).rows[0][0].integer() == 41);
  must(db->run("DEALLOCATE ALL"));
  CHECK(code_of(db->run("SELECT 41").error()) == errc::storage_busy);
  CHECK(must(db->run("SELECT 41")).rows[0][0].integer() == 41);
  must(db->run("SELECT pg_backend_pid()"));
  CHECK(kit::rows_of(db->run("SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BYTEA)",
                             {"a", 7, blob{"b"}})) == std::vector<std::string>{"a|7|x'62'"});
}
