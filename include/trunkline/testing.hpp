/// For an embedder's own tests: engines under virtual time, and other servers that exist in memory.
///
/// Nothing opens a port, nothing sleeps, nothing depends on the speed of the machine: the engines
/// of a world run in the thread that moves it, and time stands still but for `advance`. A failing
/// seed replays exactly. Two numbers alone are the real clock's: `filter_report::over_budget` and
/// `hook_report::busy`. Link `Trunkline::testing`, or -ltrunkline alone: it is part of the library.
///
///   auto world = trunkline::testing::world{};
///   auto here = world.start(trunkline::engine::builder{*options::for_domain("a.example")});
///   auto bob = world.server("b.example").actor("bob");
///   bob.follow("alice@a.example");
///   world.advance(1s);
#pragma once

#include "trunkline/abi.hpp"
#include "trunkline/engine.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {
inline namespace v0 {
namespace testing {

/// How a remote server treats the engines' requests.
enum class mood : std::uint8_t {
  answer, ///< As a server does that works.
  stall,  ///< Takes the request and never answers: a timeout after 10 s of the world.
  refuse, ///< Refuses the connection.
  vanish, ///< Its name does not exist.
  fail,   ///< Answers 500.
  busy,   ///< Answers 429 with Retry-After: 60.
  gone,   ///< Answers 410.
};

/// An activity that a remote server has got in one of its inboxes.
struct received_activity {
  std::string type;
  std::string actor;         ///< URI
  std::string object_type;   ///< "" when only the object's id was sent.
  std::string object;        ///< URI
  std::string content;       ///< HTML of a Note.
  std::string json;          ///< All of it.
  std::string inbox;         ///< Path
  bool signature_ok = false; ///< By the key that the sender's own server shows.
};

class remote_server;

/// An account on a remote server, with a key of its own. A handle: copies are the same account. The
/// server must not be gone.
class TRUNKLINE_API peer_account {
public:
  std::string uri() const;
  std::string address() const; ///< "bob@b.example"

  /// Each sends a signed activity to the inbox of `address`'s server ("alice@a.example"), and lets
  /// the world settle. Returns the status of the answer, 0 without one; of `follow` 202 says that
  /// it was taken, not that it was accepted.
  int follow(std::string_view address);
  int unfollow(std::string_view address);

  /// Makes a public post of `html` that mentions `address`, and sends it to its server. The URI of
  /// the post is in `last_post`.
  int post(std::string_view html, std::string_view address);
  int edit_last(std::string_view html, std::string_view address);
  int delete_last(std::string_view address);
  std::string last_post() const;

  /// Sends any activity, signed; `json` is the whole document.
  int send(std::string_view json, std::string_view address);

private:
  friend class remote_server;
  struct state;
  explicit peer_account(std::shared_ptr<state> inside) : state_{std::move(inside)} {}
  std::shared_ptr<state> state_;
};

/// Another server, which answers webfinger, actors and inboxes. Owned by its world.
class TRUNKLINE_API remote_server {
public:
  /// Makes the account, or returns the one that is there.
  peer_account actor(std::string_view name);

  void behave(mood how);

  /// Answers requests that none of its accounts and documents answer; without it: 404.
  void answer(std::function<web_response(const web_request&)> call);

  /// What came into its inboxes, oldest first; at most 100,000 are kept.
  const std::vector<received_activity>& received() const;

  /// Requests of all kinds since the start.
  std::uint64_t requests() const;

  remote_server(const remote_server&) = delete;
  remote_server& operator=(const remote_server&) = delete;
  ~remote_server();

  /// INTERNAL
  struct state;
  explicit remote_server(std::unique_ptr<state> inside);

private:
  std::unique_ptr<state> state_;
};

/// Virtual time and the network in it. One thread alone uses a world and its engines. It outlives
/// them: it is destroyed last.
class TRUNKLINE_API world {
public:
  /// Seed 0: everything in turn. Others: in an order that the seed chooses.
  explicit world(std::uint64_t seed = 0);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Starts an engine in this world and waits until it is ready. It listens nowhere, its clock,
  /// timers, storage workers and callbacks are the world's, its HTTP client is the network; storage
  /// is `store::memory()` unless the builder says otherwise. Engines of one world find each other
  /// by their domains. The blocking calls of such an engine move the world until the answer is
  /// there.
  result<engine> start(engine::builder parts);

  /// The server `host` ("b.example"), made when it is not there.
  remote_server& server(std::string_view host);

  /// Lets everything happen that can happen now. Returns false when it has not ended after a
  /// million messages.
  bool settle();

  /// Moves the time, from timer to timer.
  void advance(std::chrono::milliseconds span);

  std::chrono::system_clock::time_point now() const;

private:
  std::shared_ptr<virtual_world> inside_;
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace testing
} // namespace v0
} // namespace trunkline
