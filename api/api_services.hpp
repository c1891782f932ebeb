/// What every gateway of a node shares: the node's settings, and the actors and caches it asks.
///
/// Made once by the engine and outlives the gateways. Handlers keep no state of their own.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/content_gate.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/inbox_messages.hpp"
#include "actors/node_lease.hpp"
#include "actors/password_worker_messages.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/signature_checker_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/ticket.hpp"
#include "actors/timeline_messages.hpp"
#include "actors/token_cache.hpp"
#include "api/figures_cache.hpp"
#include "api/rate_limiter.hpp"
#include "protocol/entities.hpp"
#include "protocol/errc.hpp"
#include "protocol/time.hpp"
#include "protocol/views.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace trunkline {

struct admin_services;
class custom_routes;
class delivery_budget;
class host_board;
class id_source;

struct api_options {
  std::string domain;  ///< `server.domain`, in names and ids.
  std::string url;     ///< `server.url`, without a slash at the end; in links.
  url_space own_urls;  ///< Of ids: "https://" and the domain, in test mode `server.url`.
  std::string version; ///< Of Trunkline: "0.1.0".
  bool test_enabled = false;
  rate_limit requests; ///< `rate_limit.requests`; not enforced when `test_enabled`.
  /// Tries to log in, right ones included; not enforced when `test_enabled`.
  rate_limit logins_by_address{.requests = 25, .window = std::chrono::minutes{5}};
  rate_limit logins_by_account{.requests = 25, .window = std::chrono::hours{1}};
  std::chrono::seconds code_life = std::chrono::minutes{10};
  std::chrono::seconds session_life = std::chrono::hours{14 * 24};
  std::chrono::seconds figures_age = std::chrono::minutes{5}; ///< Of the counts in /instance.
  std::int64_t exchanges_max = 2'048;          ///< Requests under way at once: tickets.
  std::chrono::seconds deadline{10};           ///< Of one request to an account or a timeline.
  std::chrono::seconds search_deadline{20};    ///< Of what a search looks up elsewhere.
  std::chrono::seconds signature_deadline{60}; ///< Of a signature, the key's fetch included.
  bool authorized_fetch = false;               ///< `federation.authorized_fetch`
  std::int64_t deliveries_max = 4'096;         ///< Requests to inboxes under way at once: tickets.
  std::int64_t inbox_waiting_max = 1'000;      ///< Arrivals of one host that wait to be applied.
};

/// Counted by the gateways, read by whoever shows them.
class api_counters {
public:
  void answered(int status) { ++answers_[static_cast<std::size_t>(status / 100) % 6]; }
  void refused(errc code) { ++refusals_[static_cast<std::size_t>(code)]; }

  /// Answers with a status of `hundreds`00 to `hundreds`99, 1 to 5.
  std::int64_t answers(std::size_t hundreds) const { return answers_[hundreds]; }
  std::int64_t refusals(errc code) const { return refusals_[static_cast<std::size_t>(code)]; }

private:
  std::array<std::atomic<std::int64_t>, 6> answers_ = {};
  std::array<std::atomic<std::int64_t>, 256> refusals_ = {};
};

struct api_services {
  api_services(api_options settings, storage_handles workers, wall_clock time)
      : options{std::move(settings)}, storage{std::move(workers)}, clock{std::move(time)},
        here{options.domain, url_space{options.url}}, own_urls{options.own_urls},
        tickets{options.exchanges_max}, inbox_tickets{options.deliveries_max},
        requests{options.requests}, logins_by_address{options.logins_by_address},
        logins_by_account{options.logins_by_account}, figures{options.figures_age} {}

  /// For the queries of what is shown.
  view_moment viewing() const { return {.now = clock(), .counts = counts}; }

  const api_options options;
  const storage_handles storage;
  const wall_clock clock;
  const site here;
  const url_space own_urls;  ///< Of the ids of our accounts, posts and activities.
  account_handle accounts;   ///< The account region.
  timeline_handle timelines; ///< The timeline region.
  std::shared_ptr<id_source> ids;
  resolver_handle resolver;            ///< Null: nothing is looked up elsewhere.
  password_handle passwords;           ///< The only place where passwords are hashed and checked.
  std::shared_ptr<token_cache> tokens; ///< Null: storage is asked about every token.
  known_counts_ptr counts;             ///< Null: everything that is shown is counted.
  signing_handle signing;              ///< Null: documents with keys are answered 503.
  signature_checker_handle signature_checker; ///< Null: signed requests are answered 503.
  inbox_lane_handle inbox;  ///< The region of inbox lanes. Null: arrivals are answered 503.
  remote_host_handle hosts; ///< The host region; told of signs of life.
  std::shared_ptr<host_board> board;             ///< Null: no host is known to operators.
  std::shared_ptr<const delivery_budget> budget; ///< Null: its readings are left out.
  dispatcher_handle dispatcher;                  ///< Null: what is owed to hosts is not known.
  /// Called at the named points of the inbound path; for tests that kill the process there.
  std::function<void(std::string_view)> at_point = [](std::string_view) {};
  std::shared_ptr<content_gate> gate;              ///< Null: nothing is filtered.
  std::shared_ptr<const custom_routes> own_routes; ///< The embedder's; null: none.
  ticket_office tickets;                           ///< Of clients.
  ticket_office inbox_tickets; ///< Of other servers, whose keys may take long to fetch.
  rate_limiter requests;       ///< By account, app and address.
  rate_limiter logins_by_address;
  rate_limiter logins_by_account;
  figures_cache figures;
  api_counters counters;
  std::atomic<bool> draining = false; ///< Set once: new requests are answered 503.
  node_lease_ptr lease;               ///< While it is over they are too.
  admin_services* admin = nullptr;    ///< Of the admin table's handlers; null for the client API.
};

using api_services_ptr = std::shared_ptr<api_services>;

} // namespace trunkline
