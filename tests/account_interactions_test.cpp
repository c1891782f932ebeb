// Boosts, favourites, bookmarks, pins and votes: what they store, send and tell.
#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto alice_uri = std::string{"https://example.org/users/Alice"};
constexpr auto far_post = post_id{100};

std::string n(post_id id) {
  return to_string(id);
}

void add_far_post(federated_world& here, int seen_by = 1) {
  add_remote_post(*here.storage.open_writer(), far_post, ann, seen_by);
}

} // namespace

TEST_CASE("a boost is announced to followers and author, and taken back to both",
          "[account_interactions]") {
  with_federation([](federated_world& here) {
    add_far_post(here);
    here.follow_from_afar(lone, alice);
    const auto boost =
        must(here.ask<post_id>(boost_post{alice, far_post, visibility::everyone, {}}));
    auto row = here.last();
    CHECK(row.kind == log_kind::announce);
    CHECK(row.cls == delivery_class::bulk);
    CHECK(row.is_public);
    CHECK(row.signer == alice.value);
    CHECK(row.audience == endpoints{own_endpoint(lone)});
    CHECK(row.extra == endpoints{shared_endpoint()});
    CHECK(row.at("id") == alice_uri + "/statuses/" + n(boost) + "/activity");
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("type") == "Announce");
    CHECK(row.at("object") == "https://far.example/posts/100");
    CHECK(row.at("cc") == "[\"" + alice_uri + "/followers\",\"https://far.example/ann\"]");
    const auto announced = row.ap_id;
    must(here.ask<post_id>(boost_post{alice, far_post, visibility::everyone, {}}));
    CHECK(here.count("log") == 1);

    CHECK(code(here.tell(unboost_post{alice, far_post, {}})) == errc{});
    CHECK(code(here.tell(unboost_post{alice, far_post, {}})) == errc{});
    CHECK(here.count("log") == 2);
    row = here.last();
    CHECK(row.kind == log_kind::undo_announce);
    CHECK(row.is_public);
    CHECK(row.audience == endpoints{own_endpoint(lone)});
    CHECK(row.extra == endpoints{shared_endpoint()});
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("type") == "Undo");
    CHECK(row.at("object.id") == announced);
    CHECK(row.at("object.type") == "Announce");
    CHECK(row.at("object.object") == "https://far.example/posts/100");
  });
}

