/// A node's timelines in a deterministic system: writer, log reader, fan-out, rings and the region
/// of timelines, on a real store; and a model that every change is made to as well.
///
/// Hints pass an actor that loses, doubles and keeps them back as the seed says.
#pragma once

#include "actors/count_cache.hpp"
#include "actors/fanout.hpp"
#include "actors/home_rings.hpp"
#include "actors/log_reader.hpp"
#include "actors/shard_region.hpp"
#include "actors/storage_worker.hpp"
#include "actors/timeline.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/home_model.hpp"
#include "kit/test_storage.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace trunkline::kit {

struct home_world_options {
  std::uint64_t seed = 0;       ///< Of the interleaving and of the hints.
  unsigned hints_lost = 0;      ///< Of 100.
  unsigned hints_doubled = 0;   ///< Of 100.
  unsigned hints_kept_back = 0; ///< Of 100; they come after a later one.
  home_rings_options rings;
  fanout_options fanout;
  log_reader_options log_reader;
  timeline_options timeline;
};

class home_world {
public:
  explicit home_world(home_world_options options);

  deterministic_system& actors() { return actors_; }
  const home_model& model() const { return model_; }
  home_rings& rings() { return *rings_; }
  log_position& position() { return *position_; }
  const fanout_handle& fanout() const { return fanout_; }
  std::mt19937_64& random() { return random_; }

  // Changes: sent to the writer, not waited for.
  void publish(const post_facts& facts);
  void edit(post_id post, std::string language, std::vector<account_id> mentions);
  void remove(post_id post);
  void boost(account_id author, post_id post, post_id boost);
  void unboost(post_id boost);
  void follow(account_id follower, account_id followee, const home_model::follow& options);
  void unfollow(account_id follower, account_id followee);
  void block(account_id blocker, account_id blocked);
  void unblock(account_id blocker, account_id blocked);
  void mute(account_id muter, account_id muted, std::optional<time_point> expires_at);
  void unmute(account_id muter, account_id muted);

  /// Handles messages until everything that was sent is committed, and no further.
  void settle_committed();

  /// Sends a read and returns at once.
  pending_reply<home_page> start_read(account_id viewer, page_request page);
  std::vector<post_id> read(account_id viewer, page_request page);

  /// Reads the whole home in pages of `limit`, from the newest down by `max_id`.
  std::vector<post_id> read_down(account_id viewer, std::int64_t limit);
  /// Reads the whole home in pages of `limit`, from the oldest up by `min_id`.
  std::vector<post_id> read_up(account_id viewer, std::int64_t limit);

  timeline_report report(account_id viewer);
  std::int64_t refused_homes();
  std::int64_t active_timelines() const { return region_counters_->active; }
  void passivate(account_id viewer);

  /// Ends every actor and starts them anew on the same store, with cold rings.
  void restart();

private:
  void start();
  void commit(std::vector<log_draft> rows, std::function<caf::error(database&)> change);

  home_world_options options_;
  deterministic_system actors_;
  test_storage storage_;
  std::mt19937_64 random_;
  home_model model_;
  log_seq sent_ = 0; ///< Rows that the changes sent so far append.
  std::shared_ptr<home_rings> rings_;
  std::shared_ptr<log_position> position_;
  fanout_handle fanout_;
  writer_handle writer_;
  region_of<timeline_handle> timelines_;
  std::shared_ptr<region_counters> region_counters_;
};

} // namespace trunkline::kit
