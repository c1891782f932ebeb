/// The signing pool: the only place where private keys are used. It finds or makes the key of
/// whoever signs, and hands the RSA to a few workers. One per node.
///
/// Direct requests go before bulk ones, 8 : 1, and in each class one host after the other, so that
/// a host with a long queue delays nobody else. What waits is bounded; more is refused. At most one
/// key is made at a time, for it holds a worker for up to half a second.
#pragma once

#include "actors/key_cache.hpp"
#include "actors/signing_pool_messages.hpp"
#include "actors/signing_queue.hpp"
#include "actors/signing_work.hpp"
#include "actors/tasks.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/names.hpp"
#include "storage/key_store.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace trunkline {

struct signing_pool_options {
  /// About 4,600 signatures a second each.
  std::size_t workers = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
  bool detached = true;            ///< Each worker has a thread of its own; else CAF's do the RSA.
  std::size_t turn_max = 8;        ///< Requests that a worker takes at once, when many wait.
  std::size_t waiting_max = 4'096; ///< Questions that are not answered yet.
  std::size_t loads_max = 64;      ///< Keys read from storage at once.
  std::size_t makings_max = 256;   ///< Accounts that wait for their first key.
  std::uint32_t direct_share = 8;  ///< Direct requests before a bulk one.
};

/// What the pool works with; none is null.
struct signing_pool_dependencies {
  storage_handles storage;
  std::shared_ptr<key_cache> keys; ///< One of the fan-out's caches.
  std::string secret_key;          ///< 32 bytes, of `secrets.key_file`.
  url_space urls;
  wall_clock clock;
};

class signing_pool_state {
public:
  explicit signing_pool_state(signing_handle::pointer self) : self_{self}, queue_{1} {}
  ~signing_pool_state();

  signing_handle::behavior_type make_behavior(signing_pool_dependencies dependencies,
                                              signing_pool_options options);

private:
  using question_id = std::uint64_t;
  using signed_answer = caf::typed_response_promise<signed_headers>;
  using key_answer = caf::typed_response_promise<public_key_text>;

  /// A question that waits; without `wish` it asks for the public key.
  struct question {
    question_id id = 0; ///< 0: of an order.
    account_id owner;
    std::shared_ptr<const sign_request> wish;
    std::shared_ptr<sign_and_send>
        order; ///< Of which `wish` is a part; null: an answer is awaited.
  };

  /// Questions that wait for a key. A read answers those that came before it began: what it finds
  /// may have been replaced before the others came.
  struct key_waiters {
    std::vector<question> waiting;
    std::vector<question> late;
  };

  /// A piece of work: `run` on a worker, then `finish` here.
  struct job {
    std::function<void()> run;
    std::function<void()> finish;
    bool is_short = false; ///< A signature: a worker may take a few at once.
  };

  struct worker {
    signing_worker_handle handle;
    std::shared_ptr<work_box> box;
    std::vector<std::function<void()>> finish; ///< Empty: the worker is free.
  };

  caf::result<signed_headers> sign(const sign_request& wish);
  void send(sign_and_send& order);
  caf::result<public_key_text> tell_key(const ask_public_key& wish);
  bool is_full() const { return signs_.size() + asks_.size() + orders_ >= options_.waiting_max; }
  void start_workers();

  void collect();
  void pump();
  void employ(worker& free, job first);
  std::optional<job> next_job();
  bool may_make() const;
  job sign_job(const question& asked, own_key_ptr key);
  job parse_job(account_id owner, std::uint64_t version, own_key_row row);
  job make_job(account_id owner);

  std::optional<job> take_question(question asked);
  void park(question asked);
  void admit(account_id owner);
  void read(account_id owner);
  void take_row(account_id owner, std::uint64_t version,
                const caf::expected<std::optional<own_key_row>>& found);
  void use_row(account_id owner, std::uint64_t version, const own_key_row& row);
  void store(account_id owner, const std::shared_ptr<const made_key>& made);
  void take_stored(account_id owner, std::uint64_t version, const made_key& made,
                   const caf::expected<std::optional<own_key_row>>& stored);
  void take_key(account_id owner, std::uint64_t version, caf::expected<own_key_ptr> key);
  void refuse(account_id owner, const caf::error& failure);
  std::vector<question> end_waiting(account_id owner);

  void answer_signed(question_id id, http_headers headers);
  void answer_key(question_id id, const std::string& pem);
  void answer_failure(const question& asked, const caf::error& failure);
  std::string key_id_of(account_id owner, const std::string& name) const;

  signing_handle::pointer self_;
  signing_pool_dependencies has_;
  signing_pool_options options_;
  std::vector<worker> workers_;
  question_id last_question_ = 0;
  std::unordered_map<question_id, signed_answer> signs_;
  std::unordered_map<question_id, key_answer> asks_;
  std::size_t orders_ = 0; ///< Not sent yet.
  signing_queue<question> queue_;
  std::unordered_map<account_id, key_waiters> parked_;
  std::size_t loading_ = 0;        ///< Keys on their way from storage.
  std::deque<job> urgent_;         ///< Of keys that have been loaded.
  std::deque<account_id> makings_; ///< Who waits for a first key.
  bool is_making_ = false;
  bool made_last_ = false; ///< The last job that began made a key.
};

signing_handle::behavior_type signing_pool(watched_pointer<signing_handle, signing_pool_state> self,
                                           signing_pool_dependencies dependencies,
                                           signing_pool_options options);

} // namespace trunkline
