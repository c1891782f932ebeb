#include "storage/federation_views.hpp"

#include "storage/node_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

const auto urls = urls_of("example.org");
constexpr auto now = time_point{1000s};
constexpr auto alice = account_id{1};
constexpr auto bob = account_id{2};
constexpr auto carol = account_id{4}; ///< Of another server, as the two below.
constexpr auto dave = account_id{5};

const auto stranger = document_reader{};
const auto from_carol = document_reader{"https://r.example/users/carol", "r.example"};
const auto from_dave = document_reader{"https://r.example/users/dave", "r.example"};
const auto unknown = document_reader{"https://x.example/users/eve", "x.example"};

void add_account(database& db, account_id id, const std::string& name, const std::string& uri,
                 sql_value host = {}) {
  must(db.run("INSERT INTO account(id, host_id, name, folded, uri, note, created_at)"
              " VALUES ($1, $2, $3, $4, $5, 'Hi <3', 0)",
              {id, host, name, fold_name(name), uri}));
}

void add_post(database& db, std::int64_t id, account_id author, visibility seen_by,
              sql_value boost_of = {}, sql_value uri = {}) {
  must(db.run(
      "INSERT INTO post(id, author, html, visibility, boost_of, created_at, uri)"
      " VALUES ($1, $2, $3, $4, $5, $1, $6)",
      {id, author, "<p>" + std::to_string(id) + "</p>", static_cast<int>(seen_by), boost_of, uri}));
}

/// Alice with a post of each visibility (11 to 14), the last to Dave; Carol of r.example follows
/// her; post 20 is Carol's. Bob's boost of 11 is 15, his boost of 20 is 16.
void fill(database& db) {
  must(db.run("INSERT INTO host(id, scheme, name, port) VALUES (9, 'https', 'r.example', 443)"));
  add_account(db, alice, "Alice", "https://example.org/users/Alice");
  add_account(db, bob, "bob", "https://example.org/users/bob");
  add_account(db, carol, "carol", from_carol.actor, 9);
  add_account(db, dave, "dave", from_dave.actor, 9);
  for (const auto seen_by : {1, 2, 3, 4})
    add_post(db, 10 + seen_by, alice, static_cast<visibility>(seen_by));
  add_post(db, 20, carol, visibility::everyone, {}, "https://r.example/notes/20");
  add_post(db, 15, bob, visibility::everyone, 11);
  add_post(db, 16, bob, visibility::everyone, 20);
  must(db.run("INSERT INTO follow(follower, followee, at) VALUES (4, 1, 0)"));
  must(db.run("INSERT INTO mention(post_id, account_id) VALUES (14, 5)"));
}

void on_each(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    fill(fresh.db());
    body(fresh.db());
  });
}

using numbers = std::vector<std::int64_t>;

/// Which of Alice's posts `reader` gets at their addresses.
numbers seen(database& db, const document_reader& reader) {
  auto found = numbers{};
  for (const auto id : {11, 12, 13, 14, 99}) {
    const auto item = load_item(db, {"alice", {id}}, reader, urls, now);
    if (item)
      found.push_back(std::get<outgoing_note>(*item).row.id.value);
    else
      CHECK(code_of(item.error()) == errc::not_found);
  }
  return found;
}

std::vector<std::string> ids_of(const std::vector<outgoing_item>& items) {
  auto ids = std::vector<std::string>{};
  for (const auto& item : items) {
    const auto* note = std::get_if<outgoing_note>(&item);
    ids.push_back(note ? to_string(note->row.id) : std::get<plain_activity>(item).object);
  }
  return ids;
}

constexpr auto first_page = collection_part{.page = true};

} // namespace

TEST_CASE("A116: a post is given to those who may see it, and to nobody else",
          "[federation_views][I7]") {
  on_each([](database& db) {
    CHECK(seen(db, stranger) == numbers{11, 12});
    CHECK(seen(db, unknown) == numbers{11, 12});
    CHECK(seen(db, from_carol) == numbers{11, 12, 13});
    CHECK(seen(db, from_dave) == numbers{11, 12, 14});
    must(db.run("UPDATE follow SET accepted = 0"));
    CHECK(seen(db, from_carol) == numbers{11, 12});
  });
}

