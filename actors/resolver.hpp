/// Finds other servers' accounts and posts, fetches, sanitises and stores them. One per node.
///
/// Every fetch goes through the host's own actor, so a host that hangs holds up only what is asked
/// of it. Several who ask for the same thing wait for one errand. An errand makes at most
/// `fetches_max` fetches, and none after `errand_time`. Nothing is fetched from a blocked host, and
/// of hosts that nobody here knows few of one registered domain (in test mode any number).
#pragma once

#include "actors/content_gate.hpp"
#include "actors/document_fetcher.hpp"
#include "actors/fetched_posts.hpp"
#include "actors/id_source.hpp"
#include "actors/new_host_limit.hpp"
#include "actors/resolver_jobs.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/tasks.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/names.hpp"
#include "protocol/webfinger.hpp"

#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

/// Hosts without a known account that are looked at, of one registered domain in so much time.
inline constexpr std::size_t new_hosts_max = 10;
inline constexpr auto new_hosts_window = std::chrono::minutes{5};

struct resolver_services {
  storage_handles storage;
  fetch_services fetch;
  std::string domain; ///< `server.domain`: of the names of our accounts.
  url_space own;      ///< Of our ids.
  std::shared_ptr<id_source> ids;
  std::uint8_t slot = 0; ///< Of this node, for the ids of fetched posts.
  wall_clock clock;
  std::shared_ptr<content_gate> gate; ///< Null: nothing is filtered.
};

struct resolver_options {
  std::size_t requests_max = 4'096;  ///< That wait for an answer.
  std::size_t errands_max = 256;     ///< Of them, those that fetch.
  std::size_t host_errands_max = 32; ///< That fetch, first of all from one host.
  int fetches_max = 100;             ///< Of one errand.
  std::size_t ancestors_max = 20;    ///< Of the thread above a post.
  std::size_t strangers_max = 5;     ///< Named in a post, that are looked up.
  std::chrono::hours fresh_for{24};  ///< A known account is not fetched again so long.
  std::chrono::seconds errand_time{60};
  std::chrono::seconds thread_time{5}; ///< After it a post is stored without what is missing.
};

/// INTERNAL: the search for one account, and for one post.
struct account_search;
struct post_search;
using account_search_ptr = std::shared_ptr<account_search>;
using post_search_ptr = std::shared_ptr<post_search>;

/// INTERNAL: what is known of an address before anything is fetched.
struct account_place;
struct post_place;
struct host_standing;

class resolver_state {
public:
  explicit resolver_state(resolver_handle::pointer self) : self_{self} {}
  resolver_handle::behavior_type make_behavior(resolver_services services,
                                               resolver_options options);

private:
  using account_waiter = joined_answers<account_id>::waiter;
  using post_waiter = joined_answers<post_id>::waiter;
  using document_waiter = std::function<void(caf::expected<activity_document>)>;
  using note_waiter = std::function<void(caf::expected<remote_note>)>;
  using finger_waiter = std::function<void(const caf::expected<webfinger_answer>&)>;

  /// What is asked for, with its document when that is there already.
  struct wish {
    std::string address;
    bool refresh = false;
    std::shared_ptr<activity_document> in_hand = nullptr;
  };

  // resolver.cpp: who asks, and what all searches need
  template <class T, class Start>
  caf::result<T> answer(Start start);
  void find_url(const std::string& url, const errand_ptr& errand,
                joined_answers<resolved_thing>::waiter then);
  account_waiter account_to_url(const std::string& key);
  void take_thing(const std::string& key, const errand_ptr& errand,
                  caf::expected<activity_document> found);
  void find_own(const std::string& path, joined_answers<resolved_thing>::waiter then);
  bool is_own(const host_address& host) const;
  std::string scheme_of(std::string_view address) const;
  caf::error judge_host(const host_address& host, caf::expected<host_standing> standing);
  caf::error spend(errand& errand, const host_address& host);
  void reach(const errand_ptr& errand, const host_address& host,
             std::function<void(caf::error)> then);
  void fetch(const errand_ptr& errand, const std::string& url, document_waiter then);
  void finger(const errand_ptr& errand, const webfinger_address& address, finger_waiter then);

