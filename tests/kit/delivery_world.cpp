#include "kit/delivery_world.hpp"

#include "actors/domain_blocks.hpp"
#include "actors/fanout.hpp"
#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "kit/delivery_faults.hpp"
#include "kit/delivery_nodes.hpp"
#include "storage/audience_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <utility>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

/// Runs a task when it is due.
caf::behavior timed_task(caf::event_based_actor* self, std::chrono::microseconds after,
                         std::function<void()> task) {
  self->delayed_send(self, after, host_timer{});
  return {[=](host_timer) {
    task();
    self->quit();
  }};
}

object_key key_of(const delivery_world::row& row) {
  const auto is_like = row.kind == log_kind::like || row.kind == log_kind::undo_like;
  return is_like ? object_key{object_kind::like, row.author.value, row.object}
                 : object_key{object_kind::post, 0, row.object};
}

} // namespace

/// Asks the writer one thing after the other, and tells what became of each.
struct delivery_world::clients {
  std::deque<answered> asking;

  static writer_handle::behavior_type behavior(writer_handle::pointer self,
                                               std::shared_ptr<clients> all, writer_handle writer) {
    return {
        [=](const write_job& job) -> caf::result<void> {
          auto done = std::move(all->asking.front());
          all->asking.pop_front();
          if (!done)
            caf::anon_send(writer, job);
          else
            self->request(writer, caf::infinite, job)
                .then([done] { done({}); }, [done](const caf::error& failure) { done(failure); });
          return caf::unit;
        },
        [](flush_batch) {},
    };
  }
};

delivery_world::delivery_world(delivery_world_options options)
    : actors{options.seed}, storage{options.open ? test_storage{options.open} : test_storage{}},
      options_{std::move(options)}, random_{options_.seed} {
  start();
  begin();
}

delivery_world::~delivery_world() {
  peers->forget();
}

void delivery_world::start() {
  started_ = actors.system().clock().now();
  peers->run_by([this] { return elapsed(); },
                [this](std::chrono::microseconds after) {
                  later(after, [answering = peers] { answering->answer_due(); });
                });
  nodes_.resize(options_.nodes);
  for (auto& each : nodes_)
    start_dispatcher(each);
  dispatcher = nodes_[0].dispatcher;
  if (options_.nodes > 1)
    dispatcher = actors.spawn(
        all_dispatchers,
        [this] {
          auto all = std::vector<dispatcher_handle>{};
          for (const auto& each : nodes_)
            all.push_back(each.dispatcher);
          return all;
        },
        [this](const host_address& host) { return node_of(host); });
  blocked = std::make_shared<blocked_domains>();
  const auto position = std::make_shared<log_position>();
  storage.position = position;
  const auto fanout = actors.spawn(trunkline::fanout,
                                   fanout_dependencies{.rings = std::make_shared<home_rings>(),
                                                       .position = position,
                                                       .caches = {blocked},
                                                       .clock = actors.clock(),
                                                       .dispatcher = dispatcher},
                                   fanout_options{});
  handles = storage_handles{};
  handles.readers = storage.start_readers(actors, 2);
  log_reader_ = actors.spawn(
      log_reader,
      log_reader_dependencies{.readers = handles.readers, .fanout = fanout, .position = position},
      options_.log_reader);
  handles.writer =
      storage.start_writer(actors, actors.spawn(losing_hints, log_reader_, &options_, &random_));
  clients_ = std::make_shared<clients>();
  client_ = actors.spawn(clients::behavior, clients_, handles.writer);
  signer_ = actors.spawn(fake_signer, options_.signing_lost, &random_, &signatures);
  sender_ = peers;
  if (options_.answers_doubled > 0)
    sender_ = std::make_shared<doubling_sender>(
        peers, options_.answers_doubled, &random_,
        [this](std::chrono::microseconds after, std::function<void()> task) {
          later(after, std::move(task));
        });
  for (auto number = std::size_t{0}; number < nodes_.size(); ++number)
    start_hosts(number);
  budget = nodes_[0].budget;
  outage = nodes_[0].outage;
  board = nodes_[0].board;
  hosts = nodes_[0].hosts;
  if (options_.nodes > 1)
    hosts = actors.spawn(region_by_host,
                         [this](const host_address& host) { return nodes_[node_of(host)].hosts; });
}

