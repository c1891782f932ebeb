// What the embedder's filters decide of what other servers send.

#include "kit/inbox_lane_fixture.hpp"
#include "kit/scripted_gate.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::inbox_lane_scene;
using namespace std::chrono_literals;

namespace {

struct filtered_lane : lane_fixture {
  std::shared_ptr<scripted_gate> filters = std::make_shared<scripted_gate>();

  filtered_lane() { gate = filters; }

  void start() {
    gate = filters;
    lane_fixture::start();
  }

  void posts(const std::string& name, const std::string& content) {
    arrives(name, R"("type":"Create","object":{"type":"Note","id":"https://e.example/n/)" + name +
                      R"(","attributedTo":"https://e.example/users/eve","content":")" + content +
                      R"("})");
  }
};

} // namespace

TEST_CASE_METHOD(filtered_lane, "everything that comes is shown to the filters, in its order",
                 "[inbox_lane][filters]") {
  start();
  posts("1", "hi");
  follows("2");
  boosts("3", "https://v.example/n/1");
  for (const auto* type :
       {"Update", "Like", "Delete", "Undo", "Move", "Flag", "Block", "Accept", "Add", "Unheard"})
    arrives(type, std::string{R"("type":")"} + type + R"(","object":"https://v.example/n/1")");
  wake();
  auto types = words{};
  for (const auto& one : filters->questions)
    types.push_back(one.what.type);
  CHECK(types == words{"Create", "Follow", "Announce", "Update", "Like", "Delete", "Undo", "Move",
                       "Flag", "Block", "Accept", "Add", "Unheard"});
  const auto& first = filters->questions.front();
  CHECK_FALSE(first.from.local);
  CHECK(first.from.host == "e.example");
  CHECK(first.from.actor == "https://e.example/users/eve");
  CHECK(first.what.content == "hi");
  CHECK(first.what.object == "https://e.example/n/1");
}

TEST_CASE_METHOD(filtered_lane, "what is refused ends without effect, and fetches nothing",
                 "[inbox_lane][filters]") {
  filters->decide = [](const filtered_activity& what) {
    return what.content == "spam" ? refused_for("no_spam: three links") : gate_decision{};
  };
  start();
  posts("1", "spam");
  posts("2", "hi");
  wake();
  CHECK(ends() == "11");
  CHECK(effects() == words{"2"});
  CHECK(applications == 1);
  CHECK(report().given_up == 0);
  CHECK(script->asked == words{"https://e.example/users/eve"}); // for the second
  CHECK(logged == words{"filter no_spam refused https://e.example/a/1: three links"});
}

TEST_CASE_METHOD(filtered_lane, "others wait for the decision of the first, and take no thread",
                 "[inbox_lane][filters]") {
  filters->holds = true;
  start();
  follows("1");
  follows("2");
  follows("other", f_example);
  wake();
  wake(f_example);
  CHECK(filters->questions.size() == 2); // of each host the first
  CHECK(effects().empty());
  wake();
  CHECK(filters->questions.size() == 2);
  filters->answer();
  actors.settle();
  CHECK(effects().size() == 3);
  CHECK(ends() == "111");
  CHECK(filters->questions.size() == 3);
}

TEST_CASE_METHOD(filtered_lane, "what no filter has judged is tried again, then given up",
                 "[inbox_lane][filters]") {
  auto closed = true;
  filters->decide = [&closed](const filtered_activity&) {
    return closed ? put_off() : gate_decision{};
  };
  start();
  follows("1");
  follows("2");
  wake();
  CHECK(filters->questions.size() == 1);
  CHECK(report().last_error == "filter closed: failed");
  actors.advance(4s);
  CHECK(filters->questions.size() == 1);
  actors.advance(2s);
  CHECK(filters->questions.size() == 2);
  CHECK(ends() == "00");
  CHECK(effects().empty());
  actors.advance(631s); // 5 + 10 + 20 + ... + 320
  CHECK(ends() == "20");
  CHECK(logged == words{"inbox e.example gave up https://e.example/a/1: filter closed: failed"});
  CHECK(filters->questions.size() == 9);
  closed = false;
  actors.advance(6s);
  CHECK(ends() == "21");
  CHECK(effects() == words{"2"});
}

TEST_CASE_METHOD(filtered_lane, "a lane that starts again asks again", "[inbox_lane][filters]") {
  filters->holds = true;
  start();
  follows("1");
  wake();
  CHECK(effects().empty());
  const auto first = std::exchange(filters, std::make_shared<scripted_gate>());
  start(); // another region on the same storage, as after a restart
  wake();
  CHECK(filters->ids() == words{"https://e.example/a/1"});
  CHECK(effects() == words{"1"});
  first->answer(); // what was ended has no effect again
  actors.settle();
  CHECK(effects() == words{"1"});
}

TEST_CASE_METHOD(filtered_lane, "a row that cannot be read is shown to nobody",
                 "[inbox_lane][filters]") {
  start();
  arrives("1", R"("type":7)");
  arrives("2", R"("type":"Follow",,)");
  wake();
  CHECK(filters->questions.empty());
  CHECK(ends() == "22");
}
