/// A dispatcher that is told which shards are its node's, and two hosts in different ones.
#pragma once

#include "tests/kit/dispatcher_fixture.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// What the region was told to stop: answered at once, or when it is told to stop nobody in
/// particular.
struct noted_stops {
  std::vector<stop_hosts> asked;
  bool holds = false;
  std::vector<caf::typed_response_promise<caf::unit_t>> held;
};

inline host_stopper_handle::behavior_type noting_stopper(host_stopper_handle::pointer self,
                                                         noted_stops* noted) {
  return {[=](const stop_hosts& wish) -> caf::result<void> {
    if (!wish.are_meant) {
      for (auto& reply : std::exchange(noted->held, {}))
        reply.deliver(caf::unit);
      return caf::unit;
    }
    noted->asked.push_back(wish);
    if (!noted->holds)
      return caf::unit;
    noted->held.push_back(self->make_response_promise<caf::unit_t>());
    return noted->held.back();
  }};
}

/// Changes that a writer has not begun with, until it is told to flush.
struct held_writes {
  bool holds = false;
  std::vector<std::pair<write_job, caf::typed_response_promise<caf::unit_t>>> held;
};

inline writer_handle::behavior_type holding_writer(writer_handle::pointer self,
                                                   const writer_handle& to, held_writes* writes) {
  const auto hand_on = [=](const write_job& job, caf::typed_response_promise<caf::unit_t> reply) {
    self->request(to, caf::infinite, job)
        .then([=]() mutable { reply.deliver(caf::unit); },
              [=](caf::error& failure) mutable { reply.deliver(std::move(failure)); });
  };
  return {[=](const write_job& job) -> caf::result<void> {
            auto reply = self->make_response_promise<caf::unit_t>();
            if (writes->holds)
              writes->held.emplace_back(job, reply);
            else
              hand_on(job, reply);
            return reply;
          },
          [=](flush_batch) {
            writes->holds = false;
            for (auto& [job, reply] : std::exchange(writes->held, {}))
              hand_on(job, reply);
          }};
}

struct shards_fixture : dispatcher_fixture {
  noted_stops stops;
  held_writes writes;
  std::shared_ptr<shard_places> places = std::make_shared<shard_places>();

  shards_fixture() {
    add_remote(*storage.open_writer(), {account_id{21}, "bea", "near.example"});
    start();
  }
  void start() { start({}); }
  void start(dispatcher_options options) {
    options.owns_all = false;
    dispatcher_fixture::start(options);
  }

  void run() {
    has->stopper = actors.spawn(noting_stopper, &stops);
    has->places = places;
    begin();
    has->storage.writer = actors.spawn(holding_writer, has->storage.writer, &writes);
    actors.settle();
  }

  /// The dispatcher dies, and a new one begins on the same database.
  void restart() {
    actors.kill(dispatcher);
    actors.settle();
    script.held.clear();
    noted.held.clear();
    stops.held.clear();
    script.holds = noted.holds = stops.holds = false;
    noted.offers.clear();
    places = std::make_shared<shard_places>();
    board = std::make_shared<host_board>();
    start();
    run();
  }

  host_address near() const { return {"https", "near.example", 443}; }
  static endpoint_id near_endpoint() { return shared_endpoint("near.example"); }
  shard_set far_shard() const { return shard_set{}.set(host_shard(far())); }
  shard_set near_shard() const { return shard_set{}.set(host_shard(near())); }

  void own(const shard_set& shards) {
    caf::anon_send(dispatcher, own_host_shards{shards});
    actors.settle();
  }
  /// The hosts that were told to stop are gone, as soon as the region hears of it.
  void end_hosts() { caf::anon_send(has->stopper, stop_hosts{}); }
  pending_done give_up(const shard_set& shards) {
    auto done = actors.start_done(dispatcher, give_up_host_shards{shards});
    actors.settle();
    return done;
  }

  void post_far() { post(shared_endpoint()); }
  void post_near() { post(near_endpoint()); }
  void post(endpoint_id to) {
    hint(commit(true, to));
    actors.settle();
  }

  /// The host has settled these rows; nothing of it is open.
  void settle(const host_address& host, const std::vector<log_seq>& rows, log_seq received) {
    auto news = class_progress{.received_upto = received};
    for (const auto seq : rows)
      news.settled.push_back({{seq, shared_endpoint(host.name)}});
    caf::anon_send(
        dispatcher,
        host_progress{.host = host, .id = {host_row_id(host.name)}, .classes = {std::move(news)}});
    actors.settle();
  }

  /// The rows that a host was offered, in order.
  std::vector<log_seq> offered(const host_address& host) const {
    auto seqs = std::vector<log_seq>{};
    for (const auto& offer : noted.offers)
      if (offer.host == host)
        for (const auto& unit : offer.units)
          seqs.push_back(unit.seq);
    return seqs;
  }

  caf::expected<host_cursor> adopt(const host_address& host) {
    return actors.ask<host_cursor>(dispatcher, adopt_host{host});
  }

  std::vector<std::string> marks(const shard_set& of) {
    auto found = std::vector<std::string>{};
    for (const auto& row : must(storage.db().run("SELECT shard, seq FROM shard_mark WHERE kind = 2"
                                                 " AND class = 2 ORDER BY shard"))
                               .rows)
      if (of[static_cast<std::size_t>(row[0].integer())])
        found.push_back(std::to_string(row[1].integer()));
    return found;
  }
};

} // namespace trunkline::kit
