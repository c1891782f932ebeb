/// A host that operators give orders to.
#pragma once

#include "tests/kit/remote_host_fixture.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace trunkline::kit::remote_host_scene {

struct orders_fixture : remote_host_fixture {
  using remote_host_fixture::remote_host_fixture;

  template <class Wish>
  caf::expected<operated_host> order(Wish wish, bool dry_run = false) {
    auto reply = actors.start<operated_host>(
        hosts, operate_host{.host = address(), .wish = std::move(wish), .dry_run = dry_run});
    for (auto waited = 0; waited < 200 && !reply.ready(); ++waited)
      advance(50ms);
    if (!reply.ready())
      return make_error(errc::timed_out, "no answer");
    return reply.get();
  }

  template <class Wish>
  std::int64_t reached(Wish wish, bool dry_run = false) {
    return must(order(std::move(wish), dry_run)).units;
  }

  void store_post(std::int64_t id, int author = 1) {
    must(
        storage.open_writer()->run("INSERT INTO post(id, author, uri, visibility, created_at, text)"
                                   " VALUES ($1, $2, 'x', 1, 0, '')",
                                   {id, author}));
  }

  void suspend() {
    answer(no_connection());
    post();
    advance(20s);
    REQUIRE(far().state == "suspended");
  }

  host_queue queue(list_queue wish = {}) {
    wish.host = address();
    return must(actors.ask<host_queue>(hosts, wish));
  }

  texts listed(list_queue wish = {}) {
    auto all = texts{};
    for (const auto& item : queue(wish).items)
      all.push_back(std::to_string(item.unit.seq));
    return all;
  }
};

} // namespace trunkline::kit::remote_host_scene
