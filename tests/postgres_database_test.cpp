#include "storage/postgres_database.hpp"

#include "tests/kit/postgres_batches.hpp"
#include "tests/kit/postgres_proxy.hpp"
#include "tests/kit/postgres_server.hpp"

using namespace std::chrono_literals;
using namespace trunkline;
using namespace trunkline::kit;
using steady = std::chrono::steady_clock;

namespace {

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

TEST_CASE("F15: a server that does not answer is given up, and who comes next is refused at once",
          "[postgres]") {
  auto proxy = kit::postgres_proxy{kit::fresh_postgres_database()};
  auto db = opened(proxy.connection_string(), in_a_hurry());
  CHECK(settings_in(*db).empty());
  proxy.freeze(true);
  auto began = steady::now();
  const auto silence = db->run("SELECT 1");
  CHECK(code_of(silence.error()) == errc::unavailable);
  CHECK_THAT(context_of(silence.error()), Catch::Contains("no answer"));
  CHECK(steady::now() - began > 300ms);
  CHECK(steady::now() - began < 2s); // a read is not asked again
  began = steady::now();
  auto refused = 0;
  for (; refused < 200 && steady::now() - began < 250ms; ++refused)
    CHECK(code_of(commit(*db, refused).error()) == errc::unavailable);
  CHECK(refused == 200);
  proxy.freeze(false);
  while (!db->run("SELECT 1") && steady::now() - began < 10s) {
  }
  CHECK(must(commit(*db, 2'000)).first == 1);
}

TEST_CASE("without a watch an answer is waited for", "[postgres]") {
  auto options = in_a_hurry();
  options.watch = nullptr;
  auto db = opened(kit::fresh_postgres_database(), options);
  must(db->run("SELECT pg_sleep(0.6)"));
}

TEST_CASE("a change of the schema lifts the timeouts of the role", "[postgres]") {
  const auto where = kit::fresh_postgres_database();
  const auto name = where.substr(where.rfind('=') + 1);
  must(opened(where)->run("ALTER DATABASE " + name + " SET statement_timeout = '100ms'"));
  const auto sleep = [](database& open) -> caf::error {
    auto slept = open.run("SELECT pg_sleep(0.3)");
    return slept ? caf::error{} : slept.error();
  };
  CHECK(code_of(opened(where)->transact(sleep)) == errc::storage_busy);
  auto patient = opened(where, {.lifts_timeouts = true});
  must(patient->transact(sleep));
  CHECK(code_of(patient->run("SELECT pg_sleep(0.3)").error()) == errc::storage_busy); // none open
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

TEST_CASE("more statements than are kept prepared all run", "[postgres]") {
  auto db = opened(kit::fresh_postgres_database());
  for (auto number = 0; number < 600; ++number)
    CHECK(must(db->run("SELECT " + std::to_string(number))).rows[0][0].integer() == number);
  const auto kept = must(db->run("SELECT count(*) FROM pg_prepared_statements"));
  CHECK(kept.rows[0][0].integer() <= 256);
}

TEST_CASE("behind a pooler nothing is prepared", "[postgres]") {
  const auto prepared = [](database& db) {
    must(db.run("SELECT CAST($1 AS BIGINT)", {41}));
    return must(db.run("SELECT count(*) FROM pg_prepared_statements")).rows[0][0].integer();
  };
  auto proxy = kit::postgres_proxy{kit::fresh_postgres_database()};
  CHECK(prepared(*opened(proxy.connection_string())) > 0);
  proxy.hide_process();
  auto db = opened(proxy.connection_string());
  CHECK(prepared(*db) == 0);
  CHECK(kit::rows_of(db->run("SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BYTEA)",
                             {"a", 7, blob{"b"}})) == std::vector<std::string>{"a|7|x'62'"});
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
