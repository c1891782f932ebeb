/// Judges what passes over the wire: who is owed what, what is repeated, in which order, what must
/// not be sent, and in the end what became of every unit.
#pragma once

#include "kit/delivery_bans.hpp"
#include "kit/delivery_world.hpp"
#include "kit/peer_ledger.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// What the oracle counted by itself, to be compared with the books. Some units may be counted or
/// not: `at_least` and what may be added.
struct counted_units {
  std::int64_t owed = 0;
  std::int64_t owed_perhaps = 0; ///< Followers that went away, and what was ordered again.
  std::int64_t taken = 0;        ///< Requests answered with 2xx.
  std::int64_t taken_surely = 0; ///< Units delivered for good, whatever a crash forgot.
  std::int64_t dead = 0;
  std::int64_t buried = 0;     ///< Refused for good, and forgotten since.
  std::int64_t superseded = 0; ///< By a later activity on their object.
  std::int64_t excused = 0;    ///< By an order, or an end of the follow.
};

class delivery_oracle : public wire_listener {
public:
  using moment = std::chrono::microseconds;

  delivery_oracle(delivery_world& world, std::uint64_t seed) : world_{world}, ledger_{seed} {
    world_.peers->listen(this);
  }

  /// Writes down, one line each, what happens; null: nothing.
  void narrate_to(std::ostream* story) { story_ = story; }
  void tell(const std::string& what);

  /// Gives the row its text, and sends it to the writer. Returns its number, from 1.
  int write(delivery_world::row next);
  const written_row& row(int number) const { return rows_[static_cast<std::size_t>(number) - 1]; }
  void follow(account_id author, endpoint_id endpoint) { world_.follow(author, endpoint); }
  void unfollow(account_id author, endpoint_id endpoint);

  delivery_bans& bans() { return bans_; }
  /// An order made `units` count as offered again.
  void offered_again(std::int64_t units) { offered_again_ += units; }
  /// One whose outcome is not known may have made all of its host count so.
  void offered_again_perhaps() { offered_again_ += static_cast<std::int64_t>(3 * rows_.size()); }

  /// The whole node was killed, or one host's actor.
  void crashed();
  void host_ended(const std::string& host);
  /// One of several nodes was killed: it may have forgotten what this host of it had settled.
  void books_lost(const std::string& host) { node_ends_[host].insert(world_.elapsed()); }
  /// Commits may fail from now on, or no more.
  void storage_failing(bool fails);
  /// The disk failed: from now on nothing may be acknowledged until the node starts again.
  void storage_broken();

  void sent(const sent_request& request, const peer_answer& planned) override;
  void answered(const sent_request& request, const peer_answer& answer) override;

  /// Looks for a Delete that waits beside what it should have replaced.
  void check_exceptions();

  /// Tells what does not agree so far.
  const std::vector<std::string>& violations() const { return violations_; }
  /// Once everything is well and quiet: what is owed and did not come to an end.
  std::vector<std::string> missing();
  /// What `missing` counted against what the books say.
  std::vector<std::string> compare(const delivery_sums& sums) const;

  const counted_units& counted() const { return counted_; }
  const std::string& url_of(endpoint_id endpoint);
  std::int64_t requests() const { return counted_.taken + failures_; } ///< That were answered.
  std::int64_t repeats() const { return repeats_; }
  std::int64_t failures() const { return failures_; }
  /// Of everything that passed over the wire, and when.
  std::uint64_t trace() const { return trace_; }

private:
  using unit = std::pair<std::string, int>;                ///< URL, number of the row.
  using about = std::pair<std::string, std::int64_t>;      ///< URL, object.
  using line = std::tuple<std::string, std::int64_t, int>; ///< URL, author, class.

  struct history {
    std::optional<moment> taken_at; ///< When a 2xx was read.
    int life = 0;                   ///< Of the node, then.
    bool refused = false;           ///< For good.
    std::string host;
  };
  /// What is newer of one object and one endpoint.
  struct later_rows {
    bool has_remove = false;
    bool has_update = false;
    bool has_any = false;
  };

  void forget_order(const std::string& host);
  void judge(const unit& key, const std::string& host);
  void judge_order(const unit& key, const std::string& host);
  void judge_audience(const unit& key);
  bool may_repeat(const history& past) const;
  bool is_forgotten(moment taken_at, moment crash) const;
  bool is_replayable(const history& past) const;
  bool fails(const unit& key) const;
  void read_endpoints();
  void complain(const unit& key, const std::string& what);
  void note(std::uint64_t number);
  void judge_end(const unit& key, endpoint_id endpoint, bool is_dead, later_rows& later,
                 std::vector<std::string>& wrong);
  void judge_acknowledged(const std::vector<int>& stored, std::vector<std::string>& wrong);

  delivery_world& world_;
  peer_ledger ledger_;
  delivery_bans bans_;
  std::vector<written_row> rows_; ///< By number, from 1.
  std::map<unit, history> units_;
  std::map<std::uint64_t, unit> pending_;
  std::map<std::string, std::int64_t> in_flight_; ///< By host.
  std::set<about> failing_;            ///< An activity about it was not taken at least once.
  std::map<about, int> newest_about_;  ///< Sent in this life.
  std::map<line, int> newest_in_line_; ///< Sent in this life.
  std::map<std::pair<account_id, endpoint_id>, moment> unfollowed_; ///< The last time.
  std::map<endpoint_id, std::string> urls_;
  std::map<std::string, endpoint_id> endpoints_;                       ///< By URL.
  std::map<std::pair<std::int64_t, std::int64_t>, moment> unreplaced_; ///< Endpoint, row: since.
  std::vector<moment> crashes_;
  std::map<std::string, std::set<moment>> host_ends_;
  std::map<std::string, std::set<moment>> node_ends_; ///< By host.
  std::vector<std::pair<moment, moment>> faults_;
  std::optional<moment> broken_at_; ///< The disk, in this life.
  std::vector<std::string> violations_;
  counted_units counted_;
  std::int64_t offered_again_ = 0;
  std::int64_t repeats_ = 0;
  std::int64_t failures_ = 0;
  std::ostream* story_ = nullptr;
  std::size_t lines_told_ = 0; ///< Of the world's log.
  std::uint64_t trace_ = 14'695'981'039'346'656'037U;
};

} // namespace trunkline::kit
