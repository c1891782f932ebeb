/// What the threads of the signing pool do: everything that takes longer than a message. Each
/// function may run on any thread and touches nothing of an actor.
#pragma once

#include "actors/key_cache.hpp"
#include "actors/signing_pool_messages.hpp"
#include "storage/key_store.hpp"

#include <caf/expected.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

/// A key pair that was made, and how it is stored.
struct made_key {
  private_key key;
  key_pair_row pair;
};

/// Makes a key pair; `secret` encrypts it.
made_key make_key(const std::string& secret);

/// Reads what is stored. Fails with `errc::storage_broken` when `secret` does not open it. A
/// previous key that cannot be read is left out: the current one signs in its place.
caf::expected<own_key_ptr> read_key(const std::string& secret, const own_key_row& row,
                                    std::string key_id);

/// Signs one request.
http_headers sign_headers(const sign_request& wish, const own_key& key, time_point now);

/// Signs the request of an order and sends it.
void sign_and_hand_on(sign_and_send& order, const own_key& key, time_point now);

/// One piece of work on its way to a worker and back. The pool fills it while it is the worker's
/// turn to wait, and the other way round; messages hand it over.
struct work_box {
  std::vector<std::function<void()>> run;
  std::atomic<bool> is_done = false;
};

/// A thread of the pool; ends with it.
using signing_worker_handle = caf::typed_actor<
    // There is work in the box.
    caf::reacts_to<signing_done>>;

signing_worker_handle::behavior_type signing_worker(signing_worker_handle::pointer self,
                                                    std::shared_ptr<work_box> box,
                                                    caf::weak_actor_ptr pool);

} // namespace trunkline
