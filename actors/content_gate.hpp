/// The gate that activities pass before they have an effect: the embedder's filters behind it.
///
/// Made by the engine; without filters there is none, and nobody asks.
#pragma once

#include "trunkline/filter.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace trunkline {

struct gate_decision {
  enum class kind : std::uint8_t {
    passed,
    refused,
    later, ///< A closed filter failed, or the engine ends: nobody has judged it.
  };
  kind what = kind::passed;
  std::string reason; ///< Unless it passed: "NAME: WORDS", of the filter.
  bool rewritten = false;
  bool sensitive = false; ///< Is to be marked so.
  bool delisted = false;
  filtered_activity activity; ///< As the filters have left it; counts when `rewritten`.
};

class content_gate {
public:
  virtual ~content_gate() = default;

  /// Asks the chain and calls `decided` once, on any thread, also within this call: hold no lock
  /// that it takes. It comes within `filter_patience` times the number of filters (in a virtual
  /// world: when they have returned), and is "later" for what the end of the engine finds unjudged.
  /// Any thread; does not block.
  virtual void check(activity_origin from, filtered_activity what,
                     std::function<void(gate_decision)> decided) = 0;
};

} // namespace trunkline
