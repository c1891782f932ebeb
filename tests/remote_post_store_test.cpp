#include "storage/remote_post_store.hpp"

#include "storage/node_store.hpp"
#include "storage/post_store.hpp"
#include "storage/view_store.hpp"
#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto now = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28}};
constexpr auto slot = std::uint8_t{3};
const auto own = std::string{"https://here.example"};
const auto everyone = std::string{"https://www.w3.org/ns/activitystreams#Public"};
constexpr auto carol = account_id{1};

remote_actor actor_named(const std::string& name) {
  const auto id = "https://r.example/users/" + name;
  return {.id = id, .name = name, .inbox = id + "/inbox", .followers = id + "/followers"};
}

/// Alice and Bob of another server, Carol of ours.
struct note_world {
  database& db;
  std::int64_t last_id = make_id(now, slot, 0);
  remote_account alice;
  remote_account bob;

  explicit note_world(database& db_) : db{db_} {
    alice = account("alice");
    bob = account("bob");
    REQUIRE(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                   " VALUES (1, 'carol', 'carol', 'https://here.example/users/carol', 0)"));
  }

  remote_account account(const std::string& name) {
    const auto id = must(store_remote_account(db, actor_named(name), {"https", "r.example", 443},
                                              context().ids, now));
    return *must(find_remote_account(db, id));
  }

  note_context context() {
    return {.own_origin = own,
            .ids = [this] { return caf::expected<std::int64_t>{++last_id}; },
            .slot = slot,
            .now = now};
  }

  remote_note note(const std::string& name = "1") const {
    return {.id = "https://r.example/notes/" + name,
            .type = "Note",
            .attributed_to = alice.uri,
            .url = "https://r.example/@alice/" + name,
            .content = "<p>hello</p>",
            .has_content = true,
            .language = "en",
            .published = now - 1h,
            .to = {everyone}};
  }

  caf::expected<stored_note> store(const remote_note& one,
                                   note_arrival arrival = note_arrival::delivered) {
    return store_remote_note(db, one, note_author(one), arrival, context());
  }

  remote_account note_author(const remote_note& one) const {
    return one.attributed_to == bob.uri ? bob : alice;
  }

  caf::expected<changed_note> update(const remote_note& one) {
    return update_remote_note(db, one, note_author(one), context());
  }

  std::vector<std::string> rows(std::string_view sql) { return kit::rows_of(db.run(sql)); }
};

void on_each(const std::function<void(note_world&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    auto world = note_world{fresh.db()};
    body(world);
  });
}

template <class T>
errc refusal(const caf::expected<T>& result) {
  REQUIRE_FALSE(result);
  return code_of(result.error());
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a note is stored with all that hangs on it", "[remote_post_store]") {
  const auto rows = kit::equal_on_both([](kit::test_database& fresh) {
    auto world = note_world{fresh.db()};
    auto note = world.note();
    note.spoiler = "careful";
    note.mentions = {own + "/users/carol", world.bob.uri, "https://unknown.example/u"};
    note.tags = {"Cats", "cats", "dogs"};
    note.emojis = {{"blob", "https://r.example/blob.png"}};
    note.attachments = {{"https://r.example/a.png", "image/png", "a cat"},
                        {"javascript:alert(1)", "image/png", ""}};
    note.poll = remote_poll{.options = {{"yes", 3}, {"no", 4}}, .ends_at = now + 1h, .voters = 7};
    const auto stored = must(world.store(note));
    CHECK(stored.is_new);
    CHECK(stored.row.sensitive);
    CHECK(stored.mentions == std::vector{carol, world.bob.id});
    return kit::dump(world.db);
  });
  CHECK_FALSE(rows.empty());
}

TEST_CASE("A55: the first writer of an id wins", "[remote_post_store][A55]") {
  on_each([](note_world& world) {
    const auto first = must(world.store(world.note()));
    auto again = world.note();
    again.content = "<p>other</p>";
    const auto before = kit::dump(world.db);
    const auto second = must(world.store(again));
    CHECK_FALSE(second.is_new);
    CHECK(second.row.id == first.row.id);
    CHECK(second.row.html == "<p>hello</p>");
    again.attributed_to = world.bob.uri;
    CHECK(refusal(world.store(again)) == errc::conflict);
    CHECK(kit::dump(world.db) == before);
  });
}

TEST_CASE("A38, A45: a note of somebody else or of ours is refused", "[remote_post_store][A38]") {
  on_each([](note_world& world) {
    const auto before = kit::dump(world.db);
    auto note = world.note();
    note.attributed_to = "https://r.example/users/victim";
    CHECK(refusal(world.store(note)) == errc::forbidden);
    note.attributed_to.clear();
    CHECK(refusal(world.store(note)) == errc::forbidden);
    note = world.note();
    note.id = own + "/users/carol/statuses/7";
    CHECK(refusal(world.store(note)) == errc::forbidden);
    world.alice.suspended = true;
    CHECK(refusal(world.store(world.note())) == errc::forbidden);
    CHECK(kit::dump(world.db) == before);
  });
}

