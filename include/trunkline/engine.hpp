/// A Trunkline node inside any program. Several engines may live in one process, each with a
/// folder of its own.
///
/// Nothing is global, but for the signal handlers while `run_until_signal` waits. No call throws,
/// but for `std::bad_alloc`. Threads: at most 12 + 2 x cores an engine, whatever the backlog, and
/// those of what was added: one for each hook, for own routes, subscriptions, webhooks and
/// `on_lost`, two for filters.
#pragma once

#include "trunkline/abi.hpp"
#include "trunkline/calls.hpp"
#include "trunkline/events.hpp"
#include "trunkline/filter.hpp"
#include "trunkline/observing.hpp"
#include "trunkline/options.hpp"
#include "trunkline/result.hpp"
#include "trunkline/store.hpp"
#include "trunkline/transport.hpp"
#include "trunkline/version.hpp"
#include "trunkline/web.hpp"
#include "trunkline/webhook.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace trunkline {
class virtual_world;

inline namespace v0 {

/// A started node. Move-only; the destructor ends it, without losing what was answered. It waits
/// for a start that is under way, and blocks until the threads have ended: for callbacks of the
/// embedder 2 s, for each kind of them. One that runs longer keeps its own thread, which is left
/// behind; it must not touch the engine any more. None begins after the end.
///
/// Calls may come from any thread, and from hooks, routes and subscriptions; none from a filter, a
/// clock, a log sink or a transport. Those that return a `result` block until the answer, at most
/// `call_limit`; `unavailable` means that the engine is not ready, drains or is full.
class TRUNKLINE_API engine {
public:
  class builder;

  static constexpr auto call_limit = std::chrono::seconds{20};

  /// One that was moved from can be destroyed and assigned to, nothing else.
  engine(engine&&) noexcept;
  engine& operator=(engine&&) noexcept;
  ~engine();

  // Its life

  /// Waits until the node serves, for at most `timeout`, and for 24 h at most. Fails with what
  /// stopped the start (a folder that is in use, a database away, a port taken), or when the time
  /// is over.
  result<bool> wait_ready(std::chrono::milliseconds timeout);

  /// Where clients and the admin API reach this node, "http://127.0.0.1:3000"; port 0 is resolved.
  /// "" for an engine that does not listen, until it is ready, and once it is lost.
  std::string web_url() const;
  std::string admin_url() const;

  /// Blocks until the process gets SIGTERM or SIGINT, or the engine fails for good (`lost`).
  /// Returns the signal's number, 0 for a failure. The handlers of both are replaced meanwhile, and
  /// put back; it may run for one engine of a process at a time: a second call returns -1 at once.
  int run_until_signal();

  /// Stops accepting at once, finishes what is in flight, typed calls included, for at most
  /// `timeout`, and for 24 h at most. Returns whether everything in flight was answered. It first
  /// waits for a start that is under way, however long that takes. A second call does nothing and
  /// returns true.
  bool drain(std::chrono::milliseconds timeout);

  // HTTP in process

  /// Answers a request as if it had come in over `server.listen`: clients, other servers and own
  /// routes. Does not block; `reply` is called once, on a thread of the engine or, with what is
  /// refused at once, within this call, and must not block; an exception is ignored. What no server
  /// would let through (a method that is no token, a target that is no path, too many or too large
  /// headers, too large a body) is answered 400, 413, 414 or 431, as over a socket. Host may be
  /// missing; other servers sign theirs, so hand on all headers as they came but for
  /// Transfer-Encoding, which is refused. A Content-Length must be the size of the body. An answer
  /// to HEAD has no body.
  void handle(web_request request, std::function<void(web_response)> reply);

  /// Likewise, and waits for the answer; 503 after `call_limit`.
  web_response handle(web_request request);

  // What clients do; each obeys the rules that hold for clients, filters included

  /// Fails with `conflict` when the name is taken.
  result<account_card> create_account(const new_account& draft);

  /// Makes a bearer token of `account` (an id) for a client, with `scopes` parted by spaces. The
  /// token is shown this once.
  result<std::string> create_token(std::string_view account,
                                   std::string_view scopes = "read write follow");

  /// Finds "name" or "name@host"; one that is not known here is looked up on its server.
  result<account_card> find_account(std::string_view address);

  /// `account` is the id of the local account that acts, here and below.
  result<post_card> post(std::string_view account, const new_post& draft);

  /// Changes text, spoiler, sensitive and language; the rest of `draft` is not looked at.
  result<post_card> edit(std::string_view account, std::string_view post, const new_post& draft);
  result<bool> delete_post(std::string_view account, std::string_view post);
  result<post_card> boost(std::string_view account, std::string_view post);
  result<post_card> favourite(std::string_view account, std::string_view post);

  /// `address` as in `find_account`. `requested` until the other server accepts.
  result<follow_state> follow(std::string_view account, std::string_view address);
  result<follow_state> unfollow(std::string_view account, std::string_view address);
  result<follow_state> following(std::string_view account, std::string_view address);

  result<post_card> read_post(std::string_view account, std::string_view post);
  result<std::vector<post_card>> home(std::string_view account, const page& part = {});
  /// `author` is an id, of any account that is known here.
  result<std::vector<post_card>> posts_of(std::string_view account, std::string_view author,
                                          const page& part = {});

  /// Calls `call` for each post that enters the home of `account` from now on. At most 256
  /// subscriptions of an engine; one more fails with `too_large`.
  result<subscription> subscribe(std::string_view account, timeline_function call);

  // How it is

  /// Asks one actor how it is: "account" and a decimal id, "timeline" and "home:ID", "host" and
  /// "name" or "name:port". Fails with `not_found` for a kind or id that cannot be.
  result<actor_report> ask(std::string_view kind, std::string_view id);

  /// Every metric, as GET /metrics of the admin API shows it.
  std::string metrics_text() const;
  std::vector<metric_reading> metrics() const;

  std::vector<filter_report> filters() const;
  std::vector<hook_report> hooks() const;
  std::vector<webhook_report> webhooks() const;

  /// Why the engine has failed for good (storage that cannot be trusted any more): since then it
  /// refuses every request and call, and closes its listeners. What nobody waits for goes on until
  /// its end, as far as storage lets it: deliveries, hooks, webhooks. An empty message while it has
  /// not failed.
  failure lost() const;

  /// INTERNAL: for `trunkline::testing`.
  struct state;
  explicit engine(std::unique_ptr<state> inside);

private:
  std::unique_ptr<state> state_;
};

} // namespace v0
} // namespace trunkline

#include "trunkline/builder.hpp"