TEST_CASE("A117: whom the author or the server blocks gets nothing that is signed for",
          "[federation_views][I7]") {
  const auto block = [](const std::string& sql, const document_reader& reader) {
    on_each([&](database& db) {
      must(db.run(sql));
      CHECK(seen(db, reader).empty());
      const auto codes = {
          code_of(load_outbox(db, "alice", {}, reader, urls, now).error()),
          code_of(load_outbox(db, "alice", first_page, reader, urls, now).error()),
          code_of(load_featured(db, "alice", reader, urls, now).error()),
          code_of(load_neighbours(db, "alice", graph_side::followers, first_page, reader, urls)
                      .error())};
      for (const auto code : codes)
        CHECK(code == errc::forbidden);
      CHECK(seen(db, stranger) == numbers{11, 12});
    });
  };
  block("INSERT INTO block(blocker, blocked, at) VALUES (1, 4, 0)", from_carol);
  block("UPDATE account SET suspended_at = 1 WHERE id = 5", from_dave);
  const auto domain = [](const std::string& owner, const std::string& host) {
    return "INSERT INTO domain_block(account_id, host, at, severity) VALUES (" + owner + ", '" +
           host + "', 0, 2)";
  };
  block(domain("1", "r.example"), from_carol);
  block(domain("0", "r.example"), from_carol);
  block(domain("1", "x.example"), {"https://sub.x.example/users/eve", "sub.x.example"});
  on_each([&](database& db) { // another's block is another matter
    must(db.run(domain("2", "r.example")));
    must(db.run("INSERT INTO block(blocker, blocked, at) VALUES (2, 4, 0)"));
    CHECK(seen(db, from_carol) == numbers{11, 12, 13});
  });
}

TEST_CASE("a deleted post or account is gone, another's address leads nowhere",
          "[federation_views]") {
  on_each([](database& db) {
    const auto code = [&](const item_address& at) {
      const auto item = load_item(db, at, stranger, urls, now);
      return item ? errc{} : code_of(item.error());
    };
    CHECK(code({"ALICE", {11}}) == errc{});
    CHECK(code({"bob", {11}}) == errc::not_found);
    CHECK(code({"carol", {20}}) == errc::not_found);
    CHECK(code({"alice", {99}}) == errc::not_found);
    must(add_tombstone(db, urls.post("Alice", {99})));
    CHECK(code({"alice", {99}}) == errc::gone);
    CHECK(code({"bob", {99}}) == errc::not_found);
    must(db.run("UPDATE account SET deleted_at = 5 WHERE id = 1"));
    CHECK(code({"alice", {11}}) == errc::gone);
    CHECK(code_of(load_local_actor(db, "alice", urls).error()) == errc::gone);
    CHECK(code_of(load_local_actor(db, alice, urls).error()) == errc::gone);
    CHECK(code_of(load_outbox(db, "alice", {}, stranger, urls, now).error()) == errc::gone);
    CHECK(code_of(load_local_actor(db, "carol", urls).error()) == errc::not_found);
  });
}

TEST_CASE("a boost is an Announce of what it boosts", "[federation_views]") {
  on_each([](database& db) {
    const auto of_ours = must(load_item(db, {"bob", {15}}, stranger, urls, now));
    const auto& announce = std::get<plain_activity>(of_ours);
    CHECK(announce.id == "https://example.org/users/bob/statuses/15/activity");
    CHECK(announce.type == "Announce");
    CHECK(announce.object == urls.post("Alice", {11}));
    CHECK(announce.whom.to == std::vector<std::string>{public_collection});
    CHECK(announce.whom.cc == std::vector{urls.followers("bob"), urls.actor("Alice")});
    const auto of_others = must(load_item(db, {"bob", {16}}, stranger, urls, now));
    CHECK(std::get<plain_activity>(of_others).object == "https://r.example/notes/20");
    CHECK(std::get<plain_activity>(of_others).whom.cc.back() == from_carol.actor);
    const auto outbox = must(load_outbox(db, "bob", first_page, stranger, urls, now));
    CHECK(ids_of(outbox.items) ==
          std::vector<std::string>{"https://r.example/notes/20", urls.post("Alice", {11})});
  });
}

TEST_CASE("A52: a boost of what is not public is told to nobody", "[federation_views][I7]") {
  on_each([](database& db) {
    must(db.run("UPDATE post SET visibility = 3 WHERE id IN (11, 20)"));
    CHECK_FALSE(load_item(db, {"bob", {15}}, stranger, urls, now));
    CHECK_FALSE(load_item(db, {"bob", {16}}, stranger, urls, now));
    CHECK(must(load_outbox(db, "bob", first_page, stranger, urls, now)).items.empty());
  });
}

