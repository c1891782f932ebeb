// The chain of filters: order, verdicts, failures, and filters that do not return.

#include "engine/embedding/filter_chain.hpp"
#include "tests/kit/gate.hpp"
#include "tests/kit/hand_moved_world.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <utility>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;
using kind = gate_decision::kind;

/// Calls what a test gave it.
struct scripted final : content_filter {
  using script = std::function<verdict(const activity_origin&, filtered_activity&)>;
  explicit scripted(script given) : run{std::move(given)} {}
  verdict check(const activity_origin& from, filtered_activity& what) override {
    return run(from, what);
  }
  script run;
};

/// Lines that wait to be looked at.
class lines {
public:
  void add(const std::string& line) {
    const auto held = std::scoped_lock{mutex_};
    all_.push_back(line);
    changed_.notify_all();
  }
  std::string wait_for(std::size_t number) {
    auto held = std::unique_lock{mutex_};
    changed_.wait(held, [&] { return all_.size() >= number; });
    return all_[number - 1];
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  words all_;
};

filter_seat seat(std::string name, scripted::script run,
                 filter_failure on_failure = filter_failure::open,
                 filter_direction direction = filter_direction::both) {
  return {.filter = std::make_shared<scripted>(std::move(run)),
          .options = {.name = std::move(name), .direction = direction, .on_failure = on_failure}};
}

std::future<gate_decision> begin(filter_chain& chain, filtered_activity what, bool local = false) {
  auto promise = std::make_shared<std::promise<gate_decision>>();
  chain.check({.local = local, .host = local ? "" : "e.example"}, std::move(what),
              [promise](gate_decision decided) { promise->set_value(std::move(decided)); });
  return promise->get_future();
}

gate_decision ask(filter_chain& chain, filtered_activity what = {}, bool local = false) {
  return begin(chain, std::move(what), local).get();
}

bool is_decided(const std::future<gate_decision>& answer) {
  return answer.wait_for(0s) == std::future_status::ready;
}

const auto accept = [](const activity_origin&, filtered_activity&) { return verdict::accept(); };

} // namespace

TEST_CASE("filters are asked in their order, and each sees what those before it wrote",
          "[filters][filter_chain]") {
  auto seen = words{};
  const auto appends = [&seen](std::string letter) {
    return [&seen, letter](const activity_origin&, filtered_activity& what) {
      seen.push_back(what.content);
      what.content += letter;
      what.id = "forged";
      return verdict::rewrite();
    };
  };
  auto chain = filter_chain{{seat("one", appends("a")),
                             seat("two",
                                  [](const activity_origin&, filtered_activity& what) {
                                    what.content = "forgotten";
                                    return verdict::accept();
                                  }),
                             seat("three", appends("b"))},
                            nullptr};
  const auto decided = ask(chain, {.id = "https://e.example/a/1", .content = "x"});
  CHECK(decided.what == kind::passed);
  CHECK(decided.rewritten);
  CHECK(decided.activity.content == "xab");
  CHECK(decided.activity.id == "https://e.example/a/1");
  CHECK(seen == words{"x", "xa"});
  const auto reports = chain.reports();
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].name == "one");
  CHECK(reports[0].rewritten == 1);
  CHECK(reports[1].checked == 1);
  CHECK(reports[1].rewritten == 0);
}

TEST_CASE("the first refusal ends the chain", "[filters][filter_chain]") {
  auto asked = 0;
  auto chain = filter_chain{
      {seat("rewrites",
            [](const activity_origin&, filtered_activity& what) {
              what.content = "y";
              return verdict::rewrite() | verdict::delist();
            }),
       seat("no_spam", [](const activity_origin&,
                          filtered_activity&) { return verdict::reject("three\nlinks"); }),
       seat("last",
            [&asked](const activity_origin&, filtered_activity&) {
              ++asked;
              return verdict::accept();
            })},
      nullptr};
  const auto decided = ask(chain, {.visibility = "public", .content = "x"});
  CHECK(decided.what == kind::refused);
  CHECK(decided.reason == "no_spam: three links");
  CHECK_FALSE(decided.rewritten);
  CHECK_FALSE(decided.delisted);
  CHECK(asked == 0);
  const auto reports = chain.reports();
  CHECK(reports[1].rejected == 1);
  CHECK(reports[2].checked == 0);
}

