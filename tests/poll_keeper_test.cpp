// Who is told how a poll of ours stands, and how often.
#include "actors/poll_keeper.hpp"
#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

struct poll_world : federated_world {
  explicit poll_world(open_connection open) : federated_world{std::move(open)} { start_keeper(); }

  void start_keeper() {
    actors.spawn(poll_keeper,
                 poll_keeper_dependencies{.storage = handles,
                                          .domain = "example.org",
                                          .urls = urls_of("example.org"),
                                          .ids = ids,
                                          .clock = actors.clock()},
                 poll_keeper_options{});
  }

  post_id poll_for(visibility seen_by, std::string text = "?") {
    return posted(alice, {.text = std::move(text),
                          .seen_by = seen_by,
                          .poll = poll_draft{.options = {"yes", "no"}, .life = 1h}});
  }

  /// A vote as it stands once it came in.
  void vote_from_afar(account_id who, post_id poll, int choice) {
    run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES (" + to_string(poll) + ", " +
        to_string(who) + ", " + std::to_string(choice) + ")");
    run("INSERT INTO log(seq, at, kind, author, object_key, class, public) SELECT max(seq) + 1, "
        "max(at), 26, " +
        to_string(who) + ", 'v/" + to_string(who) + "/" + to_string(poll) + "', 1, 0 FROM log");
  }

  /// The Updates that were sent.
  std::vector<sent_row> updates() {
    auto rows = sent();
    std::erase_if(rows, [](const sent_row& row) { return row.kind != log_kind::update; });
    return rows;
  }
};

void with_polls(const std::function<void(poll_world&)>& body) {
  on_both([&](test_database& fresh) {
    auto here =
        poll_world{[&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }};
    body(here);
  });
}

} // namespace

TEST_CASE("votes are told of once in a minute, to followers and voters", "[poll_keeper]") {
  with_polls([](poll_world& here) {
    here.follow_from_afar(ann, alice);
    const auto poll = here.poll_for(visibility::everyone);
    here.actors.advance(3min);
    CHECK(here.updates().empty());
    CHECK(code(here.tell(vote_in_poll{bob, poll, {0}, {}})) == errc{});
    CHECK(code(here.tell(vote_in_poll{carol, poll, {1}, {}})) == errc{});
    CHECK(here.updates().empty());
    here.actors.advance(61s);
    REQUIRE(here.updates().size() == 1);
    const auto told = here.updates().front();
    CHECK(told.audience == endpoints{shared_endpoint()});
    CHECK(told.extra.empty());
    CHECK(told.at("type") == "Update");
    CHECK(told.at("id") == told.ap_id);
    CHECK(told.at("object.type") == "Question");
    CHECK(told.at("object.oneOf.0.replies.totalItems") == "1");
    CHECK(told.at("object.oneOf.1.replies.totalItems") == "1");
    CHECK(told.at("object.votersCount") == "2");
    CHECK(told.at("object.updated").empty()); // it is no edit
    CHECK(told.signer == alice.value);

    here.vote_from_afar(lone, poll, 1);
    here.actors.advance(61s);
    REQUIRE(here.updates().size() == 2);
    const auto again = here.updates().back();
    CHECK(again.at("object.votersCount") == "3");
    CHECK(again.extra == endpoints{own_endpoint(lone)});
    here.actors.advance(10min);
    CHECK(here.updates().size() == 2);
  });
}

TEST_CASE("I7: votes in a poll for followers are told to nobody else", "[poll_keeper]") {
  with_polls([](poll_world& here) {
    here.follow_from_afar(ann, alice);
    here.follow_from_afar(ben, alice);
    const auto poll = here.poll_for(visibility::followers);
    const auto direct = here.poll_for(visibility::direct, "@bob");
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc{});
    here.follow_from_afar(lone, alice); // too late for this poll
    here.vote_from_afar(ben, poll, 0);
    here.vote_from_afar(lone, poll, 0);
    CHECK(code(here.tell(vote_in_poll{bob, poll, {0}, {}})) == errc{});
    CHECK(code(here.tell(vote_in_poll{bob, direct, {0}, {}})) == errc{});
    here.actors.advance(61s);
    REQUIRE(here.updates().size() == 1);
    const auto told = here.updates().front();
    CHECK_FALSE(told.is_public);
    CHECK(told.audience == endpoints{shared_endpoint()});
    CHECK(told.extra.empty());
    CHECK(told.at("to.0") == "https://example.org/users/Alice/followers");
  });
}

TEST_CASE("a poll that nobody elsewhere has, that is gone or another's is told of to nobody",
          "[poll_keeper]") {
  with_polls([](poll_world& here) {
    const auto unseen = here.poll_for(visibility::everyone);
    CHECK(code(here.tell(vote_in_poll{bob, unseen, {0}, {}})) == errc{});
    here.actors.advance(61s);
    CHECK(here.updates().empty());
    here.follow_from_afar(ann, alice);
    const auto gone = here.poll_for(visibility::everyone);
    CHECK(code(here.tell(vote_in_poll{bob, gone, {0}, {}})) == errc{});
    CHECK(code(here.tell(delete_post{alice, gone, {}})) == errc{});
    const auto theirs = post_id{77};
    add_remote_post(*here.storage.open_writer(), theirs, ann);
    here.vote_from_afar(lone, theirs, 0);
    here.actors.advance(61s);
    CHECK(here.updates().empty());
  });
}

TEST_CASE("votes from just before a crash are told of after it", "[poll_keeper]") {
  with_polls([](poll_world& here) {
    here.follow_from_afar(ann, alice);
    const auto old = here.poll_for(visibility::everyone);
    CHECK(code(here.tell(vote_in_poll{bob, old, {0}, {}})) == errc{});
    here.actors.advance(5min);
    CHECK(here.updates().size() == 1);
    const auto poll = here.poll_for(visibility::everyone);
    CHECK(code(here.tell(vote_in_poll{bob, poll, {0}, {}})) == errc{});
    here.kill_and_restart();
    here.start_keeper();
    here.actors.advance(61s);
    REQUIRE(here.updates().size() == 2); // what is old is not told of again
    CHECK(here.updates().back().at("object.id") ==
          "https://example.org/users/Alice/statuses/" + to_string(poll));
  });
}
