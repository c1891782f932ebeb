#include "protocol/errc.hpp"
#include "protocol/password.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("a password is stored as argon2id and found again", "[password]") {
  const auto hash = hash_password("correct horse");
  REQUIRE(hash);
  CHECK(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(hash->find('\0') == std::string::npos);
  CHECK(verify_password("correct horse", *hash));
  CHECK_FALSE(verify_password("correct horsf", *hash));
  CHECK_FALSE(verify_password("", *hash));
}

TEST_CASE("the same password gives another hash each time", "[password]") {
  CHECK(*hash_password("x") != *hash_password("x"));
}

TEST_CASE("passwords out of bounds are refused", "[password]") {
  CHECK(code_of(hash_password("").error()) == errc::invalid);
  CHECK(hash_password(std::string(password_bytes_max, 'x')));
  CHECK(code_of(hash_password(std::string(password_bytes_max + 1, 'x')).error()) == errc::invalid);
  CHECK_FALSE(verify_password(std::string(password_bytes_max + 1, 'x'), ""));
}

TEST_CASE("a broken hash is nobody's", "[password]") {
  CHECK_FALSE(verify_password("x", ""));
  CHECK_FALSE(verify_password("x", "x"));
  CHECK_FALSE(verify_password("x", "$argon2id$"));
}