TEST_CASE("marks are added up, and seen by the next filter", "[filters][filter_chain]") {
  auto seen = filtered_activity{};
  auto chain = filter_chain{
      {seat("marks",
            [](const activity_origin&, filtered_activity&) { return verdict::mark_sensitive(); }),
       seat("delists",
            [](const activity_origin&, filtered_activity&) { return verdict::delist(); }),
       seat("looks",
            [&seen](const activity_origin&, filtered_activity& what) {
              seen = what;
              return verdict::accept();
            })},
      nullptr};
  const auto decided = ask(chain, {.visibility = "public"});
  CHECK(decided.sensitive);
  CHECK(decided.delisted);
  CHECK_FALSE(decided.rewritten);
  CHECK(seen.sensitive);
  CHECK(seen.visibility == "unlisted");
  CHECK(chain.reports()[0].marked_sensitive == 1);
  CHECK(chain.reports()[1].delisted == 1);
}

TEST_CASE("a filter of one direction is asked in no other", "[filters][filter_chain]") {
  const auto refuse = [](const activity_origin&, filtered_activity&) {
    return verdict::reject("no");
  };
  auto chain = filter_chain{{seat("in", refuse, filter_failure::open, filter_direction::inbound),
                             seat("out", refuse, filter_failure::open, filter_direction::outbound)},
                            nullptr};
  CHECK(ask(chain, {}, false).reason == "in: no");
  CHECK(ask(chain, {}, true).reason == "out: no");
  auto inbound =
      filter_chain{{seat("in", refuse, filter_failure::open, filter_direction::inbound)}, nullptr};
  CHECK(ask(inbound, {}, true).what == kind::passed);
  CHECK(inbound.reports()[0].checked == 0);
}

TEST_CASE("a filter that throws is as if it had accepted, or as if it had refused",
          "[filters][filter_chain]") {
  const auto throws = [](const activity_origin&, filtered_activity& what) -> verdict {
    what.content = "half";
    throw std::runtime_error{"broken"};
  };
  const auto throws_a_number = [](const activity_origin&, filtered_activity&) -> verdict {
    throw 7;
  };
  auto log = lines{};
  auto open = filter_chain{{seat("one", throws), seat("two", throws_a_number)},
                           nullptr,
                           {.log = [&log](const std::string& line) { log.add(line); }}};
  const auto decided = ask(open, {.content = "x"});
  CHECK(decided.what == kind::passed);
  CHECK_FALSE(decided.rewritten);
  CHECK(log.wait_for(1) == "filter one failed for the first time: threw: broken");
  ask(open);
  CHECK(open.reports()[0].failed == 2);
  CHECK(open.reports()[1].failed == 2);

  auto asked = 0;
  auto closed = filter_chain{{seat("one", throws, filter_failure::closed),
                              seat("two",
                                   [&asked](const activity_origin&, filtered_activity&) {
                                     ++asked;
                                     return verdict::accept();
                                   })},
                             nullptr};
  CHECK(ask(closed).what == kind::later);
  CHECK(ask(closed).reason == "one: failed");
  CHECK(asked == 0);
}

TEST_CASE("what is no UTF-8 is no rewriting", "[filters][filter_chain]") {
  auto chain = filter_chain{{seat("one",
                                  [](const activity_origin&, filtered_activity& what) {
                                    what.summary = "\xff";
                                    return verdict::rewrite();
                                  })},
                            nullptr};
  const auto decided = ask(chain, {.content = "x"});
  CHECK(decided.what == kind::passed);
  CHECK_FALSE(decided.rewritten);
  CHECK(chain.reports()[0].failed == 1);
}