TEST_CASE("a note that was deleted never comes back", "[remote_post_store]") {
  on_each([](note_world& world) {
    must(add_tombstone(world.db, world.note().id));
    CHECK(refusal(world.store(world.note())) == errc::gone);
  });
}

TEST_CASE("a delivered note has an id of its arrival, a fetched one of its time",
          "[remote_post_store]") {
  on_each([](note_world& world) {
    const auto delivered = must(world.store(world.note("1")));
    CHECK(time_of(delivered.row.id.value) == now);
    CHECK(delivered.row.created_at == now - 1h);
    const auto fetched = must(world.store(world.note("2"), note_arrival::fetched));
    CHECK(fetched.row.id.value == make_id(now - 1h, slot, 0));
    // Ids of the last minute may be handed out already.
    auto recent = world.note("3");
    recent.published = now - 59s;
    CHECK(must(world.store(recent, note_arrival::fetched)).row.id.value == world.last_id);
  });
}

TEST_CASE("fetched notes of one millisecond get one id each", "[remote_post_store]") {
  on_each([](note_world& world) {
    auto taken = std::set<std::int64_t>{};
    for (auto i = 0; i < 300; ++i)
      taken.insert(
          must(world.store(world.note(std::to_string(i)), note_arrival::fetched)).row.id.value);
    CHECK(taken.size() == 300);
    CHECK(*taken.begin() == make_id(now - 1h, slot, 0));
    CHECK(*taken.rbegin() == make_id(now - 1h + 1ms, slot, 43));
  });
}

TEST_CASE("A86: no note is from the future, and none from before there were any",
          "[remote_post_store][A86]") {
  on_each([](note_world& world) {
    const auto stored = [&](const std::string& name, std::optional<time_point> published) {
      auto note = world.note(name);
      note.published = published;
      return must(world.store(note, note_arrival::fetched)).row;
    };
    CHECK(stored("1", now + 24h * 365 * 7000).created_at == now);
    CHECK(stored("2", std::nullopt).created_at == now);
    const auto old = stored("3", time_point{-1s});
    CHECK(old.created_at > time_point{});
    CHECK(old.id.value > 0);
    CHECK(stored("4", time_point{}).id > old.id);
  });
}

TEST_CASE("a reply knows what it answers when that is known", "[remote_post_store]") {
  on_each([](note_world& world) {
    const auto first = must(world.store(world.note("1")));
    auto reply = world.note("2");
    reply.attributed_to = world.bob.uri;
    reply.in_reply_to = first.row.uri.value();
    const auto stored = must(world.store(reply));
    CHECK(stored.row.reply_to == first.row.id);
    CHECK(stored.row.reply_author == world.alice.id);
    REQUIRE(world.db.run("INSERT INTO post(id, author, visibility, created_at)"
                         " VALUES (77, 1, 1, 0)"));
    auto to_ours = world.note("3");
    to_ours.in_reply_to = own + "/users/carol/statuses/77";
    CHECK(must(world.store(to_ours)).row.reply_author == carol);
    auto to_itself = world.note("4");
    to_itself.in_reply_to = to_itself.id;
    CHECK_FALSE(must(world.store(to_itself)).row.reply_to);
    auto to_nothing = world.note("5");
    to_nothing.in_reply_to = "https://r.example/notes/none";
    CHECK_FALSE(must(world.store(to_nothing)).row.reply_to);
  });
}

TEST_CASE("whom a note that is not public is addressed to may see it", "[remote_post_store]") {
  on_each([](note_world& world) {
    auto note = world.note();
    note.to = {own + "/users/carol"};
    const auto stored = must(world.store(note));
    CHECK(stored.row.seen_by == visibility::direct);
    CHECK(stored.mentions == std::vector{carol});
    CHECK(must(may_see(world.db, carol, stored.row)));
    // Being addressed beside the public is no mention.
    auto open = world.note("2");
    open.cc = {own + "/users/carol"};
    CHECK(must(world.store(open)).mentions.empty());
    auto private_note = world.note("3");
    private_note.to = {world.alice.followers_url};
    const auto hidden = must(world.store(private_note));
    CHECK(hidden.row.seen_by == visibility::followers);
    CHECK_FALSE(must(may_see(world.db, carol, hidden.row)));
  });
}