TEST_CASE("the author of ours is told of boost and favourite while they last",
          "[account_interactions][I16]") {
  with_federation([](federated_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    must(here.ask<post_id>(boost_post{alice, id, visibility::everyone, {}}));
    CHECK(code(here.tell(favourite_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(favourite_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(favourite_post{alice, id, {}})) == errc{});
    CHECK(here.told() == lines{"7|2|8|" + n(id), "7|3|8|" + n(id)});
    CHECK(code(here.tell(unfavourite_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(unboost_post{bob, id, {}})) == errc{});
    CHECK(here.told().empty());
    const auto kinds = here.log("kind, object_key");
    CHECK(std::ranges::count(kinds, "6|l/8/" + n(id)) == 1);
    CHECK(std::ranges::count(kinds, "7|l/8/" + n(id)) == 1);
    CHECK(here.sent().back().body.is_null());
  });
}

TEST_CASE("a favourite is a Like to its author, and its Undo names that Like",
          "[account_interactions]") {
  with_federation([](federated_world& here) {
    add_far_post(here);
    here.follow_from_afar(lone, alice);
    CHECK(code(here.tell(favourite_post{alice, far_post, {}})) == errc{});
    auto row = here.last();
    CHECK(row.kind == log_kind::like);
    CHECK(row.cls == delivery_class::bulk);
    CHECK(row.object_key == "l/7/100");
    CHECK(row.audience.empty());
    CHECK(row.extra == endpoints{own_endpoint(ann)});
    CHECK(row.at("type") == "Like");
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("actor") == alice_uri);
    CHECK(row.at("object") == "https://far.example/posts/100");
    const auto like = row.ap_id;
    const auto before = here.written();
    CHECK(code(here.tell(favourite_post{alice, far_post, {}})) == errc{});
    CHECK(here.written() - before <= 1); // PostgreSQL notes the batch
    CHECK(code(here.tell(unfavourite_post{alice, far_post, {}})) == errc{});
    CHECK(code(here.tell(unfavourite_post{alice, far_post, {}})) == errc{});
    CHECK(here.count("log") == 2);
    row = here.last();
    CHECK(row.kind == log_kind::undo_like);
    CHECK(row.extra == endpoints{own_endpoint(ann)});
    CHECK(row.at("type") == "Undo");
    CHECK(row.at("object.id") == like);
    CHECK(row.at("object.type") == "Like");
    CHECK(row.at("object.object") == "https://far.example/posts/100");
    CHECK(code(here.tell(favourite_post{alice, far_post, {}})) == errc{});
    CHECK(here.last().ap_id != like);
  });
}

TEST_CASE("what may not be seen is neither liked nor kept, but can be let go",
          "[account_interactions][I7]") {
  with_federation([](federated_world& here) {
    const auto id = here.posted(alice, {.text = "hi", .seen_by = visibility::followers});
    CHECK(code(here.tell(favourite_post{bob, id, {}})) == errc::not_found);
    CHECK(code(here.tell(unfavourite_post{bob, id, {}})) == errc::not_found);
    CHECK(code(here.tell(bookmark_post{bob, id, true, {}})) == errc::not_found);
    CHECK(code(here.tell(bookmark_post{bob, id, false, {}})) == errc::not_found);
    CHECK(code(here.tell(favourite_post{bob, post_id{5}, {}})) == errc::not_found);
    CHECK(here.count("favourite") == 0);
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc{});
    CHECK(code(here.tell(favourite_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(bookmark_post{bob, id, true, {}})) == errc{});
    CHECK(code(here.tell(unfollow_account{bob, alice, {}})) == errc{});
    CHECK(code(here.tell(unfavourite_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(bookmark_post{bob, id, false, {}})) == errc{});
    CHECK(here.count("favourite") == 0);
    CHECK(here.count("bookmark") == 0);
  });
}

TEST_CASE("a boost stands for what it boosts", "[account_interactions]") {
  with_federation([](federated_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    const auto boost = must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    CHECK(code(here.tell(favourite_post{carol, boost, {}})) == errc{});
    CHECK(code(here.tell(bookmark_post{carol, boost, true, {}})) == errc{});
    CHECK(here.all("SELECT post_id FROM favourite") == lines{n(id)});
    CHECK(here.all("SELECT post_id FROM bookmark") == lines{n(id)});
    CHECK(code(here.tell(unfavourite_post{carol, boost, {}})) == errc{});
    CHECK(here.count("favourite") == 0);
  });
}

TEST_CASE("a bookmark stays on this server", "[account_interactions]") {
  with_federation([](federated_world& here) {
    add_far_post(here);
    CHECK(code(here.tell(bookmark_post{alice, far_post, true, {}})) == errc{});
    CHECK(code(here.tell(bookmark_post{alice, far_post, true, {}})) == errc{});
    CHECK(here.all("SELECT account_id, post_id FROM bookmark") == lines{"7|100"});
    CHECK(code(here.tell(bookmark_post{alice, far_post, false, {}})) == errc{});
    CHECK(here.count("bookmark") == 0);
    CHECK(here.count("log") == 0);
  });
}

TEST_CASE("own posts are pinned, and the followers hear of it", "[account_interactions]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    const auto id = here.posted(alice, {.text = "hi"});
    const auto letter = here.posted(alice, {.text = "@bob", .seen_by = visibility::direct});
    const auto other = here.posted(bob, {.text = "other"});
    const auto boost = must(here.ask<post_id>(boost_post{alice, other, visibility::everyone, {}}));
    const auto says = [&](post_id post) {
      const auto failure = here.tell(pin_post{alice, post, true, {}});
      CHECK(code(failure) == errc::invalid);
      return context_of(failure);
    };
    CHECK(says(boost) == "Validation failed: A boost cannot be pinned");
    CHECK(says(other) == "Validation failed: Someone else's post cannot be pinned");
    CHECK(says(letter) ==
          "Validation failed: Posts that are only visible to mentioned users cannot be pinned");
    CHECK(code(here.tell(pin_post{alice, post_id{5}, true, {}})) == errc::not_found);
    const auto rows = here.count("log");
    CHECK(code(here.tell(pin_post{alice, id, true, {}})) == errc{});
    CHECK(code(here.tell(pin_post{alice, id, true, {}})) == errc{});
    CHECK(here.count("log") == rows + 1);
    auto row = here.last();
    CHECK(row.kind == log_kind::pin);
    CHECK(row.cls == delivery_class::bulk);
    CHECK(row.is_public);
    CHECK(row.object_key == "n/7/" + n(id));
    CHECK(row.audience == endpoints{shared_endpoint()});
    CHECK(row.at("type") == "Add");
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("object") == alice_uri + "/statuses/" + n(id));
    CHECK(row.at("target") == alice_uri + "/collections/featured");
    CHECK(code(here.tell(pin_post{alice, id, false, {}})) == errc{});
    CHECK(code(here.tell(pin_post{alice, id, false, {}})) == errc{});
    CHECK(here.count("log") == rows + 2);
    row = here.last();
    CHECK(row.kind == log_kind::unpin);
    CHECK(row.at("type") == "Remove");
    CHECK(row.at("target") == alice_uri + "/collections/featured");

    for (auto i = 0; i < 5; ++i)
      CHECK(code(here.tell(pin_post{alice, here.posted(alice, {.text = "x"}), true, {}})) ==
            errc{});
    CHECK(says(id) == "Validation failed: You have already pinned the maximum number of posts");
    const auto closed = here.posted(bob, {.text = "c", .seen_by = visibility::followers});
    CHECK(code(here.tell(pin_post{bob, closed, true, {}})) == errc{});
    CHECK_FALSE(here.last().is_public);
  });
}

