/// A dispatcher on real storage, whose hosts note what they are told.
#pragma once

#include "actors/dispatcher.hpp"
#include "actors/messages.hpp"
#include "kit/deaf_host.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/remote_rows.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// What the hosts of a region were told. Offers are answered, refused, or kept waiting.
struct noted_offers {
  std::vector<offer_units> offers;
  std::vector<host_address> woken;
  bool refuses = false;
  bool holds = false;
  std::vector<caf::typed_response_promise<caf::unit_t>> held;

  std::vector<log_seq> rows() const {
    auto seqs = std::vector<log_seq>{};
    for (const auto& offer : offers)
      for (const auto& unit : offer.units)
        seqs.push_back(unit.seq);
    return seqs;
  }
};

inline remote_host_handle::behavior_type noting_hosts(remote_host_handle::pointer self,
                                                      noted_offers* noted) {
  return deaf_host(
      [=](const offer_units& news) -> caf::result<void> {
        if (noted->refuses)
          return make_error(errc::unavailable, "no room");
        noted->offers.push_back(news);
        if (!noted->holds)
          return caf::unit;
        noted->held.push_back(self->make_response_promise<caf::unit_t>());
        return noted->held.back();
      },
      [=](const wake_host& wish) { noted->woken.push_back(wish.host); },
      [=](const note_sign_of_life&) { // lets the offers go
        for (auto& reply : std::exchange(noted->held, {}))
          reply.deliver(caf::unit);
      });
}

/// A reader that can be stopped after it has read and before it answers: a job without work lets
/// it go on.
struct reader_script {
  bool holds = false;
  bool fails = false;
  int reads = 0;
  std::vector<caf::typed_response_promise<caf::unit_t>> held;
};

inline reader_handle::behavior_type
scripted_reader(reader_handle::pointer self, std::shared_ptr<database> db, reader_script* script) {
  return {[=](const read_job& job) -> caf::result<void> {
    if (!job.run) {
      script->holds = false;
      for (auto& reply : std::exchange(script->held, {}))
        reply.deliver(caf::unit);
      return caf::unit;
    }
    ++script->reads;
    if (script->fails)
      return make_error(errc::unavailable, "database: away");
    job.run(*db);
    if (!script->holds)
      return caf::unit;
    script->held.push_back(self->make_response_promise<caf::unit_t>());
    return script->held.back();
  }};
}

struct dispatcher_fixture {
  deterministic_system actors;
  test_storage storage;
  noted_offers noted;
  reader_script script;
  std::shared_ptr<dispatcher_dependencies> has = std::make_shared<dispatcher_dependencies>();
  std::shared_ptr<host_board> board = std::make_shared<host_board>();
  dispatcher_handle dispatcher;
  log_seq newest = 0;
  static constexpr auto author = account_id{1};

  dispatcher_fixture() {
    add_remote(*storage.open_writer(), {account_id{20}, "ann"});
    start();
  }

  void start(dispatcher_options options = {}) {
    has = std::make_shared<dispatcher_dependencies>();
    dispatcher = actors.spawn(trunkline::dispatcher,
                              std::shared_ptr<const dispatcher_dependencies>{has}, options);
  }

  void begin() {
    has->storage = storage.start(actors);
    has->storage.readers = {
        actors.spawn(scripted_reader, std::shared_ptr<database>{storage.open_reader()}, &script)};
    has->hosts = actors.spawn(noting_hosts, &noted);
    has->clock = actors.clock();
    has->board = board;
    caf::anon_send(dispatcher, begin_delivery{});
  }

  void run() {
    begin();
    actors.settle();
  }

  /// Commits a row that is owed to an inbox, of far.example if not said.
  log_entry commit(bool is_remote = true, endpoint_id to = shared_endpoint()) {
    const auto row = log_entry{.seq = ++newest,
                               .at = actors.now(),
                               .author = author,
                               .object = {object_kind::post, 0, newest},
                               .extra = is_remote ? std::vector{to} : std::vector<endpoint_id>{}};
    must(storage.open_writer()->run(
        "INSERT INTO log(seq, at, kind, author, object_key, class, public) VALUES"
        " ($1, $2, $3, $4, $5, $6, 1)",
        {row.seq, row.at, static_cast<int>(row.kind), row.author, to_string(row.object),
         static_cast<int>(row.cls)}));
    for (const auto endpoint : row.extra)
      must(storage.open_writer()->run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)",
                                      {row.seq, endpoint}));
    return row;
  }

  void hint(log_entry row) {
    auto news = dispatch_rows{.previous = row.seq - 1, .upto = row.seq};
    if (!row.extra.empty())
      news.rows.push_back(std::move(row));
    caf::anon_send(dispatcher, std::move(news));
  }

  /// far.example has settled the unit of a row, and those of all rows before it.
  void tell_settled(log_seq seq) {
    caf::anon_send(dispatcher, host_progress{.host = far(),
                                             .id = {host_row_id("far.example")},
                                             .classes = {{.settled = {{{seq, shared_endpoint()}}},
                                                          .received_upto = seq}}});
  }

  dispatcher_report report() {
    return must(actors.ask<dispatcher_report>(dispatcher, describe_dispatcher{}));
  }

  host_address far() const { return {"https", "far.example", 443}; }
};

} // namespace trunkline::kit
