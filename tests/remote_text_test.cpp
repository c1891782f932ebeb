#include "protocol/remote_text.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("A96: text that turns its direction is told as it is read", "[remote_text][A96]") {
  CHECK(clean_text("ab\u202Etxt.exe\u202C", 100) == "abtxt.exe");
  CHECK(clean_text("\u2066a\u2069\u200F\u061C", 100) == "a");
  CHECK(clean_text("a\nb\tc\x01\x7f", 100) == "a b c");
  CHECK(clean_text("שלום e\u0301 👩‍👩‍👧", 100) ==
        "שלום e\u0301 👩‍👩‍👧");
}

TEST_CASE("A96: marks heaped on a letter end", "[remote_text][A96]") {
  auto heap = std::string{"a"};
  for (auto i = 0; i < 500; ++i)
    heap += "\u0300";
  CHECK(clean_text(heap + "b", 10'000) == "a\u0300\u0300\u0300\u0300b");
}

TEST_CASE("A84: text is cut between characters", "[remote_text][A84]") {
  CHECK(clean_text("aéé", 4) == "aé");
  CHECK(clean_text(std::string(1'000'000, 'x'), 2'048).size() == 2'048);
  CHECK(clean_text("", 4).empty());
}

TEST_CASE("A97: names of other servers' accounts are ASCII words", "[remote_text][A97]") {
  for (const auto* name : {"alice", "Alice_1", "a.b-c", "_"})
    CHECK(is_remote_name(name));
  for (const auto* name : {"", "a b", "a@b", ".a", "a.", "-a", "аlice", "a/b", "a\n", "<b>"})
    CHECK_FALSE(is_remote_name(name));
  CHECK_FALSE(is_remote_name(std::string(256, 'a')));
}