TEST_CASE("A56: a vote in a poll of ours counts once", "[account_interactions]") {
  with_federation([](federated_world& here) {
    const auto id = here.posted(
        alice, {.text = "which?", .poll = poll_draft{.options = {"a", "b", "c"}, .life = 1h}});
    const auto vote = [&](account_id who, std::vector<std::int64_t> choices) {
      const auto failure = here.tell(vote_in_poll{who, id, std::move(choices), {}});
      return failure ? context_of(failure) : std::string{};
    };
    CHECK(vote(alice, {0}) == "Validation failed: You cannot vote in your own polls");
    CHECK(vote(bob, {}) == "Validation failed: Choices can't be blank");
    CHECK(vote(bob, {3}) == "Validation failed: The chosen vote option does not exist");
    CHECK(vote(bob, {0, 1}) == "Validation failed: You have already voted on this poll");
    CHECK(here.count("poll_vote") == 0); // nothing of it stays
    CHECK(vote(bob, {1}).empty());
    CHECK(here.last().kind == log_kind::vote);
    CHECK(here.last().object_key == "v/8/" + n(id));
    CHECK(here.last().body.is_null());
    CHECK(vote(bob, {1}) == "Validation failed: You have already voted on this poll");
    CHECK(here.all("SELECT account_id, choice FROM poll_vote") == lines{"8|1"});
    here.actors.advance(1h);
    CHECK(vote(carol, {1}) == "Validation failed: The poll has already ended");
    CHECK(code(here.tell(block_account{alice, carol, {}})) == errc{});
    CHECK(code(here.tell(vote_in_poll{carol, id, {1}, {}})) == errc::not_found);
    const auto plain = here.posted(alice, {.text = "no poll"});
    CHECK(code(here.tell(vote_in_poll{bob, plain, {0}, {}})) == errc::not_found);
  });
}

TEST_CASE("a vote in a poll elsewhere is a note per choice to its author",
          "[account_interactions]") {
  with_federation([](federated_world& here) {
    add_far_post(here);
    here.follow_from_afar(lone, alice);
    here.run("INSERT INTO poll(post_id, options, multiple, hide_totals)"
             " VALUES (100, '[\"red\",\"green\",\"blue\"]', 1, 0)");
    CHECK(code(here.tell(vote_in_poll{alice, far_post, {0, 2}, {}})) == errc{});
    const auto rows = here.sent();
    REQUIRE(rows.size() == 2);
    for (const auto& row : rows) {
      CHECK(row.kind == log_kind::vote);
      CHECK(row.cls == delivery_class::direct);
      CHECK_FALSE(row.is_public);
      CHECK(row.audience.empty());
      CHECK(row.extra == endpoints{own_endpoint(ann)});
      CHECK(row.at("id") == row.ap_id);
      CHECK(row.at("type") == "Create");
      CHECK(row.at("to") == "[\"https://far.example/ann\"]");
      CHECK(row.at("object.inReplyTo") == "https://far.example/posts/100");
    }
    CHECK(rows[0].at("object.name") == "red");
    CHECK(rows[1].at("object.name") == "blue");
    CHECK(rows[0].ap_id != rows[1].ap_id);
    CHECK(code(here.tell(vote_in_poll{alice, far_post, {2}, {}})) == errc::invalid);
    CHECK(here.count("log") == 2);
    CHECK(here.all("SELECT choice FROM poll_vote ORDER BY choice") == lines{"0", "2"});
  });
}
