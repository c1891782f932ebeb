/// Judges what passes over the wire: who is owed what, what is repeated, and in which order.
#pragma once

#include "kit/delivery_world.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

class delivery_oracle : public wire_listener {
public:
  explicit delivery_oracle(delivery_world& world) : world_{world} { world.peers->listen(this); }

  /// Gives the row its text, and sends it to the writer.
  void write(delivery_world::row next);

  /// The whole node was killed, or one host's actor.
  void crashed();
  void host_ended(const std::string& host);
  /// Commits may fail from now on, or no more.
  void storage_failing(bool fails);

  void sent(const sent_request& request) override;
  void answered(const sent_request& request, const peer_answer& answer) override;

  /// Tells what does not agree so far: broken order, forbidden repeats, two in flight in a lane.
  const std::vector<std::string>& violations() const { return violations_; }
  /// Once everything is well and quiet: what is owed and was neither delivered nor given up.
  std::vector<std::string> missing();

  std::int64_t deliveries() const { return deliveries_; }
  std::int64_t repeats() const { return repeats_; }
  std::int64_t failures() const { return failures_; }
  std::int64_t owed() const { return owed_; }

private:
  using moment = std::chrono::microseconds;
  using unit = std::pair<std::string, int>;                ///< URL, number of the row.
  using about = std::pair<std::string, std::int64_t>;      ///< URL, object.
  using lane = std::pair<std::string, std::int64_t>;       ///< URL, author.
  using line = std::tuple<std::string, std::int64_t, int>; ///< URL, author, class.

  struct history {
    std::optional<moment> taken_at; ///< When a 2xx was read.
    int life = 0;                   ///< Of the node, then.
    bool refused = false;           ///< For good.
  };

  void judge(const unit& key, const std::string& host);
  bool may_repeat(const history& past, const std::string& host) const;
  bool fails(const unit& key) const;
  void complain(const unit& key, const std::string& what);

  delivery_world& world_;
  std::vector<delivery_world::row> rows_; ///< By number, from 1.
  std::map<unit, history> units_;
  std::map<std::uint64_t, unit> pending_;
  std::set<about> failing_;            ///< An activity about it was not taken at least once.
  std::map<about, int> newest_about_;  ///< Sent in this life.
  std::map<line, int> newest_in_line_; ///< Sent in this life.
  std::vector<moment> crashes_;
  std::map<std::string, std::set<moment>> host_ends_;
  std::vector<std::pair<moment, moment>> faults_;
  std::vector<std::string> violations_;
  std::int64_t deliveries_ = 0;
  std::int64_t repeats_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t owed_ = 0;
};

} // namespace trunkline::kit
