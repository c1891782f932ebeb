// What accounts say of themselves to other servers: profile, key, move; and reports.
#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto alice_uri = std::string{"https://example.org/users/Alice"};

errc change(federated_world& here, profile_changes changes) {
  return code(here.tell(change_profile{alice, std::move(changes), {}}));
}

} // namespace

TEST_CASE("a changed profile reaches the followers, the same again nobody", "[account_profile]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    here.run("UPDATE account SET public_key = 'PEM' WHERE id = 7");
    CHECK(change(here, {.display_name = "Alice A.", .note = "hi", .fields = {{{"site", "a.b"}}}}) ==
          errc{});
    auto row = here.last();
    CHECK(row.kind == log_kind::update_actor);
    CHECK(row.cls == delivery_class::direct);
    CHECK(row.is_public);
    CHECK(row.object_key == "u/0/7");
    CHECK(row.audience == endpoints{shared_endpoint()});
    CHECK(row.signer == alice.value);
    CHECK(row.at("type") == "Update");
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("object.id") == alice_uri);
    CHECK(row.at("object.name") == "Alice A.");
    CHECK(row.at("object.summary") == "<p>hi</p>");
    CHECK(row.at("object.attachment.0.name") == "site");
    CHECK(row.at("object.publicKey.publicKeyPem") == "PEM");
    const auto before = here.written();
    CHECK(change(here, {.display_name = "Alice A.", .note = "hi", .fields = {{{"site", "a.b"}}}}) ==
          errc{});
    CHECK(here.written() - before <= 1); // PostgreSQL notes the batch
    CHECK(change(here, {.locked = true, .bot = true, .discoverable = true}) == errc{});
    CHECK(here.last().at("object.manuallyApprovesFollowers") == "true");
    CHECK(here.last().at("object.type") == "Service");
    CHECK(here.count("log") == 2);
    CHECK(change(here, {.default_visibility = visibility::unlisted,
                        .default_sensitive = true,
                        .default_language = "de"}) == errc{});
    CHECK(here.count("log") == 2); // nobody else sees it
    CHECK(here.all("SELECT default_visibility, default_sensitive, default_language, locked"
                   " FROM account WHERE id = 7") == lines{"2|1|de|1"});
    CHECK(change(here, {.aliases = {{"https://far.example/ann"}}}) == errc{});
    CHECK(here.last().at("object.alsoKnownAs.0") == "https://far.example/ann");
  });
}

TEST_CASE("a profile outside its limits is refused whole", "[account_profile]") {
  with_federation([](federated_world& here) {
    const auto long_text = [](std::size_t size) { return std::string(size, 'a'); };
    CHECK(change(here, {.display_name = long_text(30)}) == errc{});
    CHECK(change(here, {.display_name = long_text(31)}) == errc::invalid);
    CHECK(change(here, {.display_name = "a\xff"}) == errc::invalid);
    CHECK(change(here, {.note = long_text(500)}) == errc{});
    CHECK(change(here, {.note = long_text(501)}) == errc::invalid);
    CHECK(change(here, {.fields = {{{"a", "b"}, {"", ""}, {"c", "d"}, {"e", "f"}, {"g", "h"}}}}) ==
          errc::invalid);
    CHECK(change(here, {.fields = {{{"a", long_text(256)}}}}) == errc::invalid);
    CHECK(change(here, {.default_visibility = visibility::direct}) == errc::invalid);
    CHECK(change(here, {.default_language = "x'--"}) == errc::invalid);
    CHECK(change(here, {.aliases = {{"javascript:alert(1)"}}}) == errc::invalid);
    CHECK(change(here, {.aliases = std::vector<std::string>(11, "https://a.example/x")}) ==
          errc::invalid);
    CHECK(here.count("log") == 2);
    CHECK(change(here, {.fields = {{{"", " "}, {"a", "b"}}}}) == errc{}); // an empty one is none
    CHECK(here.all("SELECT fields FROM account WHERE id = 7") ==
          lines{R"([{"name":"a","value":"b"}])"});
  });
}

