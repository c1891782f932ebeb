/// An inbox lane with its storage, and a resolver that answers as a test says.
#pragma once

#include "actors/inbox_lane.hpp"

#include "actors/housekeeper.hpp"
#include "actors/inbox_waker.hpp"
#include "actors/messages.hpp"
#include "actors/shard_region.hpp"
#include "kit/both_databases.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit::inbox_lane_scene {

using namespace std::chrono_literals;

using words = std::vector<std::string>;

inline const auto e_example = host_address{.scheme = "https", .name = "e.example", .port = 443};
inline const auto f_example = host_address{.scheme = "https", .name = "f.example", .port = 443};
inline const auto silence = make_error(errc::timed_out, "silence"); ///< The resolver never answers.

/// What the resolver is asked, and how it answers: each address with success unless a test says
/// otherwise.
struct resolver_script {
  words asked;
  std::map<std::string, caf::error> failures;
  std::vector<caf::typed_response_promise<account_id>> unanswered_accounts;
  std::vector<caf::typed_response_promise<post_id>> unanswered_posts;

  template <class Id>
  caf::result<Id> answer(resolver_handle::pointer self, const std::string& url, bool refresh,
                         std::vector<caf::typed_response_promise<Id>>& unanswered) {
    asked.push_back((refresh ? "!" : "") + url);
    const auto found = failures.find(url);
    if (found == failures.end())
      return Id{1};
    if (context_of(found->second) != "silence")
      return found->second;
    unanswered.push_back(self->template make_response_promise<Id>());
    return unanswered.back();
  }
};

inline resolver_handle::behavior_type scripted_resolver(resolver_handle::pointer self,
                                                        std::shared_ptr<resolver_script> script) {
  return {[=](const resolve_account& question) {
            return script->answer(self, question.address, question.refresh,
                                  script->unanswered_accounts);
          },
          [=](const resolve_post& question) {
            return script->answer(self, question.url, question.refresh, script->unanswered_posts);
          },
          [](const resolve_url&) -> caf::result<resolved_thing> {
            return make_error(errc::not_found);
          }};
}

struct lane_fixture {
  deterministic_system actors;
  test_storage storage;
  std::shared_ptr<resolver_script> script = std::make_shared<resolver_script>();
  words points;
  words logged;
  std::map<std::string, caf::error> refused; ///< By the activity's id: what applying it answers.
  std::int64_t applications = 0;             ///< Rolled back ones included.
  std::int64_t passivations = 0;
  inbox_lane_handle lanes; ///< A region.
  inbox_lane_options options;
  std::shared_ptr<content_gate> gate; ///< Null: nothing is filtered.
  std::int64_t last_id = 0;

  explicit lane_fixture(std::uint64_t seed = 7) : actors{seed} {
    for (const auto* sql :
         {"CREATE TABLE effect(id BIGINT, what TEXT)",
          "INSERT INTO host(id, scheme, name, port) VALUES (9, 'https', 'e.example', 443)",
          "INSERT INTO account(id, name, folded, uri, created_at)"
          " VALUES (1, 'alice', 'alice', 'https://example.org/users/alice', 0)",
          "INSERT INTO account(id, host_id, name, folded, uri, created_at)"
          " VALUES (2, 9, 'eve', 'eve', 'https://e.example/users/eve', 0)",
          "INSERT INTO follow(follower, followee, at) VALUES (1, 2, 0)"})
      must(storage.db().run(sql));
  }
  ~lane_fixture() { script->unanswered_accounts.clear(), script->unanswered_posts.clear(); }

  /// Writes down what was applied, in the transaction.
  caf::error apply(write_context& context, const arrival& row, const activity& said) {
    ++applications;
    if (const auto found = refused.find(said.id); found != refused.end())
      return found->second;
    CHECK(said.actor == row.actor);
    auto added = context.db.run("INSERT INTO effect(id, what) VALUES ($1, $2)", {row.id, said.id});
    return added ? caf::error{} : std::move(added.error());
  }

  inbox_lane_dependencies dependencies(const storage_handles& handles,
                                       const host_passivator_handle& region) {
    return {.storage = handles,
            .resolver = actors.spawn(scripted_resolver, script),
            .shared = {.domain = "example.org", .own = urls_of("example.org")},
            .clock = actors.clock(),
            .region = region,
            .at_point = [this](std::string_view point) { points.emplace_back(point); },
            .apply = [this](write_context& context, const inbound_context&, const arrival& row,
                            const activity& said) { return apply(context, row, said); },
            .log = [this](std::string line) { logged.push_back(std::move(line)); },
            .gate = gate};
  }

  /// Starts what a node starts: storage, the lanes' region and the waker.
  void start() {
    const auto handles = storage.start(actors);
    auto counters = std::make_shared<region_counters>();
    lanes = actors.spawn(
        shard_region<inbox_lane_handle>,
        shard_region_state<inbox_lane_handle>::start_actor{
            [this, handles](const host_address& host, const host_passivator_handle& region) {
              return actors.remember(
                  actors.system().spawn(inbox_lane, host, dependencies(handles, region), options));
            }},
        counters, region_options_of<host_address>{});
    actors.spawn(inbox_waker, inbox_waker_dependencies{.storage = handles, .lanes = lanes},
                 inbox_waker_options{.hosts_max = 2});
  }

  /// Adds what `signer` of a host has sent; its id is "https://<host>/a/<name>".
  void arrives(const std::string& name, const std::string& rest,
               const host_address& host = e_example, const std::string& actor = {}) {
    const auto origin = "https://" + host.name;
    const auto signer = origin + "/users/eve";
    const auto id = origin + "/a/" + name;
    must(add_arrival(*storage.open_writer(),
                     {.id = ++last_id,
                      .actor = signer,
                      .ap_id = id,
                      .host = to_key(host),
                      .body = R"({"id":")" + id + R"(","actor":")" +
                              (actor.empty() ? signer : actor) + "\"," + rest + "}",
                      .at = actors.now()}));
  }
  void follows(const std::string& name, const host_address& host = e_example) {
    arrives(name, R"("type":"Follow","object":"https://example.org/users/alice")", host);
  }
  void boosts(const std::string& name, const std::string& what) {
    arrives(name, R"("type":"Announce","object":")" + what + "\"");
  }

  void wake(const host_address& host = e_example) {
    caf::anon_send(lanes, wake_inbox{host});
    actors.settle();
  }

  /// The ends of ids, in the order in which they took effect.
  words effects() {
    auto names = words{};
    for (const auto& row : must(storage.db().run("SELECT what FROM effect ORDER BY rowid")).rows)
      names.push_back(row[0].text().substr(row[0].text().rfind('/') + 1));
    return names;
  }

  /// The column `done` of each arrival.
  std::string ends() {
    auto text = std::string{};
    for (const auto& row : must(storage.db().run("SELECT done FROM inbox_log ORDER BY id")).rows)
      text += std::to_string(row[0].integer());
    return text;
  }

  inbox_report report(const host_address& host = e_example) {
    return must(actors.ask<inbox_report>(lanes, describe_inbox{host}));
  }
};

} // namespace trunkline::kit::inbox_lane_scene
