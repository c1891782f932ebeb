#include "storage/role_timeouts.hpp"

#include "storage/postgres_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/postgres_server.hpp"

using namespace trunkline;
using kit::must;

namespace {

using statements = std::vector<std::string>;

/// What a new connection as `role` lacks.
statements missing(const std::string& where, const std::string& role) {
  auto as_role = where;
  as_role.replace(as_role.find("user=postgres"), 13, "user='" + role + "'");
  return must(missing_role_timeouts(*must(open_postgres(as_role))));
}

} // namespace

TEST_CASE("a role without timeouts is told the statements that set them", "[role_timeouts]") {
  const auto where = kit::fresh_postgres_database();
  auto admin = must(open_postgres(where));
  must(admin->run(R"(CREATE ROLE "of tests" LOGIN)"));
  const auto told = missing(where, "of tests");
  REQUIRE(told ==
          statements{R"(ALTER ROLE "of tests" SET idle_in_transaction_session_timeout = '1s';)",
                     R"(ALTER ROLE "of tests" SET lock_timeout = '2s';)",
                     R"(ALTER ROLE "of tests" SET statement_timeout = '5s';)"});
  for (const auto& statement : told)
    must(admin->run(statement));
  CHECK(missing(where, "of tests").empty());
}

TEST_CASE("a timeout may be shorter and not longer, wherever it is set", "[role_timeouts]") {
  const auto where = kit::fresh_postgres_database();
  const auto name = where.substr(where.rfind('=') + 1);
  auto admin = must(open_postgres(where));
  for (const auto* one : {"idle_in_transaction_session_timeout = '999ms'",
                          "lock_timeout = '2001ms'", "statement_timeout = '4s'"})
    must(admin->run("ALTER DATABASE " + name + " SET " + one));
  CHECK(missing(where, "postgres") == statements{"ALTER ROLE postgres SET lock_timeout = '2s';"});
}
