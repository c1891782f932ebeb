#include "actors/actor_turns.hpp"

#include <atomic>
#include <mutex>
#include <utility>

namespace trunkline {

/// The place of a thread that has run an actor; lives as long as the thread.
struct turn_place {
  turn_place();
  ~turn_place();
  turn_place(const turn_place&) = delete;
  turn_place& operator=(const turn_place&) = delete;

  std::uint64_t thread = 0;
  std::atomic<std::uint64_t> turn = 0;
  std::atomic<const actor_label*> label = nullptr; ///< Null: nobody has a turn.
  turn_place* next = nullptr;
};

namespace {

// Both are there before `main` and need no end: threads may end after it.
constinit std::mutex labels_and_places;
constinit turn_place* first_place = nullptr;

turn_place& place_of_this_thread() {
  thread_local auto place = turn_place{};
  return place;
}

} // namespace

turn_place::turn_place() {
  static auto threads = std::uint64_t{0};
  const auto held = std::scoped_lock{labels_and_places};
  thread = ++threads;
  next = std::exchange(first_place, this);
}

turn_place::~turn_place() {
  const auto held = std::scoped_lock{labels_and_places};
  auto** link = &first_place;
  while (*link != this)
    link = &(*link)->next;
  *link = next;
}

/// Its turns are over, and so no place leads to it once the lock is held.
actor_label::~actor_label() {
  const auto held = std::scoped_lock{labels_and_places};
}

void actor_label::set(std::string text) {
  const auto held = std::scoped_lock{labels_and_places};
  text_ = std::move(text);
}

actor_turn::actor_turn(const actor_label& label) : place_{&place_of_this_thread()} {
  const auto turn = place_->turn.load(std::memory_order_relaxed);
  place_->turn.store(turn + 1, std::memory_order_release);
  place_->label.store(&label, std::memory_order_release);
}

actor_turn::~actor_turn() {
  place_->label.store(nullptr, std::memory_order_release);
}

std::vector<open_turn> open_turns(const caf::actor_system& home) {
  auto found = std::vector<open_turn>{};
  const auto held = std::scoped_lock{labels_and_places};
  for (const auto* place = first_place; place; place = place->next) {
    const auto number = place->turn.load(std::memory_order_acquire);
    const auto* label = place->label.load(std::memory_order_acquire);
    // When the turn has changed in between, the label may be the next one's.
    if (label && label->home_ == &home && place->turn.load(std::memory_order_relaxed) == number)
      found.push_back({.thread = place->thread, .number = number, .actor = label->text_});
  }
  return found;
}

} // namespace trunkline
