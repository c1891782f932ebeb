#include "actors/signing_pool.hpp"

#include "actors/housekeeper.hpp"
#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <catch2/catch.hpp>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <optional>
#include <random>
#include <utility>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto far = account_id{20};
const auto secret = std::string(32, 's');
const auto target = "https://far.example/inbox?x=1"s;

/// Keys are costly to make: two are enough for all tests.
const made_key& some_key() {
  static const auto key = make_key(secret);
  return key;
}
const made_key& other_key() {
  static const auto key = make_key(secret);
  return key;
}

struct pool_fixture {
  kit::deterministic_system actors;
  kit::test_storage storage;
  storage_handles handles = storage.start(actors);
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<key_cache> keys = std::make_shared<key_cache>(position);
  signing_handle pool;

  explicit pool_fixture(std::uint64_t seed = 5) : actors{seed} {
    run("INSERT INTO account(id, name, folded, uri, created_at) VALUES"
        " (7, 'Alice', 'alice', 'https://own.example/users/Alice', 1),"
        " (8, 'bob', 'bob', 'https://own.example/users/bob', 1)");
    run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
        " VALUES (20, 3, 'far', 'far', 'https://far.example/far', 1)");
    follow_log();
    pool = start_pool();
  }

  signing_pool_dependencies needs() {
    return {.storage = handles,
            .keys = keys,
            .secret_key = secret,
            .urls = {"https://own.example"},
            .clock = actors.clock()};
  }
  signing_handle start_pool(signing_pool_options options = {}) {
    options.detached = false;
    return actors.spawn(signing_pool, needs(), options);
  }

  void run(const std::string& sql) { REQUIRE(storage.db().run(sql)); }

  /// The log is followed for an hour, whatever the clock says.
  void follow_log() { position->tick(log_position::steady_time{24h * 365}); }

  void give_key(account_id owner, const made_key& key) {
    REQUIRE(store_first_key(storage.db(), owner, key.pair));
  }
  /// What the account's own actor does, and what the fan-out tells.
  void rotate(account_id owner, const made_key& key, bool tell = true) {
    REQUIRE(replace_key(storage.db(), owner, key.pair, actors.now()));
    if (tell)
      keys->apply({.kind = log_kind::rotate_key,
                   .author = owner,
                   .object = {object_kind::account, 0, owner.value}});
  }

  static sign_request post_by(account_id signer) {
    return {.signer = signer,
            .method = http_method::post,
            .url = target,
            .body = std::make_shared<const std::string>("{}"),
            .body_sha256 = {}};
  }

  caf::expected<http_headers> sign(const sign_request& wish) {
    auto made = actors.ask<signed_headers>(pool, wish);
    if (!made)
      return std::move(made.error());
    return std::move(made->headers);
  }

  std::string key_of(account_id owner) {
    const auto key = actors.ask<public_key_text>(pool, ask_public_key{owner});
    REQUIRE(key);
    return key->pem;
  }
  errc refusal(account_id owner) {
    const auto key = actors.ask<public_key_text>(pool, ask_public_key{owner});
    REQUIRE_FALSE(key);
    const auto made = sign(post_by(owner));
    REQUIRE_FALSE(made);
    CHECK(code_of(made.error()) == code_of(key.error()));
    return code_of(key.error());
  }

  /// Reads what was signed, as the receiver does.
  signature_claim claim_of(const sign_request& wish, http_headers headers) {
    headers.emplace_back("Host", "far.example");
    const auto claim = read_signature({.method = to_string(wish.method),
                                       .target = "/inbox?x=1",
                                       .scheme = "https",
                                       .authority = "far.example",
                                       .headers = headers,
                                       .body = wish.body ? std::string_view{*wish.body} : "",
                                       .has_body = wish.body != nullptr},
                                      {}, actors.now());
    if (!claim)
      FAIL(context_of(claim.error()));
    return *claim;
  }

  bool made_it(const made_key& key, const sign_request& wish, const http_headers& headers) {
    const auto claim = claim_of(wish, headers);
    const auto verifier = public_key::parse(key.pair.public_pem);
    REQUIRE(verifier);
    return verifier->verifies(claim.base, claim.signature);
  }
  bool is_signed_by(const sign_request& wish, const made_key& key) {
    const auto made = sign(wish);
    REQUIRE(made);
    return made_it(key, wish, *made);
  }
};

