#include "storage/notification_store.hpp"

#include "storage/domain_block_store.hpp"
#include "storage/graph_store.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using ids = std::vector<std::int64_t>;
using kind = notification_kind;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto far = account_id{99};
const auto now = from_micros(1'000'000'000'000);

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

void add_local(database& db, account_id id, const std::string& name) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES ($1, $2, $2, $2, 1)",
              {id, name}));
}

void add_everybody(database& db) {
  add_local(db, alice, "alice");
  add_local(db, bob, "bob");
  kit::add_remote(db, {.id = far, .name = "far", .host = "sub.far.example"});
}

notification note(std::int64_t id, kind what, account_id from, std::int64_t post = 0) {
  return {.id = id, .owner = alice, .kind = what, .from = from, .post = {post}, .at = now};
}

ids ids_of(const std::vector<notification>& rows) {
  auto found = ids{};
  for (const auto& row : rows)
    found.push_back(row.id);
  return found;
}

} // namespace

TEST_CASE("an account is told once of what happened", "[notification_store][I16]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    CHECK(must(add_notification(db, note(1, kind::favourite, far, 100))));
    CHECK_FALSE(must(add_notification(db, note(2, kind::favourite, far, 100))));
    CHECK(must(add_notification(db, note(3, kind::reblog, far, 100))));
    CHECK(must(add_notification(db, note(4, kind::favourite, bob, 100))));
    CHECK(must(add_notification(db, note(5, kind::follow, bob))));
    CHECK_FALSE(must(add_notification(db, note(6, kind::follow, bob))));
    CHECK_FALSE(must(add_notification(db, note(7, kind::mention, alice, 100)))); // of oneself
    auto foreign = note(8, kind::follow, alice);
    foreign.owner = far;
    CHECK_FALSE(must(add_notification(db, foreign))); // not one of ours
    CHECK(must(add_notification(db, note(9, kind::update, bob, 100))));
    CHECK(must(add_notification(db, note(10, kind::update, bob, 100)))); // the newer one stays
    CHECK(ids_of(must(list_notifications(db, {.owner = alice}))) == ids{10, 5, 4, 3, 1});
    CHECK(must(remove_notification(db, note(0, kind::favourite, far, 100))) == 1);
    CHECK(must(remove_notification(db, note(0, kind::favourite, far, 100))) == 0);
    must(remove_notifications_about(db, post_id{100}));
    CHECK(ids_of(must(list_notifications(db, {.owner = alice}))) == ids{5});
    must(remove_notifications_about(db, post_id{})); // 0 is no post
    CHECK(ids_of(must(list_notifications(db, {.owner = alice}))) == ids{5});
    must(remove_notifications_from(db, alice, bob));
    CHECK(must(list_notifications(db, {.owner = alice})).empty());
  });
}

TEST_CASE("who is blocked or muted is not heard", "[notification_store][I6]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    auto next = std::int64_t{1};
    const auto is_heard = [&](account_id from) {
      const auto heard = must(add_notification(db, note(next++, kind::follow, from)));
      must(clear_notifications(db, alice));
      return heard;
    };
    CHECK(is_heard(far));
    must(store_block(db, alice, far, now));
    CHECK_FALSE(is_heard(far));
    must(erase_block(db, alice, far));
    must(store_block(db, far, alice, now)); // the other way says nothing
    CHECK(is_heard(far));
    must(store_mute(db, alice, far, {.notifications = false}, now));
    CHECK(is_heard(far));
    must(store_mute(db, alice, far, {}, now));
    CHECK_FALSE(is_heard(far));
    must(store_mute(db, alice, far, {.duration = 60s}, now - 60s)); // has run out
    CHECK(is_heard(far));
    must(store_domain_block(db, {.owner = bob, .host = "far.example", .at = now}));
    CHECK(is_heard(far));
    must(store_domain_block(db, {.owner = alice, .host = "far.example", .at = now}));
    CHECK_FALSE(is_heard(far)); // its subdomains are included
    CHECK(is_heard(bob));
    must(erase_domain_block(db, alice, "far.example"));
    must(store_domain_block(db, {.owner = whole_server, .host = "sub.far.example", .at = now}));
    CHECK_FALSE(is_heard(far));
    must(db.run("UPDATE account SET deleted_at = 1 WHERE id = 7"));
    CHECK_FALSE(is_heard(bob));
  });
}

TEST_CASE("notifications are read in pages, by kind and sender", "[notification_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    must(add_notification(db, note(1, kind::mention, bob, 100)));
    must(add_notification(db, note(2, kind::favourite, bob, 100)));
    must(add_notification(db, note(3, kind::follow, far)));
    must(add_notification(db, note(4, kind::mention, far, 101)));
    must(add_notification(db, note(5, kind::reblog, far, 100)));
    const auto page = [&](notification_page wanted) {
      wanted.owner = alice;
      return ids_of(must(list_notifications(db, wanted)));
    };
    CHECK(page({}) == ids{5, 4, 3, 2, 1});
    CHECK(page({.limit = 2}) == ids{5, 4});
    CHECK(page({.max_id = 4, .limit = 2}) == ids{3, 2});
    CHECK(page({.since_id = 1, .limit = 2}) == ids{5, 4});
    CHECK(page({.min_id = 1, .limit = 2}) == ids{3, 2});
    CHECK(page({.max_id = 5, .min_id = 3}) == ids{4});
    CHECK(page({.kinds = {kind::mention, kind::follow}}) == ids{4, 3, 1});
    CHECK(page({.hidden = {kind::mention}}) == ids{5, 3, 2});
    CHECK(page({.kinds = {kind::mention, kind::reblog}, .hidden = {kind::mention}}) == ids{5});
    CHECK(page({.from = far, .kinds = {kind::mention}}) == ids{4});
    CHECK(must(list_notifications(db, {.owner = bob})).empty());

    const auto second = must(find_notification(db, alice, 2));
    CHECK(second.kind == kind::favourite);
    CHECK(second.from == bob);
    CHECK(second.post == post_id{100});
    CHECK(second.at == now);
    CHECK(code_of(error_of(find_notification(db, bob, 2))) == errc::not_found);
    must(dismiss_notification(db, bob, 2)); // not his: stays
    CHECK(must(find_notification(db, alice, 2)).id == 2);
    CHECK(must(count_notifications(db, alice, 2, 10)) == 3);
    CHECK(must(count_notifications(db, alice, 0, 2)) == 2);
    must(dismiss_notification(db, alice, 2));
    must(dismiss_notification(db, alice, 2));
    CHECK(page({}) == ids{5, 4, 3, 1});
    must(clear_notifications(db, alice));
    CHECK(page({}).empty());
  });
}

TEST_CASE("operations of the notification store fail as a whole", "[notification_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) {
      return error_of(add_notification(open, note(1, kind::follow, far)));
    });
    walk([](database& open) {
      return error_of(add_notification(open, note(2, kind::update, far, 100)));
    });
    walk([](database& open) { return error_of(list_notifications(open, {.owner = alice})); });
    walk([](database& open) { return error_of(find_notification(open, alice, 1)); });
    walk([](database& open) { return error_of(count_notifications(open, alice, 0, 9)); });
    walk([](database& open) {
      return error_of(remove_notification(open, note(0, kind::follow, far)));
    });
    walk([](database& open) { return remove_notifications_about(open, post_id{100}); });
    walk([](database& open) { return remove_notifications_from(open, alice, far); });
    walk([](database& open) { return dismiss_notification(open, alice, 1); });
    walk([](database& open) { return clear_notifications(open, alice); });
  });
}