TEST_CASE("a filter that does not return holds nobody, and its late verdict counts for nothing",
          "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  auto log = lines{};
  auto asked = 0;
  const auto blocks = [&asked, pass = stands.passer()](const activity_origin&,
                                                       filtered_activity& what) {
    ++asked;
    if (what.content == "stand")
      pass();
    return verdict::reject("no");
  };
  auto chain =
      filter_chain{{seat("sleeps", blocks), seat("other", accept)},
                   nullptr,
                   {.patience = 20ms, .log = [&log](const std::string& line) { log.add(line); }}};
  auto first = begin(chain, {.content = "stand"});
  REQUIRE(stands.wait_arrived());
  auto second = begin(chain, {}); // waits behind it
  CHECK(first.get().what == kind::passed);
  CHECK(second.get().what == kind::passed);
  CHECK(log.wait_for(1) == "filter sleeps does not return; others go on without the filters");

  const auto at_once = begin(chain, {});
  CHECK(is_decided(at_once));
  CHECK(asked == 1);
  auto reports = chain.reports();
  CHECK(reports[0].given_up == 3);
  CHECK(reports[1].given_up == 3); // the thread stands: nobody is asked
  CHECK(reports[1].checked == 0);

  stands.open();
  CHECK(log.wait_for(2) == "filter sleeps has returned");
  CHECK(chain.reports()[0].rejected == 0); // too late
  CHECK(ask(chain, {}).what == kind::refused);
  reports = chain.reports();
  CHECK(reports[0].rejected == 1);
  CHECK(reports[0].given_up == 3);
  CHECK(reports[0].over_budget >= 1);
}

