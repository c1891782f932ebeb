#include "storage/statement.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("a statement's parameters are found outside of quotes", "[statement]") {
  CHECK(shape_of("SELECT 1").parameters == 0);
  CHECK(shape_of("SELECT $2, $1 FROM t WHERE a = '$9'").parameters == 2);
  CHECK(shape_of("SELECT $2, $1").uses_all);
  CHECK_FALSE(shape_of("SELECT $3, $1").uses_all);
  CHECK(shape_of("SELECT 'it''s $4', \"$5\", $1").parameters == 1);
  CHECK(shape_of("SELECT 'open").parameters == 0);
}

TEST_CASE("a statement that writes names its table", "[statement]") {
  CHECK_FALSE(shape_of("SELECT a FROM post").writes);
  CHECK(shape_of("insert into post(id) VALUES ($1)").table == "post");
  CHECK(shape_of("UPDATE host SET state = $1").table == "host");
  CHECK(shape_of("DELETE FROM log WHERE seq < $1").table == "log");
  CHECK(shape_of("WITH old AS (SELECT 1) DELETE FROM batch").table == "batch");
  CHECK_FALSE(shape_of("WITH old AS (SELECT 1) SELECT * FROM old").writes);
  CHECK_FALSE(shape_of("CREATE TABLE t(a BIGINT)").writes);
}

TEST_CASE("values must fit the parameters", "[statement]") {
  const auto values = std::vector<sql_value>{1, "two"};
  CHECK_FALSE(check_values(shape_of("SELECT $1, $2"), values));
  CHECK(code_of(check_values(shape_of("SELECT $1"), values)) == errc::storage_refused);
  CHECK(code_of(check_values(shape_of("SELECT $1, $2, $3"), values)) == errc::storage_refused);
  CHECK(code_of(check_values(shape_of("SELECT $2"), values)) == errc::storage_refused);
}

TEST_CASE("text that one of the databases could not keep is refused", "[statement]") {
  for (const auto* kept : {"", "plain", "\xc3\xa9", "\xef\xbf\xbf", "\xf0\x9f\x98\x80",
                           "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(kept);
    CHECK(is_storable(kept));
  }
  for (const auto* refused :
       {"\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80", "\x80", "a\xe2\x82", "\xe2\x28\xa1"}) {
    CAPTURE(refused);
    CHECK_FALSE(is_storable(refused));
  }
  CHECK_FALSE(is_storable(std::string_view{"a\0b", 3}));
  const auto values = std::vector<sql_value>{std::string{"a\0b", 3}};
  CHECK(code_of(check_values(shape_of("SELECT $1"), values)) == errc::invalid);
}
