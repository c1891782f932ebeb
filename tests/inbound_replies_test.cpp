// Replies to posts of ours, passed on to those who follow the author.
#include "actors/inbound_replies.hpp"

#include "kit/inbound_world.hpp"
#include "storage/post_store.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto reply_id = std::string{"https://far.example/notes/1"};
const auto alices_followers = alice_uri + "/followers";

json_object reply_to(post_id answered) {
  return {{"id", reply_id},
          {"type", "Note"},
          {"attributedTo", ann_uri},
          {"content", "<p>yes</p>"},
          {"inReplyTo", alice_uri + "/statuses/" + to_string(answered)},
          {"to", json_array{everyone}},
          {"cc", json_array{ann_uri + "/followers", alices_followers}}};
}

json_object with(json_object document, const char* key, json_value value) {
  document[key] = std::move(value);
  return document;
}

/// Rows that are sent to somebody.
std::vector<sent_row> forwarded(inbound_world& here, std::size_t after) {
  auto rows = here.sent(after);
  std::erase_if(rows, [](const sent_row& row) { return row.body.is_null(); });
  return rows;
}

/// Alice is followed from both hosts.
post_id answered_post(inbound_world& here, visibility seen_by = visibility::everyone) {
  here.follow_from_afar(ben, alice);
  here.follow_from_afar(lone, alice);
  return here.posted(alice, {.text = "ours?", .seen_by = seen_by});
}

} // namespace

TEST_CASE("a reply and what becomes of it is passed on as it came, but not back",
          "[inbound][inbound_replies]") {
  with_inbound([](inbound_world& here) {
    const auto post = answered_post(here);
    const auto sent = static_cast<std::size_t>(here.count("log"));
    auto create = saying("Create", reply_to(post));
    here.hear(ann_uri, create);
    REQUIRE(here.logged.size() == 2);
    CHECK(here.logged[0].author == ann);
    CHECK(here.logged[0].facts);
    auto rows = forwarded(here, sent);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].kind == log_kind::create);
    CHECK(rows[0].signer == alice.value);
    CHECK(rows[0].is_public);
    CHECK(rows[0].ap_id.empty());
    CHECK(rows[0].audience == endpoints{own_endpoint(lone)});
    CHECK(rows[0].extra.empty());
    CHECK(rows[0].at("actor") == ann_uri);
    CHECK(rows[0].at("object.id") == reply_id);
    CHECK(here.logged[1].author == alice);
    CHECK_FALSE(here.logged[1].facts);
    here.ignores("again", ann_uri, create);

    here.hear(ann_uri, saying("Update", with(with(reply_to(post), "content", "no"), "updated",
                                             to_iso8601(here.now() + 1s))));
    here.wait(1min);
    here.hear(ann_uri, saying("Update", with(with(reply_to(post), "content", "no"), "updated",
                                             to_iso8601(here.now()))));
    rows = forwarded(here, sent);
    REQUIRE(rows.size() == 2);
    CHECK(rows[1].kind == log_kind::update);
    CHECK(rows[1].audience == endpoints{own_endpoint(lone)});
    CHECK(rows[1].object_key == rows[0].object_key);

    const auto gone = saying("Delete", reply_id);
    here.hear(ann_uri, gone);
    rows = forwarded(here, sent);
    REQUIRE(rows.size() == 3);
    CHECK(rows[2].kind == log_kind::remove);
    CHECK(rows[2].at("object") == reply_id);
    CHECK(rows[2].audience == endpoints{own_endpoint(lone)});
    CHECK(here.count("post_audience") == 0);
    here.ignores("again", ann_uri, gone);
  });
}

TEST_CASE("a reply is passed on when its author addressed those who follow ours, and may",
          "[inbound][inbound_replies][I7]") {
  struct wanted_reply {
    std::string what;
    visibility answered;
    std::function<json_object(json_object)> change;
    std::size_t forwarded;
  };
  const auto same = [](json_object document) { return document; };
  const auto to_alice = [](json_object document) {
    return with(std::move(document), "tag",
                json_array{json_object{{"type", "Mention"}, {"href", alice_uri}}});
  };
  const auto rows = std::vector<wanted_reply>{
      {"to a public post", visibility::everyone, same, 1},
      {"to an unlisted post", visibility::unlisted, same, 1},
      {"to a post for followers", visibility::followers, same, 1},
      {"to a direct post", visibility::direct, to_alice, 0},
      {"not addressed to them", visibility::everyone,
       [](json_object document) {
         return with(std::move(document), "cc", json_array{ann_uri + "/followers"});
       },
       0},
      {"to another's followers", visibility::everyone,
       [](json_object document) {
         return with(std::move(document), "cc", json_array{bob_uri + "/followers"});
       },
       0},
      {"to no post", visibility::everyone,
       [](json_object document) {
         document["inReplyTo"] = nullptr;
         return with(std::move(document), "tag",
                     json_array{json_object{{"type", "Mention"}, {"href", bob_uri}}});
       },
       0}};
  for (const auto& row : rows)
    with_inbound([&](inbound_world& here) {
      INFO(row.what);
      const auto post = answered_post(here, row.answered);
      const auto sent = static_cast<std::size_t>(here.count("log"));
      here.hear(ann_uri, saying("Create", row.change(reply_to(post))));
      CHECK(here.count("post WHERE author = 20") == 1);
      CHECK(forwarded(here, sent).size() == row.forwarded);
    });
}

