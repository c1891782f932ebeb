// A shard that comes to a dispatcher later is read for again, while the others go on.
#include "tests/kit/shards_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::shards_fixture;

namespace {

using rows = std::vector<log_seq>;

/// far.example has had its rows; near.example comes later.
struct catch_up_fixture : shards_fixture {
  /// Rows 1 to `count`, one after the other to each of the two.
  void post_both(log_seq count) {
    for (auto seq = newest + 1; seq <= count; ++seq)
      seq % 2 == 1 ? post_far() : post_near();
  }

  /// A row at a time, once the offers of the one before it are taken.
  void read_slowly() { start({.batch_max = 1, .outstanding_max = 1}); }
  void take_offers() {
    caf::anon_send(has->hosts, note_sign_of_life{});
    actors.settle();
  }

  bool is_open(const host_address& host, log_seq seq) {
    auto wish = ask_open_units{};
    wish.units.push_back({.host = {kit::host_row_id(host.name)},
                          .unit = {seq, kit::shared_endpoint(host.name)},
                          .address = host});
    return kit::must(actors.ask<open_units>(dispatcher, wish)).open.at(0);
  }
};

} // namespace

TEST_CASE_METHOD(catch_up_fixture,
                 "a shard that comes is offered what is open, others nothing twice",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_both(6);
  CHECK(offered(far()) == rows{1, 3, 5});
  own(near_shard());
  CHECK(offered(near()) == rows{2, 4, 6});
  CHECK(offered(far()) == rows{1, 3, 5});
  post_both(8);
  CHECK(offered(near()) == rows{2, 4, 6, 8});
  CHECK(offered(far()) == rows{1, 3, 5, 7});
  CHECK(report().sums == delivery_sums{.offered = 8, .pending = 8});
}

TEST_CASE_METHOD(catch_up_fixture, "a shard is read for from its own mark",
                 "[dispatcher][shards]") {
  run();
  own(far_shard() | near_shard());
  post_both(4);
  settle(near(), {2}, 4);
  settle(far(), {1, 3}, 3);
  CHECK_FALSE(give_up(near_shard()).failure());
  post_both(6);
  own(near_shard());
  CHECK(offered(near()) == rows{2, 4, 6}); // 4 was told to be settled with all up to it
  CHECK(offered(far()) == rows{1, 3, 5});
}

TEST_CASE_METHOD(catch_up_fixture, "while a shard catches up each knows what it was handed",
                 "[dispatcher][shards]") {
  read_slowly();
  run();
  own(far_shard());
  post_both(6);
  settle(far(), {1, 3, 5}, 5);
  noted.holds = true; // the log is read on when the offer is taken
  own(near_shard());
  REQUIRE(offered(near()) == rows{2});
  CHECK(is_open(near(), 2));
  CHECK(is_open(near(), 4)); // not handed out yet
  CHECK_FALSE(is_open(far(), 5));
  CHECK(kit::must(adopt(far())).bulk.offered_upto == 6);
  CHECK(kit::must(adopt(near())).bulk.offered_upto < 4);
  CHECK(report().dispatched == 6);
  actors.advance(2s);
  CHECK(marks(far_shard()) == std::vector<std::string>{"6"}); // it goes on
  settle(near(), {2}, 2);
  actors.advance(2s);
  REQUIRE(marks(near_shard()).size() == 1);
  CHECK(std::stoi(marks(near_shard())[0]) < 4); // and this one passes nothing unread
  noted.holds = false;
  take_offers();
  CHECK(offered(near()) == rows{2, 4, 6});
  CHECK(offered(far()) == rows{1, 3, 5});
}

TEST_CASE_METHOD(catch_up_fixture, "what is being read for others is read again for a new shard",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_both(2);
  SECTION("the recipients of a row") {
    script.holds = true;
    actors.advance(61s); // what was known of them is forgotten
    hint(commit());
    actors.settle();
  }
  SECTION("rows of the log") {
    script.holds = true;
    commit();
    hint(commit(true, near_endpoint()));
    actors.settle();
  }
  auto other_script = kit::reader_script{};
  const auto first = has->storage.readers.front();
  has->storage.readers = {actors.spawn(
      kit::scripted_reader, std::shared_ptr<database>{storage.open_reader()}, &other_script)};
  caf::anon_send(dispatcher, own_host_shards{near_shard()});
  while (other_script.reads == 0)
    actors.settle_partly(1);
  other_script.holds = true; // the shard is loaded; what is open in it is being read
  actors.settle();
  CHECK(offered(near()).empty());
  caf::anon_send(first, read_job{}); // what it read for the others comes now
  actors.settle();
  CHECK(offered(near()).empty());
  caf::anon_send(has->storage.readers.front(), read_job{});
  actors.settle();
  const auto is_all = [&] {
    return offered(far()).size() + offered(near()).size() == static_cast<std::size_t>(newest);
  };
  CHECK(is_all());
  post_far();
  CHECK(is_all());
  CHECK(std::ranges::is_sorted(offered(far())));
  CHECK(std::ranges::is_sorted(offered(near())));
}