/// A reader that keeps what it is asked.
reader_handle::behavior_type silent_reader(reader_handle::pointer self) {
  using kept = std::vector<caf::typed_response_promise<caf::unit_t>>;
  return {[self, asked = std::make_shared<kept>()](const read_job&) -> caf::result<void> {
    asked->push_back(self->make_response_promise<caf::unit_t>());
    return asked->back();
  }};
}

/// A reader that runs what it is asked at once, and answers when it gets an empty job.
struct held_answers {
  std::unique_ptr<database> db;
  std::vector<caf::typed_response_promise<caf::unit_t>> held;
};

reader_handle::behavior_type slow_reader(reader_handle::pointer self,
                                         std::shared_ptr<held_answers> answers) {
  return {[self, answers](const read_job& job) -> caf::result<void> {
    if (!job.run) {
      for (auto& answer : std::exchange(answers->held, {}))
        answer.deliver(caf::unit);
      return caf::unit;
    }
    job.run(*answers->db);
    answers->held.push_back(self->make_response_promise<caf::unit_t>());
    return answers->held.back();
  }};
}

} // namespace

TEST_CASE_METHOD(pool_fixture, "an account without a key gets one at its first use",
                 "[signing_pool]") {
  const auto wish = post_by(alice);
  const auto made = sign(wish);
  REQUIRE(made);
  const auto claim = claim_of(wish, *made);
  CHECK(claim.key_id == "https://own.example/users/Alice#main-key");
  CHECK(claim.scheme == signature_scheme::cavage);
  const auto pem = key_of(alice);
  const auto key = public_key::parse(pem);
  REQUIRE(key);
  CHECK(key->verifies(claim.base, claim.signature));

  const auto stored = find_own_key(storage.db(), alice);
  REQUIRE((stored && *stored));
  CHECK((*stored)->pair.public_pem == pem);
  CHECK((*stored)->pair.sealed_private.find("PRIVATE KEY") == std::string::npos);
  const auto opened = unseal(secret, (*stored)->pair.sealed_private);
  REQUIRE(opened);
  CHECK(private_key::parse(*opened)->public_pem() == pem);
}

TEST_CASE_METHOD(pool_fixture, "the server itself signs with a key of its own", "[signing_pool]") {
  const auto pem = key_of(instance_actor);
  auto wish = post_by(instance_actor);
  wish.method = http_method::get;
  wish.body = nullptr;
  wish.scheme = GENERATE(signature_scheme::cavage, signature_scheme::rfc9421);
  const auto made = sign(wish);
  REQUIRE(made);
  const auto claim = claim_of(wish, *made);
  CHECK(claim.key_id == "https://own.example/actor#main-key");
  CHECK(claim.scheme == wish.scheme);
  CHECK(public_key::parse(pem)->verifies(claim.base, claim.signature));
  CHECK(storage.db()
            .run("SELECT text FROM setting WHERE name = 'instance_key'")
            ->rows.at(0)
            .at(0)
            .text() == pem);
}

TEST_CASE_METHOD(pool_fixture, "two nodes that make a key keep the one that came first",
                 "[signing_pool]") {
  auto elsewhere = needs();
  elsewhere.keys = std::make_shared<key_cache>(position);
  const auto second =
      actors.spawn(signing_pool, elsewhere, signing_pool_options{.detached = false});
  const auto ours = actors.start<signed_headers>(pool, post_by(alice));
  const auto theirs = actors.start<signed_headers>(second, post_by(alice));
  actors.settle();
  const auto stored = find_own_key(storage.db(), alice);
  REQUIRE((stored && *stored));
  const auto key = made_key{.key = {}, .pair = (*stored)->pair};
  for (const auto& reply : {ours, theirs}) {
    REQUIRE((reply.ready() && reply.get()));
    CHECK(made_it(key, post_by(alice), reply.get()->headers));
  }
}