void delivery_world::start_dispatcher(node& one) {
  auto options = options_.dispatcher;
  options.owns_all = options_.nodes == 1;
  one.has = std::make_shared<dispatcher_dependencies>();
  one.dispatcher = actors.spawn(trunkline::dispatcher,
                                std::shared_ptr<const dispatcher_dependencies>{one.has}, options);
}

void delivery_world::start_hosts(std::size_t number) {
  const auto steady = [this] { return actors.system().clock().now(); };
  auto& one = nodes_[number];
  one.budget = std::make_shared<delivery_budget>(options_.budget, steady);
  one.board = std::make_shared<host_board>();
  one.outage = std::make_shared<outage_guard>(options_.outage, steady);
  one.places = std::make_shared<shard_places>();
  auto has = remote_host_dependencies{
      .storage = handles,
      .signing = signer_,
      .dispatcher = one.dispatcher,
      .log_reader = log_reader_,
      .sender = sender_,
      .budget = one.budget,
      .bodies = std::make_shared<delivery_bodies>(),
      .outage = one.outage,
      .board = one.board,
      .urls = urls_of("here.example"),
      .clock = actors.clock(),
      .region = {},
      .blocked = blocked,
      .log = [this](std::string line) { lines.push_back(std::move(line)); },
      .on_missing = [this](missing_inbox what) { missing.push_back(std::move(what)); },
      .on_delivery =
          [this](const delivery_event& event) {
            deliveries.push_back(event);
            if (outbox)
              outbox->add(event);
          },
      .on_state =
          [this](const host_state_event& event) {
            states.push_back(event);
            if (outbox)
              outbox->add(event);
          },
      .seed = random_()};
  auto start_one = [this, number, has](const host_address& host,
                                       const host_passivator_handle& region) {
    auto mine = has;
    mine.region = region;
    return start_host(number, host, std::move(mine));
  };
  auto limits = region_options_of<host_address>{.crashes_max = 1'000};
  if (options_.nodes > 1)
    limits.may_start = [places = one.places](const host_address& host) {
      return places->has(host);
    };
  one.hosts = actors.spawn(shard_region<remote_host_handle>, start_one, counters, limits);
}

remote_host_handle delivery_world::start_host(std::size_t number, const host_address& host,
                                              remote_host_dependencies has) {
  if (const auto found = running_.find(host); found != running_.end() && is_running(found->second))
    two_actors.push_back(host.name);
  const auto actor = actors.spawn(remote_host, host, std::move(has), options_.host);
  running_.insert_or_assign(host, running_host{actor, number});
  return actor;
}

void delivery_world::begin() {
  if (options_.with_outbox)
    outbox = std::make_shared<webhook_outbox>(event_kinds::all(), "test", nullptr);
  for (auto& each : nodes_)
    begin(each);
}

void delivery_world::begin(node& one) {
  auto& has = *one.has;
  has.storage = handles;
  has.hosts = caf::actor_cast<remote_host_handle>(one.hosts);
  if (options_.offers_lost > 0)
    has.hosts = actors.spawn(losing_offers, has.hosts, options_.offers_lost, &random_);
  has.clock = actors.clock();
  has.blocked = blocked;
  has.board = one.board;
  has.outbox = outbox;
  has.places = one.places;
  has.stopper = caf::actor_cast<host_stopper_handle>(one.hosts);
  caf::anon_send(one.dispatcher, begin_delivery{});
  if (options_.nodes > 1)
    tell_shards(static_cast<std::size_t>(&one - nodes_.data()));
}

void delivery_world::restart(bool begins) {
  peers->forget();
  earlier_ = elapsed();
  running_.clear();
  dispatcher = dispatcher_handle{};
  hosts = region_of<remote_host_handle>{};
  for (auto& each : nodes_)
    each = {.life = each.life + 1};
  moving_.reset();
  log_reader_ = log_reader_handle{};
  signer_ = signing_handle{};
  handles.writer = client_ = writer_handle{};
  handles.readers.clear();
  actors.restart();
  start();
  if (begins)
    begin();
}

void delivery_world::kill_host(const std::string& name, std::function<void()> then) {
  const auto found = running_.find(address(name));
  if (found == running_.end())
    return;
  const auto& actor = found->second.actor;
  caf::actor_cast<caf::strong_actor_ptr>(actor)->get()->attach_functor(std::move(then));
  actors.kill(actor);
}

bool delivery_world::is_running(const running_host& host) {
  return !caf::actor_cast<caf::strong_actor_ptr>(host.actor)
              ->get()
              ->getf(caf::abstract_actor::is_terminated_flag);
}

bool delivery_world::runs_host(const std::string& name) const {
  const auto found = running_.find(address(name));
  return found != running_.end() && is_running(found->second);
}

std::vector<endpoint_id> delivery_world::add_host(const std::string& name, int persons) {
  auto writer = storage.open_writer();
  const auto host = must(ensure_host(*writer, address(name), host_id{++ids_}));
  auto made = std::vector<endpoint_id>{};
  const auto add = [&](const std::string& path, bool shared) {
    made.push_back(must(
        ensure_endpoint(*writer, {host, "https://" + name + path, shared}, endpoint_id{++ids_})));
  };
  add("/inbox", true);
  for (auto number = 1; number <= persons; ++number)
    add("/" + std::to_string(number) + "/inbox", false);
  return made;
}

void delivery_world::change(write_job job, answered done) {
  clients_->asking.push_back(std::move(done));
  caf::anon_send(client_, std::move(job));
}

void delivery_world::later(std::chrono::microseconds after, std::function<void()> task) {
  actors.system().spawn(timed_task, after, std::move(task));
}

void delivery_world::write(row next, answered done) {
  const auto fresh = audience_id{++ids_};
  auto job = [=](write_context& context) -> caf::error {
    auto audience = audience_id{};
    if (next.to_followers) {
      auto made = audience_for_next_post(context.db, next.author, fresh);
      if (!made)
        return std::move(made.error());
      audience = *made;
    }
    context.log.push_back({.kind = next.kind,
                           .author = next.author,
                           .object = key_of(next),
                           .cls = next.cls,
                           .is_public = next.is_public,
                           .audience = audience,
                           .ap_id = next.text,
                           .signer = next.author,
                           .body = next.text,
                           .extra = next.extra});
    return {};
  };
  change({std::move(job)}, std::move(done));
}

void delivery_world::follow(account_id author, endpoint_id endpoint, answered done) {
  change({[=](write_context& context) { return add_follower(context.db, author, endpoint); }},
         std::move(done));
}

void delivery_world::unfollow(account_id author, endpoint_id endpoint, answered done) {
  change({[=](write_context& context) { return remove_follower(context.db, author, endpoint); }},
         std::move(done));
}

void delivery_world::block(const std::string& name, answered done) {
  change({[=](write_context& context) -> caf::error {
           const auto made = block_domain_for_all({.host = name}).run(context);
           return made ? caf::error{} : made.error();
         }},
         std::move(done));
}

void delivery_world::unblock(const std::string& name, answered done) {
  change({[=](write_context& context) -> caf::error {
           const auto made = unblock_domain_for_all(name).run(context);
           return made ? caf::error{} : made.error();
         }},
         std::move(done));
}

std::chrono::microseconds delivery_world::elapsed() {
  const auto since = actors.system().clock().now() - started_;
  return earlier_ + std::chrono::duration_cast<std::chrono::microseconds>(since);
}

host_report delivery_world::report(const std::string& name) {
  return must(actors.ask<host_report>(hosts, describe_host{address(name)}));
}

dispatcher_report delivery_world::books() {
  return must(actors.ask<dispatcher_report>(dispatcher, describe_dispatcher{}));
}

std::vector<std::string> delivery_world::all(const std::string& sql) {
  return rows_of(db().run(sql));
}

std::int64_t delivery_world::count(const std::string& sql) {
  return must(db().run(sql)).rows.at(0)[0].integer();
}

} // namespace trunkline::kit