TEST_CASE("a public reply that carries a signature of its own is passed on, as Mastodon does",
          "[inbound][inbound_replies][I7]") {
  struct signed_reply {
    std::string what;
    visibility answered;
    json_array to;
    json_value signature;
    std::size_t forwarded;
  };
  const auto proof = json_object{{"type", "RsaSignature2017"}, {"signatureValue", "x"}};
  const auto anns = ann_uri + "/followers";
  const auto rows = std::vector<signed_reply>{
      {"public", visibility::everyone, {everyone}, proof, 1},
      {"to an unlisted post", visibility::unlisted, {everyone}, proof, 1},
      {"for followers", visibility::everyone, {anns}, proof, 0},
      {"direct", visibility::everyone, {alice_uri}, proof, 0},
      {"to a direct post", visibility::direct, {everyone}, proof, 0},
      {"no signature", visibility::everyone, {everyone}, nullptr, 0},
      {"a text for a signature", visibility::everyone, {everyone}, "x", 0}};
  for (const auto& row : rows)
    with_inbound([&](inbound_world& here) {
      INFO(row.what);
      const auto post = answered_post(here, row.answered);
      const auto sent = static_cast<std::size_t>(here.count("log"));
      const auto reply = with(with(reply_to(post), "to", row.to), "cc", json_array{alice_uri});
      here.hear(ann_uri, with(saying("Create", reply), "signature", row.signature));
      CHECK(forwarded(here, sent).size() == row.forwarded);
    });
}

TEST_CASE("a reply that is not public stays that, and goes to followers of the present",
          "[inbound][inbound_replies][I7]") {
  with_inbound([](inbound_world& here) {
    const auto post = answered_post(here);
    const auto sent = static_cast<std::size_t>(here.count("log"));
    auto reply = with(with(reply_to(post), "to", json_array{ann_uri + "/followers", alice_uri}),
                      "cc", json_array{alices_followers});
    here.hear(ann_uri, saying("Create", reply));
    const auto rows = forwarded(here, sent);
    REQUIRE(rows.size() == 1);
    CHECK_FALSE(rows[0].is_public);
    CHECK(rows[0].extra.empty());
  });
}

TEST_CASE("a reply of somebody whom the author blocks is not passed on",
          "[inbound][inbound_replies][A24]") {
  with_inbound([](inbound_world& here) {
    const auto post = answered_post(here);
    must(store_follow(*here.storage.open_writer(), {bob, ann}, {}, true, "f", {}));
    must(here.tell(block_account{alice, ann, {}}));
    const auto sent = static_cast<std::size_t>(here.count("log"));
    here.hear(ann_uri, saying("Create", reply_to(post)));
    CHECK(here.count("post WHERE author = 20") == 1);
    CHECK(forwarded(here, sent).empty());
  });
}

TEST_CASE("without followers from afar, or with those of its own host alone, nothing is passed on",
          "[inbound][inbound_replies]") {
  for (const auto own_host_follows : {false, true})
    with_inbound([&](inbound_world& here) {
      if (own_host_follows)
        here.follow_from_afar(ben, alice);
      const auto post = here.posted(alice, {.text = "ours?"});
      const auto sent = static_cast<std::size_t>(here.count("log"));
      here.hear(ann_uri, saying("Create", reply_to(post)));
      CHECK(here.count("post WHERE author = 20") == 1);
      CHECK(forwarded(here, sent).empty());
    });
}

TEST_CASE("an audience of many endpoints is not made anew for one reply",
          "[inbound][inbound_replies]") {
  with_inbound([](inbound_world& here) {
    const auto post = answered_post(here);
    must(here.storage.open_writer()->transact([&](database& db) {
      for (auto id = std::int64_t{5'000}; id <= 5'000 + std::int64_t{forward_exclusion_max}; ++id)
        must(db.run("INSERT INTO follower_endpoint(author, endpoint_id, n) VALUES (7, $1, 1)",
                    {id}));
      return caf::error{};
    }));
    here.run("UPDATE follower_set SET version = version + 1 WHERE author = 7");
    here.hear(ann_uri, saying("Create", reply_to(post)));
    REQUIRE(here.logged.size() == 2);
    const auto audience = must(endpoints_of(here.db(), here.logged[1].audience));
    CHECK(audience.size() == forward_exclusion_max + 3);
    CHECK(std::ranges::count(audience, shared_endpoint()) == 1);
  });
}
