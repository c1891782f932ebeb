/// The signature checker: finds the key that a request names, and tells who signed it. One per
/// node.
///
/// The stored key of a known account counts; else the one that was fetched last; else it is fetched
/// from its host, through that host's actor. A key that does not fit is fetched once more, at most
/// every `refetch_interval`. Many checks of one key wait for one fetch; fetches are bounded per
/// host, so that a host that hangs holds up its own keys alone. What failed is not fetched again
/// for a while. Of hosts that nobody here knows few of a registrable domain are asked: whoever owns
/// it could make up a name per request, and have an actor started for each.
///
/// A key whose host does not answer is no proof either: who is behind it decides how long that
/// takes, and senders try again. Only what is too much for this server is `unavailable`. Signers on
/// this server, of a blocked host, and suspended ones are refused before anything is fetched.
#pragma once

#include "actors/document_fetcher.hpp"
#include "actors/new_host_limit.hpp"
#include "actors/recent_map.hpp"
#include "actors/signature_checker_messages.hpp"
#include "actors/tasks.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/errc.hpp"
#include "protocol/http_signature.hpp"
#include "protocol/signing_key.hpp"
#include "storage/key_store.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace trunkline {

struct signature_checker_options {
  signature_policy policy;
  std::size_t keys_max = 10'000;      ///< Public keys in memory, about 2 KB each.
  std::size_t failures_max = 10'000;  ///< Keys that could not be had, and those fetched once more.
  std::size_t checks_max = 2'048;     ///< Under way; more are refused.
  std::size_t reads_max = 64;         ///< Questions to storage at once.
  std::size_t fetches_max = 128;      ///< Keys on their way at once.
  std::size_t host_fetches_max = 8;   ///< Of those from one host.
  std::size_t key_waiters_max = 256;  ///< Checks that wait for one key.
  std::size_t host_waiters_max = 256; ///< That wait for keys of one host: others have the rest.
  std::size_t new_hosts_max = 10;     ///< Names of a registrable domain in each `new_hosts_window`.
  std::size_t document_bytes_max = 1024 * 1024;
  std::chrono::minutes new_hosts_window{5};
  std::chrono::seconds refetch_interval = std::chrono::minutes{5};
  std::chrono::seconds failure_kept_min = std::chrono::minutes{1}; ///< Doubles with each failure.
  std::chrono::seconds failure_kept_max = std::chrono::minutes{5};
};

struct signature_checker_dependencies {
  storage_handles storage;
  fetch_services fetch; ///< `own` is who requests must be addressed to.
  wall_clock clock;
};

class signature_checker_state {
public:
  explicit signature_checker_state(signature_checker_handle::pointer self)
      : self_{self}, keys_{1}, failures_{1}, refetched_{1}, new_hosts_{0, {}} {}
  ~signature_checker_state();

  signature_checker_handle::behavior_type make_behavior(signature_checker_dependencies dependencies,
                                                        signature_checker_options options);

private:
  using check_id = std::uint64_t;
  using steady_time = caf::actor_clock::time_point;

  /// A check under way.
  struct open_check {
    signature_claim claim;
    host_address host; ///< Of the key, and so of its owner.
    caf::typed_response_promise<verified_signer> answer;
  };

  /// A key ready to verify, and whose it is.
  struct signer {
    std::string actor;
    std::string pem;
    public_key key;
  };
  using signer_ptr = std::shared_ptr<const signer>;

  /// What storage knows of a key.
  struct key_standing {
    known_signer signer;
    bool is_host_known = true; ///< It has a row.
  };

  /// A key on its way.
  struct key_fetch {
    host_address host;
    std::vector<check_id> waiting;
  };

  /// A key that could not be had.
  struct key_failure {
    errc code = errc::unavailable;
    steady_time until;
    std::chrono::seconds kept; ///< The next failure is kept twice as long.
  };

  caf::result<verified_signer> check(const check_signature& wish);
  caf::expected<signature_claim> read_claim(const check_signature& wish) const;
  caf::expected<host_address> host_of_key(const signature_claim& claim) const;

  void read_next();
  static caf::expected<key_standing> find_standing(database& db, const named_key& key,
                                                   const host_address& host);
  void take_known(check_id id, const caf::expected<key_standing>& standing);
  signer_ptr find_key(const open_check& asked, const known_signer& known);
  void fetch_for(check_id id, bool is_known, bool is_host_known);
  std::size_t waiters_for(const host_address& host) const;
  caf::error refuse_fetch(const open_check& asked, bool is_known, bool is_host_known);
  void begin_fetch(check_id id);

  void ask_document(const std::string& key_id, std::string url, bool is_owner);
  void take_document(const std::string& key_id, bool is_owner,
                     const caf::expected<activity_document>& found);
  void store(const std::string& key_id, signer_ptr fetched);
  void take_stored(const std::string& key_id, const signer_ptr& fetched,
                   const caf::expected<known_signer>& stored);
  void fail_fetch(const std::string& key_id, const caf::error& failure);
  std::vector<check_id> end_fetch(const std::string& key_id);

  void judge(check_id id, const known_signer& known, const signer_ptr& key);
  void accept(check_id id, const std::string& actor);
  void refuse(check_id id, caf::error failure);

  signature_checker_handle::pointer self_;
  signature_checker_dependencies has_;
  signature_checker_options options_;
  check_id last_check_ = 0;
  std::unordered_map<check_id, open_check> checks_;
  std::deque<check_id> line_; ///< Checks that storage has not been asked about.
  std::size_t reading_ = 0;
  recent_map<std::string, signer_ptr> keys_; ///< By the key's id, as are all below.
  std::unordered_map<std::string, key_fetch> fetches_;
  std::unordered_map<std::string, std::size_t> host_fetches_; ///< By the host's name.
  recent_map<std::string, key_failure> failures_;
  recent_map<std::string, steady_time> refetched_; ///< When a key that did not fit was fetched.
  new_host_limit new_hosts_;
};

signature_checker_handle::behavior_type
signature_checker(watched_pointer<signature_checker_handle, signature_checker_state> self,
                  signature_checker_dependencies dependencies, signature_checker_options options);

} // namespace trunkline