TEST_CASE("an outbox holds public posts alone, in pages", "[federation_views][I7]") {
  on_each([](database& db) {
    for (const auto& reader : {stranger, from_carol, from_dave}) {
      const auto outbox = must(load_outbox(db, "alice", first_page, reader, urls, now));
      CHECK(ids_of(outbox.items) == std::vector<std::string>{"12", "11"});
      CHECK(outbox.owner == "Alice");
      CHECK(outbox.next == 0);
    }
    CHECK(must(load_outbox(db, "alice", {}, stranger, urls, now)).items.empty());
    CHECK(must(load_outbox(db, "alice", {}, stranger, urls, now)).total == 3);
    for (auto id = std::int64_t{100}; id < 140; ++id)
      add_post(db, id, alice, visibility::everyone);
    const auto page = must(load_outbox(db, "alice", first_page, stranger, urls, now));
    CHECK(std::ssize(page.items) == collection_page_max);
    CHECK(page.next == 100);
    const auto rest = must(load_outbox(db, "alice", {true, page.next}, stranger, urls, now));
    CHECK(ids_of(rest.items) == std::vector<std::string>{"12", "11"});
    CHECK(rest.next == 0);
  });
}

TEST_CASE("followers and followees are listed by their ids, in pages", "[federation_views]") {
  on_each([](database& db) {
    must(db.run("INSERT INTO follow(follower, followee, at, accepted)"
                " VALUES (2, 1, 0, 1), (5, 1, 0, 0), (1, 4, 0, 1)"));
    const auto page = [&](graph_side side, const collection_part& part) {
      return must(load_neighbours(db, "alice", side, part, stranger, urls));
    };
    CHECK(page(graph_side::followers, first_page).items ==
          std::vector{from_carol.actor, urls.actor("bob")});
    CHECK(page(graph_side::followers, {}).total == 2);
    CHECK(page(graph_side::followers, {}).items.empty());
    CHECK(page(graph_side::followers, {true, 4}).items == std::vector{urls.actor("bob")});
    CHECK(page(graph_side::following, first_page).items == std::vector{from_carol.actor});
    CHECK(page(graph_side::following, {}).total == 1);
    for (auto id = std::int64_t{100}; id < 140; ++id) {
      add_account(db, {id}, "n" + std::to_string(id), "https://r.example/n/" + std::to_string(id),
                  9);
      must(db.run("INSERT INTO follow(follower, followee, at) VALUES ($1, 1, 0)", {id}));
    }
    const auto first = page(graph_side::followers, first_page);
    CHECK(std::ssize(first.items) == collection_page_max);
    CHECK(page(graph_side::followers, {true, first.next}).items.size() == 2);
  });
}

TEST_CASE("pinned posts are featured when they are public", "[federation_views][I7]") {
  on_each([](database& db) {
    must(db.run("INSERT INTO pin(account_id, post_id, at)"
                " VALUES (1, 11, 5), (1, 12, 6), (1, 13, 7), (2, 11, 8), (1, 20, 9)"));
    const auto featured = must(load_featured(db, "alice", from_carol, urls, now));
    REQUIRE(featured.items.size() == 2);
    CHECK(featured.total == 2);
    CHECK(featured.items[0].row.id == post_id{12});
    CHECK(featured.items[1].row.id == post_id{11});
  });
}

TEST_CASE("a Note is loaded with whom and what it names", "[federation_views]") {
  on_each([](database& db) {
    must(db.run("UPDATE post SET reply_to = 20, reply_author = 4, language = 'en', spoiler = 'cw',"
                " sensitive = 1, edited_at = 7 WHERE id = 11"));
    must(db.run("UPDATE post SET reply_to = 11, reply_author = 1 WHERE id = 12"));
    must(db.run("UPDATE post SET reply_to = 77, reply_author = 1 WHERE id = 13"));
    must(
        db.run("INSERT INTO host(id, scheme, name, port) VALUES (10, 'https', 'p.example', 8443)"));
    add_account(db, {6}, "pat", "https://p.example:8443/pat", 10);
    must(db.run("INSERT INTO mention(post_id, account_id) VALUES (11, 2), (11, 4), (11, 6)"));
    must(db.run("INSERT INTO tag(id, folded, name) VALUES (7, 'cat', 'Cat')"));
    must(db.run("INSERT INTO post_tag(tag_id, post_id) VALUES (7, 11)"));
    must(db.run("INSERT INTO medium(id, author, post_id, kind, url, description, created_at,"
                " media_type) VALUES (8, 1, 11, 1, 'https://m', 'A cat', 0, 'image/png')"));
    const auto note = must(load_outgoing_note(db, {11}, urls, now));
    CHECK(note.author == "Alice");
    CHECK(note.reply_to_uri == "https://r.example/notes/20");
    CHECK(note.row.language == "en");
    CHECK(note.row.spoiler == "cw");
    CHECK(note.row.sensitive);
    CHECK(note.row.edited_at == from_micros(7));
    REQUIRE(note.mentions.size() == 3);
    CHECK(note.mentions[0].uri == urls.actor("bob"));
    CHECK(note.mentions[0].handle == "@bob@example.org");
    CHECK(note.mentions[1].uri == from_carol.actor);
    CHECK(note.mentions[1].handle == "@carol@r.example");
    CHECK(note.mentions[2].handle == "@pat@p.example:8443");
    CHECK(note.tags == std::vector<std::string>{"Cat"});
    REQUIRE(note.media.size() == 1);
    CHECK(note.media[0].media_type == "image/png");
    CHECK(note.media[0].description == "A cat");
    CHECK(must(load_outgoing_note(db, {12}, urls, now)).reply_to_uri == urls.post("Alice", {11}));
    CHECK(must(load_outgoing_note(db, {13}, urls, now)).reply_to_uri.empty());
    for (const auto id : {15, 20, 99})
      CHECK(code_of(load_outgoing_note(db, {id}, urls, now).error()) == errc::not_found);
  });
}

