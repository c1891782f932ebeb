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

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

const auto e_example = host_address{.scheme = "https", .name = "e.example", .port = 443};
const auto f_example = host_address{.scheme = "https", .name = "f.example", .port = 443};
const auto silence = make_error(errc::timed_out, "silence"); ///< The resolver never answers.

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

resolver_handle::behavior_type scripted_resolver(resolver_handle::pointer self,
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
            .log = [this](std::string line) { logged.push_back(std::move(line)); }};
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

} // namespace

TEST_CASE_METHOD(lane_fixture, "a host's arrivals are applied in their order, each once",
                 "[inbox_lane][I3]") {
  start();
  for (const auto* name : {"1", "2", "3"})
    follows(name);
  wake();
  CHECK(effects() == words{"1", "2", "3"});
  CHECK(ends() == "111");
  wake();
  wake();
  CHECK(effects() == words{"1", "2", "3"});
  CHECK(applications == 3);
  CHECK(report().applied == 3);
  CHECK(points == words{"inbox_applying", "inbox_applied", "inbox_applying", "inbox_applied",
                        "inbox_applying", "inbox_applied"});
}

TEST_CASE_METHOD(lane_fixture, "what waits since before the start is applied at the start",
                 "[inbox_lane][inbox_waker]") {
  for (const auto* name : {"a", "b", "c", "d", "e"})
    follows(name, {.scheme = "https", .name = std::string{name} + ".example", .port = 443});
  start();
  actors.settle();
  CHECK(effects().size() == 2); // a page
  actors.advance(1s);
  CHECK(effects().size() == 4);
  actors.advance(1s);
  CHECK(effects().size() == 5);
  follows("late"); // nobody tells the lane
  actors.advance(58s);
  CHECK(effects().size() == 5);
  actors.advance(4s);
  CHECK(effects().size() == 6);
}

TEST_CASE_METHOD(lane_fixture, "a lane that fails or waits holds its own host alone",
                 "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = silence;
  start();
  follows("1");
  follows("2");
  follows("other", f_example);
  wake();
  wake(f_example);
  CHECK(effects() == words{"other"});
  CHECK(ends() == "001");
}

TEST_CASE_METHOD(lane_fixture, "the sender is asked again and again, for about an hour",
                 "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = make_error(errc::unavailable, "suspended");
  start();
  follows("1");
  follows("2");
  wake();
  CHECK(script->asked.size() == 1);
  CHECK(report().last_error == "suspended");
  actors.advance(29s);
  CHECK(script->asked.size() == 1);
  actors.advance(2s);
  CHECK(script->asked.size() == 2);
  CHECK(report().failures == 2);
  actors.advance(50min);
  CHECK(ends() == "00");
  actors.advance(13min);
  CHECK(script->asked.size() == 9); // 8 tries, and one of the next that is not repeated
  CHECK(ends() == "22");
  CHECK(report().given_up == 2);
  // It is applied with what was there.
  CHECK(effects() == words{"1", "2"});

  script->failures.clear();
  follows("3");
  wake();
  CHECK(ends() == "221");
  script->failures["https://e.example/users/eve"] = make_error(errc::unavailable, "suspended");
  follows("4");
  wake();
  CHECK(ends() == "2210"); // it has answered since: it gets all its tries
}

TEST_CASE_METHOD(lane_fixture, "a try that succeeds later is enough", "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = silence;
  start();
  follows("1");
  wake();
  actors.advance(60s); // the deadline of the fetch
  CHECK(ends() == "0");
  script->failures.clear();
  actors.advance(31s);
  CHECK(ends() == "1");
}

TEST_CASE_METHOD(lane_fixture, "what cannot be had for good holds nothing", "[inbox_lane]") {
  for (const auto code : {errc::not_found, errc::gone, errc::forbidden, errc::invalid,
                          errc::malformed, errc::conflict, errc::too_large}) {
    auto here = lane_fixture{};
    here.script->failures["https://e.example/users/eve"] = make_error(code, "no");
    here.start();
    here.follows("1");
    here.wake();
    CAPTURE(to_string(code));
    CHECK(here.ends() == "1");
    CHECK(here.effects() == words{"1"});
  }
}

