#include "kit/delivery_world.hpp"

#include "actors/fanout.hpp"
#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "storage/audience_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

log_reader_handle::behavior_type losing_hints(log_reader_handle::pointer self, log_reader_handle to,
                                              unsigned lost, std::mt19937_64* random) {
  return {
      [=](log_hint& hint) {
        if ((*random)() % 100 >= lost)
          self->send(to, std::move(hint));
      },
      [=](describe_log question) -> caf::result<log_report> {
        return self->delegate(to, question);
      },
      [](poll_log) {},
      [](close_hole) {},
  };
}

/// Signs nothing; says which kind of signature it was asked for.
signing_handle::behavior_type fake_signer(signing_handle::pointer, unsigned lost,
                                          std::mt19937_64* random,
                                          std::map<signature_scheme, int>* counts) {
  return {
      [=](const sign_request& wish) -> caf::result<signed_headers> {
        if ((*random)() % 100 < lost)
          return make_error(errc::unavailable, "signer: too many wait");
        ++(*counts)[wish.scheme];
        return signed_headers{
            {{"Signed", wish.scheme == signature_scheme::rfc9421 ? "rfc9421" : "cavage"}}};
      },
      [](ask_public_key) { return public_key_text{}; },
      [](signing_done) {},
  };
}

/// What stands between the dispatcher and the region: refuses offers, as a full region does.
remote_host_handle::behavior_type losing_offers(remote_host_handle::pointer self,
                                                remote_host_handle to, unsigned lost,
                                                std::mt19937_64* random) {
  return {
      [=](const offer_units& news) -> caf::result<void> {
        if ((*random)() % 100 < lost)
          return make_error(errc::unavailable, "region: no room");
        return self->delegate(to, news);
      },
      [=](const wake_host& wish) { self->send(to, wish); },
      [](const note_sign_of_life&) {},
      [](const fetch_document&) { return fetched_document{}; },
      [](const pause_host&) -> caf::result<void> { return caf::unit; },
      [](const resume_host&) -> caf::result<void> { return caf::unit; },
      [](const retry_host&) -> caf::result<void> { return caf::unit; },
      [](const describe_host&) { return host_report{}; },
      [](const host_timer&) {},
      [](const exchange_ended&) {},
      [](const slot_granted&) {},
  };
}

/// Brings one answer when it is due.
caf::behavior postman(caf::event_based_actor* self, std::shared_ptr<delivery_peers> peers,
                      std::chrono::microseconds after) {
  self->delayed_send(self, after, host_timer{});
  return {[=](host_timer) {
    peers->answer_due();
    self->quit();
  }};
}

} // namespace

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
  peers->run_by(
      [this] { return elapsed(); },
      [this](std::chrono::microseconds after) { actors.system().spawn(postman, peers, after); });
  has_ = std::make_shared<dispatcher_dependencies>();
  dispatcher =
      actors.spawn(trunkline::dispatcher, std::shared_ptr<const dispatcher_dependencies>{has_},
                   options_.dispatcher);
  const auto position = std::make_shared<log_position>();
  storage.position = position;
  const auto fanout = actors.spawn(trunkline::fanout,
                                   fanout_dependencies{.rings = std::make_shared<home_rings>(),
                                                       .position = position,
                                                       .caches = {},
                                                       .clock = actors.clock(),
                                                       .dispatcher = dispatcher},
                                   fanout_options{});
  handles = storage_handles{};
  handles.readers = storage.start_readers(actors, 2);
  const auto reader = actors.spawn(
      log_reader,
      log_reader_dependencies{.readers = handles.readers, .fanout = fanout, .position = position},
      log_reader_options{});
  handles.writer = storage.start_writer(
      actors, actors.spawn(losing_hints, reader, options_.hints_lost, &random_));
  const auto signer = actors.spawn(fake_signer, options_.signing_lost, &random_, &signatures);
  auto has = remote_host_dependencies{
      .storage = handles,
      .signing = signer,
      .dispatcher = dispatcher,
      .sender = peers,
      .slots = std::make_shared<delivery_slots>(options_.slots),
      .bodies = std::make_shared<delivery_bodies>(),
      .clock = actors.clock(),
      .region = {},
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
  handles.writer = writer_handle{};
  handles.readers.clear();
  has_.reset();
  actors.restart();
  start();
  if (begins)
    begin();
}

void delivery_world::kill_host(const std::string& name) {
  if (const auto found = running_.find(address(name)); found != running_.end())
    actors.kill(found->second);
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

void delivery_world::write(row next) {
  const auto fresh = audience_id{++ids_};
  caf::anon_send(handles.writer, write_job{[=](write_context& context) -> caf::error {
                   auto audience = audience_id{};
                   if (next.to_followers) {
                     auto made = audience_for_next_post(context.db, next.author, fresh);
                     if (!made)
                       return std::move(made.error());
                     audience = *made;
                   }
                   context.log.push_back({.kind = next.kind,
                                          .author = next.author,
                                          .object = {object_kind::post, 0, next.object},
                                          .cls = next.cls,
                                          .is_public = next.is_public,
                                          .audience = audience,
                                          .ap_id = next.text,
                                          .signer = next.author,
                                          .body = next.text,
                                          .extra = next.extra});
                   return {};
                 }});
}

void delivery_world::follow(account_id author, endpoint_id endpoint) {
  caf::anon_send(handles.writer, write_job{[=](write_context& context) {
                   return add_follower(context.db, author, endpoint);
                 }});
}

void delivery_world::unfollow(account_id author, endpoint_id endpoint) {
  caf::anon_send(handles.writer, write_job{[=](write_context& context) {
                   return remove_follower(context.db, author, endpoint);
                 }});
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