TEST_CASE("a poll is loaded with its counts, unless it hides them", "[federation_views]") {
  on_each([](database& db) {
    must(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at)"
                " VALUES (11, '[\"tea\",\"coffee\"]', 1, 0, $1), (12, '[\"a\"]', 0, 1, $1)",
                {now}));
    must(db.run("INSERT INTO poll_vote(post_id, account_id, choice)"
                " VALUES (11, 2, 0), (11, 4, 0), (11, 4, 1), (11, 5, 9), (12, 2, 0)"));
    const auto poll = [&](std::int64_t id, time_point at) {
      auto note = must(load_outgoing_note(db, {id}, urls, at));
      REQUIRE(note.poll);
      return std::move(*note.poll);
    };
    const auto open = poll(11, now - 1s);
    CHECK(open.options == std::vector<std::string>{"tea", "coffee"});
    CHECK(open.votes == numbers{2, 1});
    CHECK(open.voters == 3);
    CHECK(open.multiple);
    CHECK(open.ends_at == now);
    CHECK_FALSE(open.ended);
    CHECK(poll(11, now).ended);
    CHECK(poll(12, now - 1s).votes == numbers{0});
    CHECK(poll(12, now).votes == numbers{1});
  });
}

TEST_CASE("an account's document is loaded as its owner made it", "[federation_views]") {
  on_each([](database& db) {
    must(db.run("UPDATE account SET display_name = 'A', fields = '[{\"name\":\"n\"}]', locked = 1,"
                " discoverable = 1, public_key = 'PEM', aliases = '[\"https://old\"]',"
                " moved_to = 4 WHERE id = 1"));
    const auto actor = must(load_local_actor(db, "aLICE", urls));
    CHECK(actor.id == alice);
    CHECK(actor.document.name == "Alice");
    CHECK(actor.document.display_name == "A");
    CHECK(actor.document.note_html == "<p>Hi &lt;3</p>");
    CHECK(actor.document.fields_json == "[{\"name\":\"n\"}]");
    CHECK(actor.document.locked);
    CHECK(actor.document.discoverable);
    CHECK_FALSE(actor.document.bot);
    CHECK(actor.document.public_key_pem == "PEM");
    CHECK(actor.document.aliases == std::vector<std::string>{"https://old"});
    CHECK(actor.document.moved_to == from_carol.actor);
    CHECK(must(load_local_actor(db, bob, urls)).document.moved_to.empty());
    CHECK(must(load_local_actor(db, bob, urls)).document.public_key_pem.empty());
  });
}

TEST_CASE("every failing statement of a document is reported", "[federation_views]") {
  on_each([](database& db) {
    must(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals)"
                " VALUES (11, '[\"tea\"]', 0, 0)"));
    must(db.run("INSERT INTO pin(account_id, post_id, at) VALUES (1, 11, 5)"));
    const auto operations = std::vector<std::function<bool(database&)>>{
        [](database& at) {
          return static_cast<bool>(load_item(at, {"alice", {11}}, from_carol, urls, now));
        },
        [](database& at) {
          return static_cast<bool>(load_item(at, {"bob", {15}}, from_carol, urls, now));
        },
        [](database& at) {
          return static_cast<bool>(load_outbox(at, "bob", first_page, from_dave, urls, now));
        },
        [](database& at) {
          return static_cast<bool>(
              load_neighbours(at, "alice", graph_side::followers, first_page, from_dave, urls));
        },
        [](database& at) {
          return static_cast<bool>(load_featured(at, "alice", from_dave, urls, now));
        }};
    for (const auto& operation : operations)
      for (auto n = std::size_t{1}; n < 50; ++n) {
        auto failing = kit::failing_database{db};
        failing.fail_at(n, errc::unavailable, kit::failing::once);
        const auto succeeded = operation(failing);
        CHECK(succeeded == (failing.failed() == 0));
        if (failing.failed() == 0)
          break;
      }
  });
}