TEST_CASE_METHOD(pool_fixture, "many questions make one key and read it once", "[signing_pool]") {
  auto replies = std::vector<kit::pending_reply<signed_headers>>{};
  for (auto count = 0; count < 20; ++count)
    replies.push_back(actors.start<signed_headers>(pool, post_by(alice)));
  const auto asked = actors.start<public_key_text>(pool, ask_public_key{alice});
  actors.settle();
  REQUIRE((asked.ready() && asked.get()));
  const auto key = public_key::parse(asked.get()->pem);
  for (const auto& reply : replies) {
    REQUIRE((reply.ready() && reply.get()));
    const auto claim = claim_of(post_by(alice), reply.get()->headers);
    CHECK(key->verifies(claim.base, claim.signature));
  }
  CHECK(keys->size() == 1);
  CHECK(storage.counters()->reads == 1);
}

TEST_CASE_METHOD(pool_fixture, "nobody signs for accounts that are not ours", "[signing_pool]") {
  const auto owner = GENERATE(far, account_id{99});
  CHECK(refusal(owner) == errc::not_found);
  CHECK(storage.db().run("SELECT 1 FROM account WHERE private_key IS NOT NULL")->rows.empty());
}

TEST_CASE_METHOD(pool_fixture, "a deleted account signs with the key it had", "[signing_pool]") {
  give_key(alice, some_key());
  run("UPDATE account SET deleted_at = 5");
  CHECK(is_signed_by(post_by(alice), some_key()));
  CHECK(refusal(bob) == errc::not_found);
}

TEST_CASE_METHOD(pool_fixture, "a key that was replaced signs only what says so",
                 "[signing_pool][rotation]") {
  give_key(alice, some_key());
  CHECK(is_signed_by(post_by(alice), some_key()));
  rotate(alice, other_key());
  CHECK(is_signed_by(post_by(alice), other_key()));
  CHECK(key_of(alice) == other_key().pair.public_pem);
  auto update = post_by(alice);
  update.with_previous_key = true;
  CHECK(is_signed_by(update, some_key()));
  CHECK(is_signed_by(post_by(alice), other_key()));
  actors.advance(24h - 1s);
  CHECK(is_signed_by(update, some_key()));
  actors.advance(1s);
  CHECK(is_signed_by(update, other_key()));
}

TEST_CASE_METHOD(pool_fixture, "without a replaced key the key in use signs", "[signing_pool]") {
  give_key(alice, some_key());
  auto update = post_by(alice);
  update.with_previous_key = true;
  CHECK(is_signed_by(update, some_key()));
}

TEST_CASE_METHOD(pool_fixture, "a kept key is not trusted while a committed row is not applied",
                 "[signing_pool][rotation]") {
  give_key(alice, some_key());
  CHECK(is_signed_by(post_by(alice), some_key()));
  const auto lags = GENERATE(true, false);
  if (lags)
    position->commit(5);
  rotate(alice, other_key(), !lags);
  CHECK(is_signed_by(post_by(alice), other_key()));
  CHECK(is_signed_by(post_by(alice), other_key()));
}

TEST_CASE_METHOD(pool_fixture, "a key read before its replacement is not kept",
                 "[signing_pool][rotation]") {
  give_key(alice, some_key());
  const auto version = keys->version();
  rotate(alice, other_key());
  keys->keep(alice, std::make_shared<const own_key>(), version);
  CHECK(keys->size() == 0);
  CHECK(is_signed_by(post_by(alice), other_key()));
  CHECK(keys->size() == 1);
}

