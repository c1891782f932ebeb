/// A gate that decides as a test says, at once or when it is told to.
#pragma once

#include "actors/content_gate.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

class scripted_gate final : public content_gate {
public:
  struct asked {
    activity_origin from;
    filtered_activity what;
  };

  std::vector<asked> questions;
  bool holds = false; ///< Nobody is answered until `answer`.

  /// By the content of what comes; everything passes otherwise.
  std::function<gate_decision(const filtered_activity&)> decide = [](const filtered_activity&) {
    return gate_decision{};
  };

  void check(activity_origin from, filtered_activity what,
             std::function<void(gate_decision)> decided) override {
    questions.push_back({std::move(from), what});
    if (holds)
      return waiting_.push_back([this, what, decided] { decided(decide(what)); });
    decided(decide(what));
  }

  void answer() {
    holds = false;
    for (const auto& one : std::exchange(waiting_, {}))
      one();
  }

  std::vector<std::string> ids() const {
    auto all = std::vector<std::string>{};
    for (const auto& one : questions)
      all.push_back(one.what.id);
    return all;
  }

private:
  std::vector<std::function<void()>> waiting_;
};

inline gate_decision refused_for(std::string reason) {
  auto made = gate_decision{};
  made.what = gate_decision::kind::refused;
  made.reason = std::move(reason);
  return made;
}

inline gate_decision put_off() {
  auto made = gate_decision{};
  made.what = gate_decision::kind::later;
  made.reason = "closed: failed";
  return made;
}

inline gate_decision rewritten_to(filtered_activity what) {
  auto made = gate_decision{};
  made.rewritten = true;
  made.activity = std::move(what);
  return made;
}

} // namespace trunkline::kit