TEST_CASE("of 1,000 activities the first waits for a filter that stands, the others do not",
          "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  auto log = lines{};
  auto chain =
      filter_chain{{seat("sleeps",
                         [pass = stands.passer()](const activity_origin&, filtered_activity&) {
                           pass();
                           return verdict::accept();
                         })},
                   nullptr,
                   {.log = [&log](const std::string& line) { log.add(line); }}};
  const auto began = std::chrono::steady_clock::now();
  CHECK(ask(chain).what == kind::passed);
  CHECK(std::chrono::steady_clock::now() - began >= filter_patience);
  log.wait_for(1); // it was asked a moment after the question came, and stands a moment longer
  for (auto i = 1; i < 1'000; ++i) {
    auto next = begin(chain, {});
    REQUIRE(is_decided(next));
    CHECK(next.get().what == kind::passed);
  }
  CHECK(chain.reports()[0].checked == 1);
  CHECK(chain.reports()[0].given_up == 1'000);
  stands.open();
}

TEST_CASE("what a closed filter does not judge in time is for later", "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  auto chain =
      filter_chain{{seat("rewrites",
                         [](const activity_origin&, filtered_activity& what) {
                           what.content = "y";
                           return verdict::rewrite();
                         }),
                    seat(
                        "sleeps",
                        [pass = stands.passer()](const activity_origin&, filtered_activity&) {
                          pass();
                          return verdict::accept();
                        },
                        filter_failure::closed)},
                   nullptr,
                   {.patience = 20ms}};
  const auto decided = ask(chain);
  CHECK(decided.what == kind::later);
  CHECK(decided.reason == "sleeps: failed");
  CHECK_FALSE(decided.rewritten);
  CHECK(ask(chain).what == kind::later);
  CHECK(chain.reports()[1].given_up == 2);
  stands.open();
}

TEST_CASE("a filter that stands keeps what those before it decided", "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  auto chain =
      filter_chain{{seat("delists",
                         [](const activity_origin&, filtered_activity& what) {
                           what.content = "y";
                           return verdict::rewrite() | verdict::delist();
                         }),
                    seat("sleeps",
                         [pass = stands.passer()](const activity_origin&, filtered_activity& what) {
                           what.content = "z";
                           pass();
                           return verdict::rewrite();
                         })},
                   nullptr,
                   {.patience = 1s}};
  const auto decided = ask(chain, {.content = "x"});
  stands.open();
  CHECK(decided.what == kind::passed);
  CHECK(decided.delisted);
  CHECK(decided.activity.content == "y");
}

TEST_CASE("checks past the limit are decided without the filters", "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  auto chain =
      filter_chain{{seat("slow",
                         [pass = stands.passer()](const activity_origin&, filtered_activity&) {
                           pass();
                           return verdict::reject("no");
                         })},
                   nullptr,
                   {.waiting_max = 2, .patience = 1min}};
  auto first = begin(chain, {});
  REQUIRE(stands.wait_arrived());
  auto second = begin(chain, {});
  auto third = begin(chain, {});
  auto fourth = begin(chain, {});
  CHECK(is_decided(fourth));
  CHECK(fourth.get().what == kind::passed);
  CHECK(chain.reports()[0].given_up == 1);
  CHECK_FALSE(is_decided(third));
  stands.open();
  for (auto* one : {&first, &second, &third})
    CHECK(one->get().what == kind::refused);
}

TEST_CASE("a check that is due is decided, also behind one that has more time",
          "[filters][filter_chain]") {
  constexpr auto slow_filters = 60;
  auto over = std::promise<void>{};
  const auto is_over = over.get_future().share();
  auto seats = std::vector<filter_seat>{};
  for (auto i = 0; i < slow_filters; ++i)
    seats.push_back(seat(
        "in-" + std::to_string(i),
        [is_over](const activity_origin&, filtered_activity&) {
          is_over.wait_for(100ms); // in time, but all of them together take long
          return verdict::accept();
        },
        filter_failure::open, filter_direction::inbound));
  seats.push_back(seat("out", accept, filter_failure::open, filter_direction::outbound));
  auto chain = filter_chain{std::move(seats), nullptr, {.patience = 2s}};
  auto first = begin(chain, {});
  auto second = begin(chain, {}); // has 2 minutes
  auto third = begin(chain, {}, true);
  CHECK(third.get().what == kind::passed);
  CHECK_FALSE(is_decided(first));
  over.set_value();
  CHECK(first.get().what == kind::passed);
  CHECK(second.get().what == kind::passed);
  CHECK(chain.reports().back().given_up == 1);
  CHECK(chain.reports().back().checked == 0);
}

TEST_CASE("a chain that ends answers what waits with later, and asks nobody again",
          "[filters][filter_chain]") {
  const auto stands = kit::gate{};
  const auto asked = std::make_shared<std::atomic<int>>(0);
  auto chain = filter_chain{
      {seat("slow",
            [pass = stands.passer(), asked](const activity_origin&, filtered_activity&) {
              ++*asked;
              pass();
              return verdict::accept();
            })},
      nullptr,
      {.patience = 1min}};
  auto first = begin(chain, {});
  REQUIRE(stands.wait_arrived());
  auto second = begin(chain, {});
  CHECK_FALSE(chain.stop(0ms));
  CHECK(first.get().what == kind::later);
  CHECK(second.get().what == kind::later);
  CHECK(ask(chain).what == kind::later);
  stands.open();
  CHECK(*asked == 1);
}

TEST_CASE("in a virtual world filters run in turn", "[filters][filter_chain]") {
  auto world = std::make_shared<kit::hand_moved_world>();
  auto chain = filter_chain{{seat("one", [](const activity_origin&,
                                            filtered_activity&) { return verdict::reject("no"); })},
                            world};
  auto first = begin(chain, {});
  auto second = begin(chain, {});
  CHECK_FALSE(is_decided(first));
  world->settle();
  REQUIRE(is_decided(first));
  REQUIRE(is_decided(second));
  CHECK(first.get().what == kind::refused);
  auto third = begin(chain, {});
  CHECK(chain.stop(0ms));
  CHECK(third.get().what == kind::later);
  world->settle();
  CHECK(chain.reports()[0].checked == 2);
}
