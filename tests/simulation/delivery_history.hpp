/// One history of outbound delivery, from one seed: peers that answer, stall, refuse and lie, a
/// node that is killed between any two messages and in the middle of commits, a disk that fails,
/// clocks that jump, followers who come and go, and operators who order.
#pragma once

#include "kit/crashing_database.hpp"
#include "kit/delivery_oracle.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::simulation {

/// What all histories came to.
struct history_sums {
  std::int64_t seeds = 0;
  std::chrono::microseconds time{0}; ///< On the fake clock.
  std::int64_t messages = 0;
  std::int64_t rows = 0;
  std::int64_t owed = 0;
  std::int64_t taken = 0;
  std::int64_t repeats = 0;
  std::int64_t failures = 0;
  std::int64_t dead = 0;
  std::int64_t superseded = 0;
  std::int64_t crashes = 0;
  std::int64_t host_deaths = 0;
  std::int64_t node_deaths = 0; ///< Of one of several.
  std::int64_t moves = 0;       ///< Of shards, from a node that runs.
  std::int64_t faults = 0;      ///< Of commits.
  std::int64_t orders = 0;      ///< Carried out.
  std::int64_t rounds = 0;      ///< Until all was well.
};

class delivery_history {
public:
  using moment = std::chrono::microseconds;

  /// On a database in memory, or on what `open` opens. Several nodes hand shards to and fro.
  explicit delivery_history(std::uint64_t seed, kit::open_connection open = {},
                            std::size_t nodes = 1);

  /// Returns what does not agree.
  std::vector<std::string> run(history_sums& total);
  /// Writes down what happens, one line each.
  void narrate_to(std::ostream& story) { oracle_.narrate_to(&story); }
  /// The same for two runs of one seed.
  std::uint64_t trace() const { return oracle_.trace() ^ world_.actors.handled(); }

private:
  /// Something that a post is about, or a like.
  struct live_object {
    account_id author;
    std::int64_t number = 0;
    delivery_class cls = delivery_class::bulk;
    bool is_public = true;
    bool is_like = false;
    std::vector<endpoint_id> named; ///< Who must hear of its end.
  };
  struct order {
    std::size_t number = 0;
    std::function<std::optional<caf::error>()> outcome; ///< Nothing yet.
    bool reopens = false; ///< It may have been carried out whatever became of its answer.
  };

  // delivery_history.cpp: posts, and what happens next
  std::size_t below(std::size_t end) { return random_() % end; }
  bool chance(std::size_t of_100) { return below(100) < of_100; }
  moment up_to(moment most) { return moment{below(static_cast<std::size_t>(most.count()) + 1)}; }
  const std::string& some_host() { return names_[below(names_.size())]; }
  account_id some_author();
  endpoint_id some_endpoint() { return endpoints_[below(endpoints_.size())]; }
  moment now() { return world_.elapsed(); }
  void operate();
  void pass();
  void publish();
  live_object make_object(bool is_like);
  int write(const live_object& about, log_kind kind, bool to_followers);
  void change_follower();
  void check_sums();

  // delivery_history_faults.cpp: what goes wrong
  void set_mood(const std::string& host);
  void crash_soon();
  void revive();
  void end_host();
  void disturb_storage();
  kit::commit_fault next_fault();
  void end_disturbance();
  void step_clock();

  // delivery_history_moves.cpp: shards change their nodes
  void move_shards();
  void end_node();

  // delivery_history_orders.cpp: what operators do
  void command();
  void give(const kit::host_order_given& wish);
  void block_for_a_while();
  void unblock(const std::string& host);
  std::function<void(const caf::error&)> note_outcome(const kit::host_order_given& wish);
  void order_more();
  void supersede();
  void fetch();
  void poll_orders();
  void give_up_orders();
  template <class Message>
  void give(const kit::host_order_given& wish, Message message);
  void give_wish(kit::host_order_kind kind, const std::string& host,
                 decltype(operate_host::wish) ordered);

  // delivery_history_end.cpp: until all is well
  void heal();
  bool is_done();
  void check_books(std::vector<std::string>& wrong);
  void check_board(std::vector<std::string>& wrong);
  void add_to(history_sums& total);

  std::mt19937_64 random_;
  std::mt19937_64 moods_; ///< Of the peers.
  std::uint64_t seed_;
  std::size_t nodes_;
  std::shared_ptr<kit::commit_faults> faults_ = std::make_shared<kit::commit_faults>();
  kit::delivery_world world_;
  kit::delivery_oracle oracle_;
  std::vector<std::string> names_;
  std::vector<endpoint_id> endpoints_;
  std::vector<live_object> objects_;
  std::vector<order> orders_;
  std::vector<std::string> blocked_;
  std::optional<kit::commit_fault> planned_fault_; ///< Of the next commit.
  bool storage_fails_ = false;                     ///< Some commits do.
  std::int64_t next_object_ = 0;
  history_sums mine_;
  std::vector<std::string> wrong_; ///< Found on the way.
};

} // namespace trunkline::simulation