TEST_CASE("a note addressed to a crowd names a bounded part of it", "[remote_post_store][A76]") {
  on_each([](note_world& world) {
    for (auto i = 100; i < 300; ++i)
      REQUIRE(world.db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                           " VALUES ($1, $2, $2, $3, 0)",
                           {i, "u" + std::to_string(i), own + "/users/u" + std::to_string(i)}));
    auto note = world.note();
    note.to.clear();
    for (auto i = 100; i < 300; ++i)
      note.cc.push_back(own + "/users/u" + std::to_string(i));
    CHECK(must(world.store(note)).mentions.size() == addressed_max);
  });
}

TEST_CASE("an edit keeps the version before it", "[remote_post_store]") {
  on_each([](note_world& world) {
    const auto stored = must(world.store(world.note()));
    auto edit = world.note();
    edit.content = "<p>edited</p>";
    edit.tags = {"new"};
    edit.attachments = {{"https://r.example/b.mp4", "video/mp4", ""}};
    edit.emojis = {{"blob", "https://r.example/blob.png"}};
    edit.updated = now - 30min;
    const auto changed = must(world.update(edit));
    CHECK(changed.change == note_change::edited);
    CHECK(changed.row.id == stored.row.id);
    CHECK(changed.row.html == "<p>edited</p>");
    CHECK(changed.row.edited_at == now - 30min);
    const auto versions = must(load_edits(world.db, changed.row));
    REQUIRE(versions.size() == 2);
    CHECK(versions[0].html == "<p>hello</p>");
    CHECK(versions[0].at == now - 1h);
    CHECK(world.rows("SELECT t.folded FROM post_tag l JOIN tag t ON t.id = l.tag_id") ==
          lines{"new"});
    CHECK(world.rows("SELECT kind, url FROM medium") == lines{"3|https://r.example/b.mp4"});
    const auto kept = must(find_post(world.db, stored.row.id));
    CHECK(kept->emojis_json.find("blob.png") != std::string::npos);
    CHECK(kept->url == "https://r.example/@alice/1");

    // The same again, an older one and one without a time change nothing.
    const auto before = kit::dump(world.db);
    CHECK(must(world.update(edit)).change == note_change::none);
    edit.content = "<p>older</p>";
    edit.updated = now - 40min;
    CHECK(must(world.update(edit)).change == note_change::none);
    edit.updated = std::nullopt;
    CHECK(must(world.update(edit)).change == note_change::none);
    CHECK(kit::dump(world.db) == before);
  });
}

TEST_CASE("an edit from the future is of now, and the next one still counts",
          "[remote_post_store][A86]") {
  on_each([](note_world& world) {
    must(world.store(world.note()));
    auto edit = world.note();
    edit.updated = now + 24h * 365;
    CHECK(must(world.update(edit)).row.edited_at == now);
    CHECK(must(world.update(edit)).change == note_change::none);
  });
}

TEST_CASE("A46: a note is edited by its author alone", "[remote_post_store][A46]") {
  on_each([](note_world& world) {
    must(world.store(world.note()));
    auto edit = world.note();
    edit.updated = now;
    edit.content = "<p>defaced</p>";
    const auto before = kit::dump(world.db);
    CHECK(refusal(update_remote_note(world.db, edit, world.bob, world.context())) ==
          errc::forbidden);
    edit.attributed_to = world.bob.uri;
    CHECK(refusal(world.update(edit)) == errc::forbidden);
    CHECK(refusal(world.update(world.note("unknown"))) == errc::not_found);
    CHECK(kit::dump(world.db) == before);
  });
}

TEST_CASE("versions of a note are kept up to a number", "[remote_post_store]") {
  const auto fresh = kit::fresh_sqlite();
  auto world = note_world{fresh->db()};
  const auto stored = must(world.store(world.note()));
  for (auto i = 1; i <= remote_edits_max + 20; ++i) {
    auto edit = world.note();
    edit.content = std::to_string(i);
    edit.updated = now - 1h + std::chrono::seconds{i};
    REQUIRE(must(world.update(edit)).change == note_change::edited);
  }
  const auto row = must(find_post(world.db, stored.row.id));
  const auto versions = must(load_edits(world.db, *row));
  CHECK(versions.size() == remote_edits_max + 1); // and the present one
  CHECK(versions[0].html == "<p>hello</p>");
  CHECK(versions[1].html == "21");
  CHECK(versions.back().html == "120");
}