  // resolver_accounts.cpp
  void find_account(wish wanted, const errand_ptr& errand, account_waiter then);
  void find_account_named(const wish& wanted, const errand_ptr& errand, account_waiter then);
  void begin_account(account_search_ptr search, account_waiter then);
  void account_looked_up(const account_search_ptr& search, caf::expected<account_place>& place);
  void ask_name(const account_search_ptr& search, const webfinger_address& address);
  void name_answered(const account_search_ptr& search, const webfinger_address& address,
                     const caf::expected<webfinger_answer>& answer);
  void fetch_actor(const account_search_ptr& search, const std::string& url);
  void take_actor(const account_search_ptr& search, caf::expected<activity_document> found);
  void actor_gone(const account_search_ptr& search, const caf::error& failure);
  void actor_looked_up(const account_search_ptr& search, caf::expected<account_place>& place);
  void confirm(const account_search_ptr& search);
  void home_answered(const account_search_ptr& search, const webfinger_address& home,
                     const caf::expected<webfinger_answer>& answer);
  void away_answered(const account_search_ptr& search, const webfinger_address& away,
                     const caf::expected<webfinger_answer>& answer);
  void store_actor(const account_search_ptr& search, const host_address& host);
  void end_account(const account_search_ptr& search, const caf::expected<account_id>& result);

  // resolver_posts.cpp
  void find_post(wish wanted, const errand_ptr& errand, post_waiter then);
  void begin_post(const post_search_ptr& search);
  void look_up_post(const post_search_ptr& search, const std::string& url);
  void post_looked_up(const post_search_ptr& search, caf::expected<post_place>& place);
  void take_document(const post_search_ptr& search, caf::expected<activity_document> found);
  void take_tombstone(const post_search_ptr& search, const activity_document& document);
  void take_note(const post_search_ptr& search, json_value document);
  void take_judged_note(const post_search_ptr& search, remote_note note);
  void read_judged_note(json_value document, note_waiter then);
  void find_author(const post_search_ptr& search);
  void author_found(const post_search_ptr& search, const caf::expected<account_id>& author);
  void update_post(const post_search_ptr& search, account_id author);
  void confirm_gone(const post_search_ptr& search, const caf::error& failure);
  void gone_answered(const post_search_ptr& search, int status);
  void erase_post(const post_search_ptr& search);
  void end_post(const post_search_ptr& search, const caf::expected<post_id>& result);
  fetched_origin fetched_here() const;

  // resolver_threads.cpp
  void look_around(const post_search_ptr& search);
  void stop_looking(const post_search_ptr& search);
  void meet(const post_search_ptr& search, const std::vector<std::string>& strangers);
  void climb(const post_search_ptr& search);
  void parent_looked_up(const post_search_ptr& search, const std::string& parent,
                        const caf::expected<post_place>& place);
  void take_parent(const post_search_ptr& search, caf::expected<activity_document> found);
  void take_judged_parent(const post_search_ptr& search, const caf::expected<remote_note>& note);
  void add_parent(const post_search_ptr& search, const remote_note& note,
                  const caf::expected<account_id>& author);
  void store_thread(const post_search_ptr& search);
  void note_stored(const post_search_ptr& search, const caf::expected<post_id>& stored);

  resolver_handle::pointer self_;
  resolver_services services_;
  resolver_options options_;
  std::size_t requests_ = 0; ///< That wait for an answer.
  fetch_places places_;
  new_host_limit new_hosts_{new_hosts_max, new_hosts_window};
  joined_answers<account_id> accounts_;
  joined_answers<post_id> posts_;
  joined_answers<resolved_thing> urls_;
};

resolver_handle::behavior_type resolver(watched_pointer<resolver_handle, resolver_state> self,
                                        resolver_services services, resolver_options options = {});

} // namespace trunkline
