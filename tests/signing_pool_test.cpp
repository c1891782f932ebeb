#include "kit/signing_pool_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::signing_pool_scene;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE_METHOD(pool_fixture, "an account without a key gets one at its first use",
                 "[signing_pool]") {
  const auto wish = post_by(first_author);
  const auto made = sign(wish);
  REQUIRE(made);
  const auto claim = claim_of(wish, *made);
  CHECK(claim.key_id == "https://own.example/users/Alice#main-key");
  CHECK(claim.scheme == signature_scheme::cavage);
  const auto pem = key_of(first_author);
  const auto key = public_key::parse(pem);
  REQUIRE(key);
  CHECK(key->verifies(claim.base, claim.signature));

  const auto stored = find_own_key(storage.db(), first_author);
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
  const auto ours = actors.start<signed_headers>(pool, post_by(first_author));
  const auto theirs = actors.start<signed_headers>(second, post_by(first_author));
  actors.settle();
  const auto stored = find_own_key(storage.db(), first_author);
  REQUIRE((stored && *stored));
  const auto key = made_key{.key = {}, .pair = (*stored)->pair};
  for (const auto& reply : {ours, theirs}) {
    REQUIRE((reply.ready() && reply.get()));
    CHECK(made_it(key, post_by(first_author), reply.get()->headers));
  }
}