TEST_CASE("A54: an account moves to one that names it, once in seven days", "[account_profile]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(lone, alice);
    const auto move = [&](account_id target) {
      return code(here.tell(move_account{alice, target, {}}));
    };
    CHECK(move(ann) == errc::invalid);
    CHECK(move(alice) == errc::invalid);
    CHECK(move(account_id{99}) == errc::not_found);
    here.run("UPDATE account SET aliases = '[\"https://example.org/users/Alice\"]'"
             " WHERE id IN (20, 21)");
    here.run("UPDATE account SET moved_to = 21 WHERE id = 20"); // a chain
    CHECK(move(ann) == errc::invalid);
    here.run("UPDATE account SET moved_to = NULL WHERE id = 20");
    CHECK(here.count("log") == 0);
    CHECK(move(ann) == errc{});
    CHECK(move(ann) == errc{});
    CHECK(move(ben) == errc::invalid);
    const auto rows = here.sent();
    REQUIRE(rows.size() == 2);
    for (const auto& row : rows) {
      CHECK(row.cls == delivery_class::direct);
      CHECK(row.audience == endpoints{own_endpoint(lone)});
      CHECK(row.at("id") == row.ap_id);
    }
    CHECK(rows[0].kind == log_kind::update_actor);
    CHECK(rows[0].at("object.movedTo") == "https://far.example/ann");
    CHECK(rows[1].kind == log_kind::move_account);
    CHECK(rows[1].at("type") == "Move");
    CHECK(rows[1].at("object") == alice_uri);
    CHECK(rows[1].at("target") == "https://far.example/ann");
    here.actors.advance(24h * 7);
    CHECK(move(ben) == errc{});
  });
}

TEST_CASE("a new key is reported by the old one, which is kept for a day", "[account_profile]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    const auto rotate = [&](std::string pem) {
      return code(here.tell(rotate_key{alice, pem, "sealed " + pem, {}}));
    };
    CHECK(rotate("first") == errc{}); // there was none before
    CHECK(here.count("retired_key") == 0);
    CHECK(rotate("second") == errc{});
    CHECK(rotate("second") == errc{});
    CHECK(here.count("log") == 2);
    const auto row = here.last();
    CHECK(row.kind == log_kind::rotate_key);
    CHECK(row.cls == delivery_class::direct);
    CHECK(row.audience == endpoints{shared_endpoint()});
    CHECK(row.at("type") == "Update");
    CHECK(row.at("object.publicKey.publicKeyPem") == "second");
    const auto kept = must(here.db().run("SELECT private_key, until FROM retired_key")).rows;
    REQUIRE(kept.size() == 1);
    CHECK(kept[0][0].bytes() == "sealed first");
    CHECK(kept[0][1].time() - here.actors.now() <= 24h);
    CHECK(must(here.db().run("SELECT private_key FROM account WHERE id = 7")).rows[0][0].bytes() ==
          "sealed second");
  });
}

TEST_CASE("a report is kept here, and sent on when that is wanted", "[account_profile]") {
  with_federation([](federated_world& here) {
    add_remote_post(*here.storage.open_writer(), post_id{100}, ann);
    const auto report = [&](report_account wish) {
      wish.account = alice;
      return here.ask<std::int64_t>(wish);
    };
    CHECK(code(report({.target = account_id{99}})) == errc::not_found);
    CHECK(code(report({.target = ben, .posts = {post_id{100}}})) == errc::not_found);
    CHECK(code(report({.target = ann, .category = "boring"})) == errc::invalid);
    CHECK(code(report({.target = ann, .comment = std::string(1'001, 'a')})) == errc::invalid);
    CHECK(code(report({.target = ann, .posts = std::vector(101, post_id{100})})) == errc::invalid);
    CHECK(here.count("report") == 0);
    must(report({.target = ann, .comment = "rude"}));
    must(report({.target = bob, .forward = true})); // ours: nowhere to send it
    CHECK(here.count("log") == 0);
    const auto id = must(report({.target = ann,
                                 .posts = {post_id{100}},
                                 .comment = "rude",
                                 .category = "spam",
                                 .forward = true}));
    CHECK(here.all("SELECT category, forwarded, post_ids FROM report WHERE id = " +
                   std::to_string(id)) == lines{"spam|1|[100]"});
    CHECK(here.all("SELECT forwarded FROM report WHERE target = 8") == lines{"0"});
    const auto row = here.last();
    CHECK(row.kind == log_kind::flag);
    CHECK(row.cls == delivery_class::direct);
    CHECK_FALSE(row.is_public);
    CHECK(row.object_key == "r/7/20");
    CHECK(row.extra == endpoints{own_endpoint(ann)});
    CHECK(row.at("type") == "Flag");
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("content") == "rude");
    // Who it was is not told.
    CHECK(row.at("actor") == "https://example.org/actor");
    CHECK(to_json(row.body).find("alice") == std::string::npos);
    CHECK(here.all("SELECT signer FROM log ORDER BY seq DESC LIMIT 1") == lines{"0"});
    CHECK(row.at("object") == R"(["https://far.example/ann","https://far.example/posts/100"])");
  });
}