TEST_CASE("whenever a key is replaced, it signs nothing that is asked for later",
          "[signing_pool][rotation][simulation]") {
  for (auto seed = std::uint64_t{1}; seed <= 60; ++seed) {
    CAPTURE(seed);
    auto here = pool_fixture{seed};
    auto random = std::mt19937_64{seed};
    here.give_key(alice, some_key());
    for (auto early = random() % 4; early > 0; --early)
      here.actors.start<signed_headers>(here.pool, pool_fixture::post_by(alice));
    here.actors.settle_partly(random() % 30);
    const auto is_applied = random() % 2 == 0;
    here.rotate(alice, other_key(), is_applied);
    if (!is_applied)
      here.position->commit(5);
    const auto later = here.actors.start<signed_headers>(here.pool, pool_fixture::post_by(alice));
    here.actors.settle();
    REQUIRE((later.ready() && later.get()));
    CHECK(here.made_it(other_key(), pool_fixture::post_by(alice), later.get()->headers));
  }
}

TEST_CASE_METHOD(pool_fixture, "a read answers nobody who asked after it began",
                 "[signing_pool][rotation]") {
  const auto answers = std::make_shared<held_answers>();
  answers->db = storage.open_reader();
  handles.readers = {actors.spawn(slow_reader, answers)};
  pool = start_pool();
  give_key(alice, some_key());
  const auto early = actors.start<signed_headers>(pool, post_by(alice));
  actors.settle();
  rotate(alice, other_key());
  const auto later = actors.start<signed_headers>(pool, post_by(alice));
  actors.settle();
  for (auto read = 0; read < 2; ++read) {
    REQUIRE(answers->held.size() == 1);
    caf::anon_send(handles.readers[0], read_job{});
    actors.settle();
  }
  REQUIRE((early.ready() && early.get() && later.ready() && later.get()));
  CHECK(made_it(some_key(), post_by(alice), early.get()->headers));
  CHECK(made_it(other_key(), post_by(alice), later.get()->headers));
}

TEST_CASE_METHOD(pool_fixture, "keys that another secret sealed are not replaced",
                 "[signing_pool]") {
  auto foreign = some_key();
  foreign.pair.sealed_private = seal(std::string(32, 'x'), foreign.key.to_pem());
  give_key(alice, foreign);
  const auto made = sign(post_by(alice));
  REQUIRE_FALSE(made);
  CHECK(code_of(made.error()) == errc::storage_broken);
  CHECK(key_of(alice) == foreign.pair.public_pem);
  give_key(bob, other_key());
  CHECK(is_signed_by(post_by(bob), other_key()));
}

TEST_CASE_METHOD(pool_fixture, "a key that cannot be stored signs nothing, and the next try may",
                 "[signing_pool][fault]") {
  storage.faults().at_call = [](std::int64_t) {
    return make_error(errc::storage_full, "no space");
  };
  CHECK(refusal(alice) == errc::storage_full);
  storage.faults().at_call = nullptr;
  CHECK(sign(post_by(alice)));
}

TEST_CASE_METHOD(pool_fixture, "what waits is bounded, and answered when the pool ends",
                 "[signing_pool][limit]") {
  handles.readers = {actors.spawn(silent_reader)};
  pool = start_pool({.waiting_max = 3, .loads_max = 2});
  auto replies = std::vector<kit::pending_reply<signed_headers>>{};
  for (auto id = std::int64_t{100}; id < 103; ++id)
    replies.push_back(actors.start<signed_headers>(pool, post_by({id})));
  actors.settle();
  const auto refused = sign(post_by(alice));
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == errc::unavailable);
  const auto key = actors.ask<public_key_text>(pool, ask_public_key{alice});
  REQUIRE_FALSE(key);
  CHECK(code_of(key.error()) == errc::unavailable);
  actors.kill(pool);
  actors.settle();
  for (const auto& reply : replies) {
    REQUIRE(reply.ready());
    CHECK_FALSE(reply.get());
  }
}