TEST_CASE("the votes of a remote poll are those its server counts", "[remote_post_store]") {
  on_each([](note_world& world) {
    auto note = world.note();
    note.type = "Question";
    note.poll = remote_poll{.options = {{"yes", 1}, {"no", 0}}, .ends_at = now + 1h, .voters = 1};
    const auto stored = must(world.store(note));
    const auto poll = "SELECT options, remote_votes, remote_voters, expires_at FROM poll";
    const auto ends = std::to_string(to_micros(now + 1h));
    CHECK(world.rows(poll) == lines{R"(["yes","no"]|[1,0]|1|)" + ends});
    CHECK(must(world.update(note)).change == note_change::none);
    note.poll->options[1].votes = 9;
    note.poll->voters = 10;
    CHECK(must(world.update(note)).change == note_change::counts);
    CHECK(world.rows(poll) == lines{R"(["yes","no"]|[1,9]|10|)" + ends});
    note.poll->closed = true;
    CHECK(must(world.update(note)).change == note_change::counts);
    CHECK(world.rows(poll) == lines{R"(["yes","no"]|[1,9]|10|)" + std::to_string(to_micros(now))});

    // Other options count only when the author says that he edited: votes for them are void.
    REQUIRE(world.db.run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES ($1, 1, 0)",
                         {stored.row.id}));
    note.poll->options[0].name = "maybe";
    CHECK(must(world.update(note)).change == note_change::none);
    note.updated = now;
    CHECK(must(world.update(note)).change == note_change::edited);
    CHECK(world.rows("SELECT options FROM poll") == lines{R"(["maybe","no"])"});
    CHECK(world.rows("SELECT count(*) FROM poll_vote") == lines{"0"});
  });
}

TEST_CASE("A49: a note is erased by its author alone, and for ever", "[remote_post_store][A49]") {
  on_each([](note_world& world) {
    const auto nothing = world.rows("SELECT count(*) FROM post");
    auto note = world.note();
    note.attachments = {{"https://r.example/a.png", "image/png", ""}};
    const auto stored = must(world.store(note));
    const auto before = kit::dump(world.db);
    CHECK(refusal(erase_remote_post(world.db, note.id, world.bob)) == errc::forbidden);
    CHECK(kit::dump(world.db) == before);
    const auto erased = must(erase_remote_post(world.db, note.id, world.alice));
    REQUIRE(erased);
    CHECK(erased->id == stored.row.id);
    CHECK(world.rows("SELECT count(*) FROM post") == nothing);
    CHECK(world.rows("SELECT count(*) FROM medium") == lines{"0"});
    CHECK(refusal(world.store(note)) == errc::gone);
    // A deletion that comes first counts as well.
    CHECK_FALSE(must(erase_remote_post(world.db, world.note("2").id, world.alice)));
    CHECK(refusal(world.store(world.note("2"))) == errc::gone);
  });
}

TEST_CASE("the row of the log says what timelines look at", "[remote_post_store]") {
  on_each([](note_world& world) {
    auto note = world.note();
    note.mentions = {own + "/users/carol"};
    const auto stored = must(world.store(note));
    const auto entry = remote_create_entry(stored);
    CHECK(entry.kind == log_kind::create);
    CHECK(entry.author == world.alice.id);
    CHECK(entry.object == object_key{object_kind::post, 0, stored.row.id.value});
    CHECK(entry.is_public);
    CHECK_FALSE(entry.ap_id);
    CHECK_FALSE(entry.body);
    REQUIRE(entry.facts);
    CHECK(entry.facts->id == stored.row.id);
    CHECK(entry.facts->language == "en");
    CHECK(entry.facts->mentions == std::vector{carol});
    CHECK(remote_update_entry({.row = stored.row}).kind == log_kind::update);
    const auto removed = remote_delete_entry(stored.row);
    CHECK(removed.kind == log_kind::remove);
    CHECK_FALSE(removed.facts);
  });
}

TEST_CASE("storing, editing and erasing a note that fail anywhere change nothing",
          "[remote_post_store][failing]") {
  const auto fresh = kit::fresh_sqlite();
  auto world = note_world{fresh->db()};
  auto note = world.note();
  note.tags = {"cats"};
  note.mentions = {own + "/users/carol"};
  note.attachments = {{"https://r.example/a.png", "image/png", ""}};
  note.poll = remote_poll{.options = {{"yes", 1}}};
  const auto failure_of = [](const auto& result) { return result ? caf::error{} : result.error(); };
  CHECK(kit::walk_every_n(world.db, [&](database& db) {
          return failure_of(
              store_remote_note(db, note, world.alice, note_arrival::fetched, world.context()));
        }) > 8);
  note.updated = now;
  note.poll->options[0].votes = 5;
  CHECK(kit::walk_every_n(world.db, [&](database& db) {
          return failure_of(update_remote_note(db, note, world.alice, world.context()));
        }) > 8);
  CHECK(kit::walk_every_n(world.db, [&](database& db) {
          return failure_of(erase_remote_post(db, note.id, world.alice));
        }) > 8);
}
