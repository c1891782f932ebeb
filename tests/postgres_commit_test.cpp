// What becomes of a batch whose connection is lost, in every place where it can be lost.

#include "storage/log_store.hpp"
#include "storage/node_store.hpp"
#include "storage/postgres_database.hpp"
#include "tests/kit/postgres_batches.hpp"
#include "tests/kit/postgres_proxy.hpp"
#include "tests/kit/postgres_server.hpp"

using namespace std::chrono_literals;
using namespace trunkline;
using namespace trunkline::kit;
using steady = std::chrono::steady_clock;

namespace {

/// Makes `body` run on the server when a row of `setting` is committed.
void at_commit(database& db, const std::string& body) {
  must(db.run("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body +
              "; RETURN NULL; END $$"));
  must(db.run("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON setting"
              " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"));
}

} // namespace

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

TEST_CASE("an outcome that cannot be asked for is unknown after 4 s", "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  proxy.at_commit(kit::proxy_mood::lose_answer, kit::proxy_mood::refuse);
  const auto began = std::chrono::steady_clock::now();
  CHECK(code_of(commit(*db, 1).error()) == errc::commit_unknown);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took > std::chrono::seconds{4});
  CHECK(took < std::chrono::seconds{5});
  proxy.at_commit(kit::proxy_mood::pass);
  CHECK(settings_in(*db) == std::vector<std::string>{"1"}); // it had been kept
}

TEST_CASE("a commit that is not answered is given up and found", "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string(), in_a_hurry());
  proxy.at_commit(kit::proxy_mood::keep_answer);
  const auto began = steady::now();
  CHECK(must(commit(*db, 1)).last == 1);
  CHECK(steady::now() - began < 2s);
  CHECK(settings_in(*db) == std::vector<std::string>{"1"});
  CHECK(must(commit(*db, 2)).first == 2);
}

TEST_CASE("a commit that meets a frozen server ends, and its outcome is told",
          "[postgres][commit]") {
  const auto where = kit::fresh_postgres_database();
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string(), in_a_hurry());
  const auto began = steady::now();
  auto failure = db->commit_batch(1, {}, {}, [&](database& open) -> caf::expected<drafts> {
    must(open.run("INSERT INTO setting(name) VALUES ('1')"));
    proxy.freeze(true);
    return drafts{};
  });
  CHECK(code_of(failure.error()) == errc::commit_unknown);
  CHECK(steady::now() - began < 4s); // with one attempt to connect, of 2 s
}

TEST_CASE("a batch of a node that was deposed writes nothing", "[postgres][fence]") {
  const auto where = kit::fresh_postgres_database();
  auto db = opened(where);
  REQUIRE(must(start_node(*db, {.id = 5, .slot = 1})) == 1);
  CHECK(must(commit(*db, 1, write_fence{5, 1})).first == 1);
  const auto before = kit::dump(*db);
  CHECK(code_of(commit(*db, 2, write_fence{5, 2}).error()) == errc::unavailable);
  CHECK(is_fence_refusal(commit(*db, 3, write_fence{6, 1}).error()));
  CHECK_THAT(context_of(commit(*db, 4, write_fence{6, 1}).error()), Catch::Contains("fence"));
  CHECK(kit::dump(*db) == before);
  CHECK(must(commit(*db, 5, write_fence{5, 1})).first == 2);
}

TEST_CASE("a deposed node that looks for a lost batch writes nothing", "[postgres][fence]") {
  const auto where = kit::fresh_postgres_database();
  auto other = opened(where);
  const auto depose = [&] {
    must(other->run("UPDATE node SET state = $1", {static_cast<int>(node_state::dead)}));
  };
  REQUIRE(must(start_node(*other, {.id = 5, .slot = 1})) == 1);
  auto proxy = kit::postgres_proxy{where};
  auto db = opened(proxy.connection_string());
  SECTION("one that never arrived was not committed") {
    depose();
    const auto before = kit::dump(*other);
    proxy.at_commit(kit::proxy_mood::lose_request);
    CHECK(code_of(commit(*db, 1, write_fence{5, 1}).error()) == errc::unavailable);
    CHECK(kit::dump(*other) == before);
  }
  SECTION("one that was committed is found") {
    proxy.before_drop = [&] {
      while (kit::rows_of(other->run("SELECT 1 FROM batch WHERE id = 1")).empty())
        ;
      depose();
    };
    proxy.at_commit(kit::proxy_mood::leave_running);
    CHECK(must(commit(*db, 1, write_fence{5, 1})).last == 1);
    CHECK(settings_in(*other) == std::vector<std::string>{"1"});
    CHECK(kit::rows_of(other->run("SELECT id, last_seq FROM batch")) ==
          std::vector<std::string>{"1|1"});
  }
}