TEST_CASE_METHOD(pool_fixture, "storage that hangs ends questions at its deadline",
                 "[signing_pool][limit]") {
  give_key(bob, some_key());
  CHECK(is_signed_by(post_by(bob), some_key()));
  handles.readers = {actors.spawn(silent_reader)};
  pool = start_pool();
  const auto waiting = actors.start<signed_headers>(pool, post_by(alice));
  actors.settle();
  // Keys that are known go on.
  CHECK(is_signed_by(post_by(bob), some_key()));
  CHECK_FALSE(waiting.ready());
  actors.advance(storage_deadline + 1s);
  const auto next = actors.start<signed_headers>(pool, post_by(far)); // looks after the first
  actors.settle();
  REQUIRE(waiting.ready());
  CHECK_FALSE(waiting.get());
  CHECK_FALSE(next.ready());
}

TEST_CASE_METHOD(pool_fixture, "a key that was replaced goes after a day", "[signing_pool]") {
  actors.spawn(housekeeper, handles, housekeeper_options{});
  give_key(alice, some_key());
  rotate(alice, other_key());
  const auto retired = [&] { return storage.db().run("SELECT 1 FROM retired_key")->rows.size(); };
  actors.advance(24h - 1min);
  CHECK(retired() == 1);
  actors.advance(11min);
  CHECK(retired() == 0);
}

TEST_CASE("direct goes before bulk, eight to one, and hosts take turns", "[signing_pool][queue]") {
  auto queue = signing_queue<std::string>{8};
  for (auto number = 0; number < 12; ++number)
    queue.put(delivery_class::direct, "flood", "d" + std::to_string(number));
  queue.put(delivery_class::direct, "small", "D");
  queue.put(delivery_class::bulk, "flood", "b0");
  queue.put(delivery_class::bulk, "flood", "b1");
  queue.put(delivery_class::bulk, "small", "B");
  CHECK(queue.size() == 16);
  auto taken = std::vector<std::string>{};
  while (auto next = queue.take())
    taken.push_back(*next);
  CHECK(taken == std::vector<std::string>{"d0", "D", "d1", "d2", "d3", "d4", "d5", "d6", "b0", "d7",
                                          "d8", "d9", "d10", "d11", "B", "b1"});
  CHECK(queue.size() == 0);
}

TEST_CASE("threads of the pool sign what one asker sends", "[signing_pool][threads]") {
  auto config = caf::actor_system_config{};
  auto system = caf::actor_system{config};
  const auto position = std::make_shared<log_position>();
  position->tick(std::chrono::steady_clock::now() + 1h);
  const auto keys = std::make_shared<key_cache>(position);
  keys->keep(alice,
             std::make_shared<const own_key>(own_key{.key_id = "k",
                                                     .public_pem = some_key().pair.public_pem,
                                                     .current = some_key().key,
                                                     .previous = std::nullopt,
                                                     .previous_until = {}}),
             keys->version());
  const auto pool = system.spawn(signing_pool,
                                 signing_pool_dependencies{.storage = {},
                                                           .keys = keys,
                                                           .secret_key = secret,
                                                           .urls = {"https://own.example"},
                                                           .clock = [] { return from_micros(1); }},
                                 signing_pool_options{.workers = 3});
  auto self = caf::scoped_actor{system};
  constexpr auto many = 60;
  for (auto count = 0; count < many; ++count)
    self->send(pool, pool_fixture::post_by(alice));
  auto first = std::optional<http_headers>{};
  for (auto count = 0; count < many; ++count)
    self->receive(
        [&](const signed_headers& made) {
          if (!first)
            first = made.headers;
          CHECK(made.headers == *first); // PKCS #1 signatures are the same each time
        },
        [&](const caf::error& failure) { FAIL(context_of(failure)); },
        caf::after(10s) >> [] { FAIL("no answer"); });
  self->send_exit(pool, caf::exit_reason::user_shutdown);
}