TEST_CASE_METHOD(catch_up_fixture, "a shard is read for although no hint ever came",
                 "[dispatcher][shards]") {
  commit();
  commit(true, near_endpoint());
  run();
  own(far_shard());
  own(near_shard());
  CHECK(offered(far()) == rows{1});
  CHECK(offered(near()) == rows{2});
}

TEST_CASE_METHOD(catch_up_fixture,
                 "a shard that comes while another catches up is read for as well",
                 "[dispatcher][shards]") {
  read_slowly();
  run();
  post_both(6);
  noted.holds = true;
  own(near_shard());
  own(far_shard());
  for (auto more = 0; more < 9; ++more)
    take_offers();
  CHECK(offered(near()) == rows{2, 4, 6});
  CHECK(offered(far()) == rows{1, 3, 5});
}

namespace {

/// Hosts that take what they are offered, and tell so.
remote_host_handle::behavior_type taking_hosts(remote_host_handle::pointer self,
                                               dispatcher_handle dispatcher,
                                               std::vector<offer_units>* taken) {
  return kit::deaf_host(
      [=](const offer_units& news) -> caf::result<void> {
        taken->push_back(news);
        auto progress = class_progress{};
        for (const auto& unit : news.units) {
          progress.settled.push_back({unit.key()});
          progress.received_upto = unit.seq;
        }
        self->send(
            dispatcher,
            host_progress{.host = news.host, .id = news.id, .classes = {std::move(progress)}});
        return caf::unit;
      },
      [](const wake_host&) {}, [](const note_sign_of_life&) {});
}

std::set<log_seq> taken_by(const host_address& host, const std::vector<offer_units>& taken) {
  auto seqs = std::set<log_seq>{};
  for (const auto& offer : taken)
    if (offer.host == host)
      for (const auto& unit : offer.units)
        seqs.insert(unit.seq);
  return seqs;
}

/// Runs a catch-up with a checkpoint after each row; the node dies after `steps` messages.
/// Returns whether it was over by then.
bool crash_after(std::size_t steps) {
  auto here = catch_up_fixture{};
  here.start(
      {.batch_max = 1, .outstanding_max = 1, .checkpoint_interval = 1ms, .recipients_kept = 0s});
  here.run();
  auto taken = std::vector<offer_units>{};
  here.has->hosts = here.actors.spawn(taking_hosts, here.dispatcher, &taken);
  here.own(here.far_shard());
  for (auto seq = 1; seq <= 8; ++seq)
    seq % 2 == 1 ? here.post_far() : here.post_near();
  here.actors.advance(10ms);
  REQUIRE(taken_by(here.far(), taken) == std::set<log_seq>{1, 3, 5, 7});
  caf::anon_send(here.dispatcher, own_host_shards{here.near_shard()});
  here.actors.stop_after(steps);
  for (auto passed = 0; passed < 40 && !here.actors.is_stopped(); ++passed)
    here.actors.advance(1ms);
  const auto is_over = !here.actors.is_stopped();
  here.actors.stop_after(SIZE_MAX);
  const auto before = taken;
  here.restart();
  here.own(here.far_shard() | here.near_shard());
  auto again = taken_by(here.near(), here.noted.offers);
  again.merge(taken_by(here.near(), before));
  CHECK(again == std::set<log_seq>{2, 4, 6, 8}); // nothing is lost
  if (is_over)
    CHECK(here.noted.offers.empty()); // nor sent again
  CHECK(taken_by(here.far(), here.noted.offers).empty());
  return is_over;
}

} // namespace

TEST_CASE("nothing is lost at whatever step of catching up the node dies", "[dispatcher][shards]") {
  auto steps = std::size_t{0};
  auto is_over = false;
  while (!is_over) {
    CAPTURE(++steps);
    is_over = crash_after(steps);
  }
  CHECK(steps > 30);
}
