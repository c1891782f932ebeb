#include "protocol/home.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto viewer = account_id{1};
constexpr auto friend_ = account_id{2};
constexpr auto other_friend = account_id{3};
constexpr auto stranger = account_id{4};
constexpr auto now = time_point{1000s};

viewer_graph graph_of_viewer() {
  return {.viewer = viewer, .followees = {{friend_}, {other_friend}}};
}

post_facts post_by(account_id author) {
  return {.id = {100}, .author = author};
}

post_facts reply_by(account_id author, account_id answered) {
  return {.id = {100}, .author = author, .reply_to = {50}, .reply_author = answered};
}

post_facts boost_by(account_id author, account_id boosted) {
  return {.id = {100}, .author = author, .boost_of = {50}, .boost_author = boosted};
}

bool belongs(const viewer_graph& graph, const post_facts& facts) {
  return belongs_in_home(graph, facts, now);
}

} // namespace

TEST_CASE("home holds own posts and those of followees, and no stranger's", "[home]") {
  const auto graph = graph_of_viewer();
  CHECK(belongs(graph, post_by(viewer)));
  CHECK(belongs(graph, reply_by(viewer, stranger)));
  CHECK(belongs(graph, post_by(friend_)));
  CHECK_FALSE(belongs(graph, post_by(stranger)));
}

TEST_CASE("home shows followers-only posts to followers alone", "[home]") {
  auto post = post_by(friend_);
  post.seen_by = visibility::followers;
  CHECK(belongs(graph_of_viewer(), post));
  post.author = stranger;
  post.mentions = {viewer};
  CHECK_FALSE(belongs(graph_of_viewer(), post));
}

TEST_CASE("home shows a direct post to who is named and follows", "[home]") {
  auto post = post_by(friend_);
  post.seen_by = visibility::direct;
  CHECK_FALSE(belongs(graph_of_viewer(), post));
  post.mentions = {viewer, stranger};
  CHECK(belongs(graph_of_viewer(), post));
  post.author = stranger;
  CHECK_FALSE(belongs(graph_of_viewer(), post));
  post.author = viewer;
  post.mentions = {stranger};
  CHECK(belongs(graph_of_viewer(), post));
}

TEST_CASE("home hides whom the viewer blocks or mutes, and who blocks the viewer", "[home]") {
  auto graph = graph_of_viewer();
  SECTION("blocked") {
    graph.blocked = {friend_};
    CHECK_FALSE(belongs(graph, post_by(friend_)));
    CHECK_FALSE(belongs(graph, boost_by(other_friend, friend_)));
  }
  SECTION("muted") {
    graph.muted = {{friend_, std::nullopt}};
    CHECK_FALSE(belongs(graph, post_by(friend_)));
    CHECK_FALSE(belongs(graph, boost_by(other_friend, friend_)));
  }
  SECTION("blocking") {
    graph.blocking = {friend_};
    CHECK_FALSE(belongs(graph, post_by(friend_)));
    CHECK_FALSE(belongs(graph, boost_by(other_friend, friend_)));
  }
  CHECK(belongs(graph, post_by(other_friend)));
}

TEST_CASE("home hides posts and boosts that name somebody blocked or muted", "[home]") {
  auto graph = graph_of_viewer();
  auto post = post_by(friend_);
  auto boost = boost_by(friend_, account_id{9});
  post.mentions = boost.mentions = {other_friend, stranger};
  CHECK(belongs(graph, post));
  CHECK(belongs(graph, boost));
  SECTION("blocked") {
    graph.blocked = {stranger};
  }
  SECTION("muted") {
    graph.muted = {{stranger, std::nullopt}};
  }
  CHECK_FALSE(belongs(graph, post));
  CHECK_FALSE(belongs(graph, boost));
  // An edit may take the name out of the boosted post, and changes nothing else of a boost.
  CHECK_FALSE(may_belong_in_home(graph, post, now));
  CHECK(may_belong_in_home(graph, boost, now));
  post.author = boost.author = viewer;
  CHECK(belongs(graph, post));
  CHECK(belongs(graph, boost));
}

TEST_CASE("a mute ends at its time", "[home]") {
  auto graph = graph_of_viewer();
  graph.muted = {{friend_, now + 10s}, {other_friend, now + 5s}, {stranger, now - 1s}};
  CHECK_FALSE(belongs_in_home(graph, post_by(friend_), now + 9s));
  CHECK(belongs_in_home(graph, post_by(friend_), now + 10s));
  CHECK(graph.changes_at(now) == now + 5s);
  CHECK(graph.changes_at(now + 5s) == now + 10s);
  CHECK_FALSE(graph.changes_at(now + 10s));
}

TEST_CASE("home shows boosts of strangers, unless the follow hides boosts", "[home]") {
  auto graph = graph_of_viewer();
  CHECK(belongs(graph, boost_by(friend_, stranger)));
  CHECK(belongs(graph, boost_by(friend_, viewer)));
  CHECK_FALSE(belongs(graph, boost_by(stranger, friend_)));
  graph.followees[0].show_boosts = false;
  CHECK_FALSE(belongs(graph, boost_by(friend_, stranger)));
  CHECK(belongs(graph, boost_by(other_friend, stranger)));
  CHECK(belongs(graph, post_by(friend_)));
}

TEST_CASE("home shows replies to the viewer, the author and followees", "[home]") {
  const auto graph = graph_of_viewer();
  CHECK(belongs(graph, reply_by(friend_, viewer)));
  CHECK(belongs(graph, reply_by(friend_, friend_)));
  CHECK(belongs(graph, reply_by(friend_, other_friend)));
  CHECK_FALSE(belongs(graph, reply_by(friend_, stranger)));
  CHECK_FALSE(belongs(graph, reply_by(stranger, viewer)));
}

TEST_CASE("home hides a reply to a post nobody knows", "[home]") {
  CHECK_FALSE(belongs(graph_of_viewer(), reply_by(friend_, account_id{})));
}

TEST_CASE("home keeps to the languages of a follow; an unknown one and boosts pass", "[home]") {
  auto graph = graph_of_viewer();
  graph.languages = {{friend_, {"de", "fr"}}};
  auto post = post_by(friend_);
  CHECK(belongs(graph, post));
  post.language = "fr";
  CHECK(belongs(graph, post));
  post.language = "en";
  CHECK_FALSE(belongs(graph, post));
  post.author = other_friend;
  CHECK(belongs(graph, post));
  auto boost = boost_by(friend_, stranger);
  boost.language = "en";
  CHECK(belongs(graph, boost));
}

TEST_CASE("home_of orders by id, newest first, each once, within the limit", "[home]") {
  auto posts = std::vector<post_facts>{};
  for (const auto id : {5, 9, 7, 9, 6, 8})
    posts.push_back({.id = {id}, .author = friend_});
  posts.push_back({.id = {10}, .author = stranger});
  CHECK(home_of(graph_of_viewer(), posts, now) == std::vector<post_id>{{9}, {8}, {7}, {6}, {5}});
  CHECK(home_of(graph_of_viewer(), posts, now, 2) == std::vector<post_id>{{9}, {8}});
}