TEST_CASE_METHOD(lane_fixture, "a reply is applied without a parent that cannot be had now",
                 "[inbox_lane]") {
  script->failures["https://v.example/n/0"] = make_error(errc::unavailable, "suspended");
  start();
  arrives("1", R"("type":"Create","object":{"id":"https://e.example/n/1",)"
               R"("inReplyTo":"https://v.example/n/0"})");
  wake();
  CHECK(script->asked == words{"https://e.example/users/eve", "https://v.example/n/0"});
  CHECK(ends() == "1");
}

TEST_CASE_METHOD(lane_fixture, "A76: whom nobody follows makes us fetch nothing else's",
                 "[inbox_lane][A76]") {
  must(storage.db().run("DELETE FROM follow"));
  start();
  boosts("1", "https://v.example/n/1");
  arrives("2", R"("type":"Create","object":"https://v.example/n/2")", e_example,
          "https://v.example/users/victor");
  arrives("3", R"("type":"Create","to":"https://example.org/users/alice","object":)"
               R"({"id":"https://e.example/n/3","inReplyTo":"https://v.example/n/3"})");
  wake();
  CHECK(ends() == "111");
  CHECK(effects() == words{"1", "3"});
  const auto eve = std::string{"https://e.example/users/eve"};
  CHECK(script->asked == words{eve, eve, "https://v.example/n/3"}); // to one of ours: read in full
}

TEST_CASE_METHOD(lane_fixture, "arrivals do not wait for what others fetch elsewhere",
                 "[inbox_lane]") {
  script->failures["https://v.example/n/1"] = silence;
  start();
  boosts("boost", "https://v.example/n/1");
  follows("follow");
  arrives("undo", R"("type":"Undo","object":"https://e.example/a/boost")");
  wake();
  CHECK(effects() == words{"follow", "undo"});
  CHECK(ends() == "011");
  script->failures.clear();
  actors.advance(60s + 31s);
  CHECK(effects() == words{"follow", "undo", "boost"});
  CHECK(ends() == "111");
}

TEST_CASE_METHOD(lane_fixture, "at most so many arrivals wait aside; more are tried once",
                 "[inbox_lane]") {
  options.aside_max = 2;
  for (const auto* post : {"1", "2", "3", "4"})
    script->failures["https://v.example/n/" + std::string{post}] = silence;
  start();
  for (const auto* post : {"1", "2", "3", "4"})
    boosts(post, "https://v.example/n/" + std::string{post});
  follows("last");
  wake();
  CHECK(effects().empty());
  CHECK(script->unanswered_posts.size() == 3);
  actors.advance(60s); // the third is given up; the fourth begins
  CHECK(ends() == "00200");
  actors.advance(60s);
  CHECK(ends() == "00221");
  actors.advance(10min); // four tries of the first two
  CHECK(ends() == "22221");
}

TEST_CASE_METHOD(lane_fixture, "A36: a hint is fetched and never applied", "[inbox_lane][A36]") {
  const auto victor = std::string{"https://v.example/users/victor"};
  start();
  arrives("1", R"("type":"Create","object":{"id":"https://v.example/n/1","content":"lies"})",
          e_example, victor);
  arrives("2", R"("type":"Delete","object":"https://v.example/n/2")", e_example, victor);
  script->failures["https://v.example/n/2"] = make_error(errc::gone, "it is");
  wake();
  CHECK(script->asked == words{"https://v.example/n/1", "!https://v.example/n/2"});
  CHECK(applications == 0);
  CHECK(ends() == "11");
}

TEST_CASE_METHOD(lane_fixture, "what storage refuses is tried until it is taken", "[inbox_lane]") {
  start();
  for (const auto code : {errc::unavailable, errc::storage_busy, errc::storage_full}) {
    refused["https://e.example/a/1"] = make_error(code, "not now");
    if (ends().empty())
      follows("1");
    wake();
    actors.advance(1h);
    CHECK(ends() == "0");
    CHECK(effects().empty());
  }
  refused.clear();
  actors.advance(6s);
  CHECK(ends() == "1");
  CHECK(effects() == words{"1"});
}

TEST_CASE_METHOD(lane_fixture, "what can never be applied is given up, and holds nothing",
                 "[inbox_lane]") {
  refused["https://e.example/a/1"] = make_error(errc::storage_refused, "a defect");
  start();
  follows("1");
  follows("2");
  wake();
  CHECK(ends() == "21");
  CHECK(effects() == words{"2"});
  CHECK(logged == words{"inbox e.example gave up https://e.example/a/1: a defect"});
  CHECK(report().given_up == 1);
}

TEST_CASE_METHOD(lane_fixture, "a row that cannot be read is given up", "[inbox_lane]") {
  start();
  arrives("1", R"("type":7)");
  arrives("2", R"("type":"Follow",,)");
  follows("3");
  wake();
  CHECK(ends() == "221");
}

TEST_CASE_METHOD(lane_fixture, "a lane with nothing to do asks to be stopped", "[inbox_lane]") {
  start();
  follows("1");
  wake();
  script->asked.clear();
  actors.advance(119s);
  CHECK(report().applied == 1); // still the same lane
  actors.advance(121s);
  CHECK(report().applied == 0);
  follows("2");
  wake();
  CHECK(effects() == words{"1", "2"});
}

TEST_CASE_METHOD(lane_fixture, "what was applied is kept for a week, what is open for ever",
                 "[inbox_lane][housekeeper]") {
  follows("1");
  follows("2");
  must(remember_undo(*storage.open_writer(), "early", actors.now()));
  must(end_arrival(*storage.open_writer(), 1, arrival_end::done));
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  actors.advance(7 * 24h - 1h);
  CHECK(ends() == "10");
  CHECK(must(storage.db().run("SELECT 1 FROM early_undo")).rows.empty());
  actors.advance(2h);
  CHECK(ends() == "0");
}

TEST_CASE("killed at any step, each arrival is applied exactly once", "[inbox_lane][kill][I3]") {
  for (auto steps = std::size_t{0}; steps < 90; ++steps) {
    CAPTURE(steps);
    auto here = lane_fixture{steps + 1};
    here.start();
    here.follows("1");
    here.boosts("2", "https://v.example/n/1");
    here.follows("3");
    here.follows("4", f_example);
    caf::anon_send(here.lanes, wake_inbox{e_example});
    here.actors.settle_partly(steps);
    here.script->unanswered_posts.clear();
    here.actors.restart();
    here.start();
    here.actors.settle();
    here.actors.advance(5s);
    CHECK(here.ends() == "1111");
    auto effects = here.effects();
    std::ranges::sort(effects);
    CHECK(effects == words{"1", "2", "3", "4"});
  }
}

TEST_CASE("a lane that dies alone leaves its work to the next", "[inbox_lane][kill]") {
  for (auto steps = std::size_t{0}; steps < 40; ++steps) {
    CAPTURE(steps);
    auto here = lane_fixture{steps + 1};
    const auto handles = here.storage.start(here.actors);
    const auto region = host_passivator_handle{};
    here.follows("1");
    here.follows("2");
    auto first =
        here.actors.spawn(inbox_lane, e_example, here.dependencies(handles, region), here.options);
    here.actors.settle_partly(steps);
    here.actors.kill(first); // its job may be with the writer still
    here.actors.spawn(inbox_lane, e_example, here.dependencies(handles, region), here.options);
    here.actors.settle();
    CHECK(here.ends() == "11");
    CHECK(here.effects() == words{"1", "2"});
  }
}

TEST_CASE("a commit whose answer is lost is not applied again", "[inbox_lane][kill]") {
  auto here = lane_fixture{};
  here.start();
  here.actors.settle();
  here.follows("1");
  here.follows("2");
  auto lost = 0;
  here.storage.faults().after_commit = [&](std::int64_t) -> caf::error {
    return lost++ == 0 ? make_error(errc::commit_unknown, "lost") : caf::error{};
  };
  here.wake();
  CHECK(lost == 1);
  here.actors.advance(6s);
  CHECK(here.ends() == "11");
  CHECK(here.effects() == words{"1", "2"});
  CHECK(here.applications == 2);
}

TEST_CASE("every call of storage fails once, and nothing is lost or doubled",
          "[inbox_lane][faults]") {
  for (auto failing = std::int64_t{1}; failing < 25; ++failing) {
    CAPTURE(failing);
    auto here = lane_fixture{};
    here.start();
    here.actors.settle();
    here.follows("1");
    here.follows("2");
    const auto first = here.storage.faults().calls;
    here.storage.faults().at_call = [&](std::int64_t call) -> caf::error {
      return call == first + failing ? make_error(errc::storage_busy, "once") : caf::error{};
    };
    here.wake();
    here.actors.advance(11s);
    CHECK(here.ends() == "11");
    CHECK(here.effects() == words{"1", "2"});
  }
}
