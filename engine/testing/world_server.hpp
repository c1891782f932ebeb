/// A remote server in a virtual world: its accounts, what it answers, and what it has got.
#pragma once

#include "engine/testing/inner_world.hpp"
#include "engine/testing/world_account.hpp"
#include "net/http_types.hpp"
#include "trunkline/testing.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

class world_server {
public:
  static constexpr std::size_t received_max = 100'000;

  /// `world` outlives it, and everything that the network still holds of it.
  world_server(inner_world& world, std::string host);

  /// Makes the account, or returns the one that is there.
  std::shared_ptr<world_account> account(std::string_view name);

  /// Finds out where `address` ("alice@a.example") is, and settles. Returns the URI of its actor;
  /// "" for nobody.
  std::string look_up(const std::shared_ptr<world_account>& as, std::string_view address);

  /// Sends `body`, signed by `as`, to the inbox of `address` and settles. Returns the status of the
  /// answer; 0 without one.
  int send(const std::shared_ptr<world_account>& as, std::string body, std::string_view address);

  time_point now() const { return world_.now(); }

  testing::mood mood = testing::mood::answer;
  std::function<web_response(const web_request&)> own_answer;
  std::vector<testing::received_activity> received;
  std::uint64_t requests = 0;

private:
  /// An actor of somebody else's, as its document has it.
  struct stranger {
    std::string uri;
    std::string inbox;
    json_value document;
  };
  using stranger_handler = std::function<void(const stranger*)>;
  using account_ptr = std::shared_ptr<world_account>;
  struct delivery;

  void take(http_request request, http_reply reply);
  std::optional<http_response> answer_get(const http_request& request) const;
  http_response answer_otherwise(const http_request& request) const;
  void take_activity(http_request request, http_reply reply);
  void judge(const std::shared_ptr<delivery>& one, bool is_fresh);
  void conclude(const delivery& one, const stranger* sender);
  void accept(const json_value& follow, const std::string& inbox);
  void post_until_taken(outgoing_request request, int tries);

  account_ptr account_at(std::string_view path) const;
  account_ptr any_account() const;
  void get(const std::string& url, std::string_view accept, account_ptr as, exchange_handler done);
  void fetch(const std::string& url, account_ptr as, stranger_handler then);
  void locate(std::string_view address, account_ptr as, stranger_handler then);

  inner_world& world_;
  const std::string host_;
  std::map<std::string, account_ptr, std::less<>> accounts_;
  std::map<std::string, stranger, std::less<>> strangers_; ///< By URI.
  std::map<std::string, std::string, std::less<>> places_; ///< URIs by address.
};

} // namespace trunkline
