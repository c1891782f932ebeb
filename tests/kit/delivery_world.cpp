#include "kit/delivery_world.hpp"

#include "actors/domain_blocks.hpp"
#include "actors/fanout.hpp"
#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "kit/delivery_faults.hpp"
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
  has_ = std::make_shared<dispatcher_dependencies>();
  dispatcher =
      actors.spawn(trunkline::dispatcher, std::shared_ptr<const dispatcher_dependencies>{has_},
                   options_.dispatcher);
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
  const auto reader = actors.spawn(
      log_reader,
      log_reader_dependencies{.readers = handles.readers, .fanout = fanout, .position = position},
      options_.log_reader);
  handles.writer =
      storage.start_writer(actors, actors.spawn(losing_hints, reader, &options_, &random_));
  clients_ = std::make_shared<clients>();
  client_ = actors.spawn(clients::behavior, clients_, handles.writer);
  const auto signer = actors.spawn(fake_signer, options_.signing_lost, &random_, &signatures);
  auto sender = std::shared_ptr<http_sender>{peers};
  if (options_.answers_doubled > 0)
    sender = std::make_shared<doubling_sender>(
        peers, options_.answers_doubled, &random_,
        [this](std::chrono::microseconds after, std::function<void()> task) {
          later(after, std::move(task));
        });
  const auto steady = [this] { return actors.system().clock().now(); };
  budget = std::make_shared<delivery_budget>(options_.budget, steady);
  board = std::make_shared<host_board>();
  outage = std::make_shared<outage_guard>(options_.outage, steady);
  auto has = remote_host_dependencies{
      .storage = handles,
      .signing = signer,
      .dispatcher = dispatcher,
      .log_reader = reader,
      .sender = sender,
      .budget = budget,
      .bodies = std::make_shared<delivery_bodies>(),
      .outage = outage,
      .board = board,
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
  auto start_host = [this, has](const host_address& host, const host_passivator_handle& region) {
    auto mine = has;
    mine.region = region;
    return running_[host] = actors.spawn(remote_host, host, std::move(mine), options_.host);
  };
  hosts = actors.spawn(shard_region<remote_host_handle>, start_host, counters,
                       region_options_of<host_address>{.crashes_max = 1'000});
}

void delivery_world::begin() {
  has_->storage = handles;
  has_->hosts = caf::actor_cast<remote_host_handle>(hosts);
  if (options_.offers_lost > 0)
    has_->hosts = actors.spawn(losing_offers, has_->hosts, options_.offers_lost, &random_);
  has_->clock = actors.clock();
  has_->blocked = blocked;
  has_->board = board;
  if (options_.with_outbox)
    outbox = std::make_shared<webhook_outbox>(event_kinds::all(), "test", nullptr);
  has_->outbox = outbox;
  caf::anon_send(dispatcher, begin_delivery{});
}

void delivery_world::restart(bool begins) {
  peers->forget();
  earlier_ = elapsed();
  running_.clear();
  dispatcher = dispatcher_handle{};
  hosts = region_of<remote_host_handle>{};
  handles.writer = client_ = writer_handle{};
  handles.readers.clear();
  has_.reset();
  actors.restart();
  start();
  if (begins)
    begin();
}

void delivery_world::kill_host(const std::string& name, std::function<void()> then) {
  const auto found = running_.find(address(name));
  if (found == running_.end())
    return;
  caf::actor_cast<caf::strong_actor_ptr>(found->second)->get()->attach_functor(std::move(then));
  actors.kill(found->second);
}

bool delivery_world::runs_host(const std::string& name) const {
  const auto found = running_.find(address(name));
  return found != running_.end() && !caf::actor_cast<caf::strong_actor_ptr>(found->second)
                                         ->get()
                                         ->getf(caf::abstract_actor::is_terminated_flag);
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
