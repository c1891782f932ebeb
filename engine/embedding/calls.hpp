/// INTERNAL to the typed calls of an engine: requests of a client, made in process and waited for.
#pragma once

#include "api/caller.hpp"
#include "engine/embedding/virtual_world.hpp"
#include "net/http_types.hpp"
#include "protocol/ids.hpp"
#include "protocol/json.hpp"
#include "trunkline/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

class node;

/// The APIs of one node; neither function blocks. May be called from any thread while the node
/// lives.
struct call_entry {
  std::function<void(http_request, std::shared_ptr<const caller>, http_reply)> client;
  std::function<void(http_request, http_reply)> admin;
  std::shared_ptr<virtual_world> world; ///< Moved by whoever waits in it; null in the real one.
};

/// What leads into `inside`, which outlives it.
call_entry entry_of(node& inside);

/// Hands a request over and waits for its answer, at most `limit`: nothing when there was none. An
/// answer that comes later goes nowhere. In a virtual world waiting moves it.
std::optional<http_response> wait_for_answer(const std::function<void(http_reply)>& send,
                                             const std::shared_ptr<virtual_world>& world,
                                             std::chrono::milliseconds limit);

/// What a request asks for, as a client would write it.
struct call_request {
  http_method method = http_method::get;
  std::string path;
  std::string query = {};
  json_object body = {}; ///< Empty: none is sent.
  http_headers headers = {};
};

/// One call of a program: its requests share one deadline, its failures name it.
class program_call {
public:
  /// `name` is that of the public function: "post".
  program_call(call_entry entry, std::string name);

  /// Asks the client API in the name of `account`, who may do everything that he may; 0: of
  /// nobody. Returns the JSON of the answer.
  result<json_value> ask(const call_request& request, account_id account);

  /// Asks the admin API as an operator.
  result<json_value> ask_admin(const call_request& request);

  /// Says that the argument `parameter` is wrong.
  failure refuse(std::string_view parameter, std::string what, std::string advice = {}) const;

  /// Reads an argument that is an id. Fails with `invalid`.
  result<std::int64_t> read_id(std::string_view parameter, std::string_view text) const;

  /// Finds the account at `address`, "name" or "name@host", as `viewer` would: what is not known
  /// here is looked up on its server.
  result<json_value> find(std::string_view address, account_id viewer);

  /// Fails the call as a whole.
  failure fail(failure_kind kind, std::string what, std::string advice = {}) const;

private:
  std::chrono::milliseconds left() const;
  result<json_value> read(const std::optional<http_response>& answer) const;

  const call_entry entry_;
  const std::string name_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const time_point world_began_;
};

} // namespace trunkline
