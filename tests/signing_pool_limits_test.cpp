#include "kit/signing_pool_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::signing_pool_scene;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE_METHOD(pool_fixture, "what waits is bounded, and answered when the pool ends",
                 "[signing_pool][limit]") {
  handles.readers = {actors.spawn(silent_reader)};
  pool = start_pool({.waiting_max = 3, .loads_max = 2});
  auto replies = std::vector<kit::pending_reply<signed_headers>>{};
  for (auto id = std::int64_t{100}; id < 103; ++id)
    replies.push_back(actors.start<signed_headers>(pool, post_by({id})));
  actors.settle();
  const auto refused = sign(post_by(first_author));
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == errc::unavailable);
  const auto key = actors.ask<public_key_text>(pool, ask_public_key{first_author});
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
  give_key(second_author, some_key());
  CHECK(is_signed_by(post_by(second_author), some_key()));
  handles.readers = {actors.spawn(silent_reader)};
  pool = start_pool();
  const auto waiting = actors.start<signed_headers>(pool, post_by(first_author));
  actors.settle();
  // Keys that are known go on.
  CHECK(is_signed_by(post_by(second_author), some_key()));
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
  give_key(first_author, some_key());
  rotate(first_author, other_key());
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
  keys->keep(first_author,
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
    self->send(pool, pool_fixture::post_by(first_author));
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
