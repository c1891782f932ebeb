#include "storage/interaction_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto one = post_id{100};
const auto now = from_micros(1'000'000'000'000);

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

void add_poll(database& db, bool multiple) {
  must(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at)"
              " VALUES (100, '[\"a\",\"b\",\"c\"]', $1, 0, $2)",
              {multiple, now + 1h}));
}

std::string why(const caf::error& failure) {
  CHECK(code_of(failure) == errc::invalid);
  return context_of(failure);
}

} // namespace

TEST_CASE("favourites and bookmarks are made and taken back once", "[interaction_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(store_favourite(db, alice, one, now, "https://a/users/alice#like/1")));
    CHECK_FALSE(must(store_favourite(db, alice, one, now + 1s, "https://a/users/alice#like/2")));
    CHECK(must(favourite_uri(db, alice, one)) == "https://a/users/alice#like/1");
    CHECK(must(store_favourite(db, bob, one, now)));
    CHECK(must(favourite_uri(db, bob, one)).empty());
    CHECK(must(erase_favourite(db, alice, one)));
    CHECK_FALSE(must(erase_favourite(db, alice, one)));
    CHECK(must(favourite_uri(db, alice, one)).empty());
    CHECK(must(store_bookmark(db, alice, one, now)));
    CHECK_FALSE(must(store_bookmark(db, alice, one, now)));
    CHECK(must(erase_bookmark(db, alice, one)));
    CHECK_FALSE(must(erase_bookmark(db, alice, one)));
    CHECK(kit::rows_of(db.run("SELECT account_id FROM favourite")) == lines{"8"});
  });
}

TEST_CASE("an account pins five posts and no more", "[interaction_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    for (auto id = std::int64_t{1}; id <= pins_max; ++id)
      CHECK(must(store_pin(db, alice, {id}, now)));
    CHECK_FALSE(must(store_pin(db, alice, {1}, now))); // pinned already, and no sixth
    CHECK(why(error_of(store_pin(db, alice, {6}, now))) ==
          "Validation failed: You have already pinned the maximum number of posts");
    CHECK(must(store_pin(db, bob, {6}, now)));
    CHECK(must(erase_pin(db, alice, {1})));
    CHECK_FALSE(must(erase_pin(db, alice, {1})));
    CHECK(must(store_pin(db, alice, {6}, now)));
  });
}

TEST_CASE("A56: a vote counts once, for an option that is there, while the poll runs",
          "[interaction_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(code_of(store_vote(db, one, alice, 0, now)) == errc::not_found);
    add_poll(db, false);
    CHECK(why(store_vote(db, one, alice, 3, now)) ==
          "Validation failed: The chosen vote option does not exist");
    CHECK(why(store_vote(db, one, alice, -1, now)) ==
          "Validation failed: The chosen vote option does not exist");
    CHECK(why(store_vote(db, one, alice, 0, now + 1h)) ==
          "Validation failed: The poll has already ended");
    must(store_vote(db, one, alice, 1, now + 59min));
    CHECK(why(store_vote(db, one, alice, 1, now)) ==
          "Validation failed: You have already voted on this poll");
    CHECK(why(store_vote(db, one, alice, 2, now)) ==
          "Validation failed: You have already voted on this poll");
    must(store_vote(db, one, bob, 2, now));
    const auto poll = must(find_poll(db, one, alice, now));
    CHECK(poll.options == lines{"a", "b", "c"});
    CHECK(poll.own == std::vector<std::int64_t>{1});
    CHECK_FALSE(poll.multiple);
    CHECK_FALSE(poll.ended);
    CHECK(must(find_poll(db, one, alice, now + 1h)).ended);
    CHECK(kit::rows_of(db.run("SELECT account_id, choice FROM poll_vote ORDER BY account_id")) ==
          lines{"7|1", "8|2"});
  });
}

TEST_CASE("A56: where several may be chosen each counts once", "[interaction_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_poll(db, true);
    must(store_vote(db, one, alice, 0, now));
    must(store_vote(db, one, alice, 2, now));
    CHECK(code_of(store_vote(db, one, alice, 2, now)) == errc::invalid);
    CHECK(must(find_poll(db, one, alice, now)).own == std::vector<std::int64_t>{0, 2});
  });
}

TEST_CASE("operations of the interaction store fail as a whole", "[interaction_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_poll(db, false);
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return error_of(store_favourite(open, alice, one, now, "u")); });
    walk([](database& open) { return error_of(favourite_uri(open, alice, one)); });
    walk([](database& open) { return error_of(erase_favourite(open, alice, one)); });
    walk([](database& open) { return error_of(store_bookmark(open, alice, one, now)); });
    walk([](database& open) { return error_of(erase_bookmark(open, alice, one)); });
    walk([](database& open) { return error_of(store_pin(open, alice, one, now)); });
    walk([](database& open) { return error_of(erase_pin(open, alice, one)); });
    walk([](database& open) { return store_vote(open, one, alice, 0, now); });
    walk([](database& open) { return error_of(find_poll(open, one, alice, now)); });
  });
}