TEST_CASE_METHOD(pool_fixture, "many questions make one key and read it once", "[signing_pool]") {
  auto replies = std::vector<kit::pending_reply<signed_headers>>{};
  for (auto count = 0; count < 20; ++count)
    replies.push_back(actors.start<signed_headers>(pool, post_by(first_author)));
  const auto asked = actors.start<public_key_text>(pool, ask_public_key{first_author});
  actors.settle();
  REQUIRE((asked.ready() && asked.get()));
  const auto key = public_key::parse(asked.get()->pem);
  for (const auto& reply : replies) {
    REQUIRE((reply.ready() && reply.get()));
    const auto claim = claim_of(post_by(first_author), reply.get()->headers);
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
  give_key(first_author, some_key());
  run("UPDATE account SET deleted_at = 5");
  CHECK(is_signed_by(post_by(first_author), some_key()));
  CHECK(refusal(second_author) == errc::not_found);
}

TEST_CASE_METHOD(pool_fixture, "a key that was replaced signs only what says so",
                 "[signing_pool][rotation]") {
  give_key(first_author, some_key());
  CHECK(is_signed_by(post_by(first_author), some_key()));
  rotate(first_author, other_key());
  CHECK(is_signed_by(post_by(first_author), other_key()));
  CHECK(key_of(first_author) == other_key().pair.public_pem);
  auto update = post_by(first_author);
  update.with_previous_key = true;
  CHECK(is_signed_by(update, some_key()));
  CHECK(is_signed_by(post_by(first_author), other_key()));
  actors.advance(24h - 1s);
  CHECK(is_signed_by(update, some_key()));
  actors.advance(1s);
  CHECK(is_signed_by(update, other_key()));
}

TEST_CASE_METHOD(pool_fixture, "without a replaced key the key in use signs", "[signing_pool]") {
  give_key(first_author, some_key());
  auto update = post_by(first_author);
  update.with_previous_key = true;
  CHECK(is_signed_by(update, some_key()));
}

TEST_CASE_METHOD(pool_fixture, "a kept key is not trusted while a committed row is not applied",
                 "[signing_pool][rotation]") {
  give_key(first_author, some_key());
  CHECK(is_signed_by(post_by(first_author), some_key()));
  const auto lags = GENERATE(true, false);
  if (lags)
    position->commit(5);
  rotate(first_author, other_key(), !lags);
  CHECK(is_signed_by(post_by(first_author), other_key()));
  CHECK(is_signed_by(post_by(first_author), other_key()));
}

TEST_CASE_METHOD(pool_fixture, "a key read before its replacement is not kept",
                 "[signing_pool][rotation]") {
  give_key(first_author, some_key());
  const auto version = keys->version();
  rotate(first_author, other_key());
  keys->keep(first_author, std::make_shared<const own_key>(), version);
  CHECK(keys->size() == 0);
  CHECK(is_signed_by(post_by(first_author), other_key()));
  CHECK(keys->size() == 1);
}

TEST_CASE("whenever a key is replaced, it signs nothing that is asked for later",
          "[signing_pool][rotation][simulation]") {
  for (auto seed = std::uint64_t{1}; seed <= 60; ++seed) {
    CAPTURE(seed);
    auto here = pool_fixture{seed};
    auto random = std::mt19937_64{seed};
    here.give_key(first_author, some_key());
    for (auto early = random() % 4; early > 0; --early)
      here.actors.start<signed_headers>(here.pool, pool_fixture::post_by(first_author));
    here.actors.settle_partly(random() % 30);
    const auto is_applied = random() % 2 == 0;
    here.rotate(first_author, other_key(), is_applied);
    if (!is_applied)
      here.position->commit(5);
    const auto later =
        here.actors.start<signed_headers>(here.pool, pool_fixture::post_by(first_author));
    here.actors.settle();
    REQUIRE((later.ready() && later.get()));
    CHECK(here.made_it(other_key(), pool_fixture::post_by(first_author), later.get()->headers));
  }
}

TEST_CASE_METHOD(pool_fixture, "a read answers nobody who asked after it began",
                 "[signing_pool][rotation]") {
  const auto answers = std::make_shared<held_answers>();
  answers->db = storage.open_reader();
  handles.readers = {actors.spawn(slow_reader, answers)};
  pool = start_pool();
  give_key(first_author, some_key());
  const auto early = actors.start<signed_headers>(pool, post_by(first_author));
  actors.settle();
  rotate(first_author, other_key());
  const auto later = actors.start<signed_headers>(pool, post_by(first_author));
  actors.settle();
  for (auto read = 0; read < 2; ++read) {
    REQUIRE(answers->held.size() == 1);
    caf::anon_send(handles.readers[0], read_job{});
    actors.settle();
  }
  REQUIRE((early.ready() && early.get() && later.ready() && later.get()));
  CHECK(made_it(some_key(), post_by(first_author), early.get()->headers));
  CHECK(made_it(other_key(), post_by(first_author), later.get()->headers));
}

TEST_CASE_METHOD(pool_fixture, "keys that another secret sealed are not replaced",
                 "[signing_pool]") {
  auto foreign = some_key();
  foreign.pair.sealed_private = seal(std::string(32, 'x'), foreign.key.to_pem());
  give_key(first_author, foreign);
  const auto made = sign(post_by(first_author));
  REQUIRE_FALSE(made);
  CHECK(code_of(made.error()) == errc::storage_broken);
  CHECK(key_of(first_author) == foreign.pair.public_pem);
  give_key(second_author, other_key());
  CHECK(is_signed_by(post_by(second_author), other_key()));
}

TEST_CASE_METHOD(pool_fixture, "a key that cannot be stored signs nothing, and the next try may",
                 "[signing_pool][fault]") {
  storage.faults().at_call = [](std::int64_t) {
    return make_error(errc::storage_full, "no space");
  };
  CHECK(refusal(first_author) == errc::storage_full);
  storage.faults().at_call = nullptr;
  CHECK(sign(post_by(first_author)));
}

namespace {

/// Keeps what it is given to send.
struct keeping_sender : http_sender {
  std::vector<outgoing_request> requests;
  void send(outgoing_request request, exchange_handler done) override {
    requests.push_back(std::move(request));
    done({});
  }
};

} // namespace

TEST_CASE_METHOD(pool_fixture, "a request that is ordered is signed and sent, without an answer",
                 "[signing_pool]") {
  give_key(first_author, some_key());
  const auto sender = std::make_shared<keeping_sender>();
  auto ended = 0;
  auto refusals = std::vector<caf::error>{};
  const auto order = [&](account_id signer) {
    auto wish = post_by(signer);
    caf::anon_send(pool, sign_and_send{.wish = wish,
                                       .request = {.method = wish.method,
                                                   .url = wish.url,
                                                   .headers = {{"Content-Type", "text/plain"}},
                                                   .body = wish.body},
                                       .sender = sender,
                                       .done = [&](exchange_outcome) { ++ended; },
                                       .unsent = unsent_reply{[&](const caf::error& why) {
                                         refusals.push_back(why);
                                       }}});
  };
  order(first_author);
  order(account_id{99});
  actors.settle();
  REQUIRE(sender->requests.size() == 1);
  CHECK(ended == 1);
  CHECK(made_it(some_key(), post_by(first_author), sender->requests[0].headers));
  CHECK(find_header(sender->requests[0].headers, "Content-Type") == "text/plain");
  REQUIRE(refusals.size() == 1);
  CHECK(code_of(refusals[0]) == errc::not_found);

  // What the pool has when it ends is told as well.
  const auto full = start_pool({.workers = 1, .waiting_max = 3});
  pool = full;
  for (auto count = 0; count < 5; ++count)
    order(second_author);
  caf::anon_send_exit(full, caf::exit_reason::kill);
  actors.settle();
  CHECK(refusals.size() + sender->requests.size() == 2 + 5);

  // Wherever an order is when the pool ends: in its mailbox, parked, with a worker, too late.
  constexpr auto moments = std::size_t{8};
  for (auto steps = std::size_t{1}; steps <= moments; ++steps) {
    const auto gone = start_pool({.workers = 1});
    pool = gone;
    order(first_author);
    actors.settle_partly(steps);
    caf::anon_send_exit(gone, caf::exit_reason::kill);
    order(first_author);
    actors.settle();
    order(first_author);
    actors.settle();
  }
  CHECK(refusals.size() + sender->requests.size() == 2 + 5 + 3 * moments);
}
