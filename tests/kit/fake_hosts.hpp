/// A host region that answers fetches from a table, for those who fetch documents.
///
///     auto hosts = kit::fake_hosts{actors};
///     hosts.serve("https://v.example/users/ann", R"({"id": "https://v.example/users/ann"})");
///     ... services{.hosts = hosts.region(), ...} ...
///     CHECK(hosts.asked().size() == 1);
#pragma once

#include "actors/remote_host_messages.hpp"
#include "kit/deterministic_system.hpp"

#include <caf/error.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace trunkline::kit {

/// What the fake hosts have and have seen.
struct host_table {
  std::map<std::string, fetched_document> pages; ///< By URL; others answer 404.
  std::map<std::string, caf::error> failures;    ///< By URL, before `pages`.
  std::set<std::string> stalled;                 ///< Names of hosts that never answer.
  std::vector<fetch_document> asked;
  std::vector<caf::typed_response_promise<fetched_document>> waiting;
  std::vector<std::string> alive; ///< Hosts of `note_sign_of_life`.
};

class fake_hosts {
public:
  explicit fake_hosts(deterministic_system& actors);

  const remote_host_handle& region() const { return region_; }
  host_table& table() { return *table_; }
  const std::vector<fetch_document>& asked() const { return table_->asked; }
  std::vector<std::string> asked_urls() const;

  void serve(const std::string& url, std::string body,
             std::string content_type = "application/activity+json");
  void redirect(const std::string& url, const std::string& location, int status = 302);
  void answer(const std::string& url, int status);

private:
  std::shared_ptr<host_table> table_ = std::make_shared<host_table>();
  remote_host_handle region_;
};

} // namespace trunkline::kit
