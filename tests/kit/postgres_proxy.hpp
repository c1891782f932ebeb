/// Stands between a client and the tests' PostgreSQL: loses the connection at COMMIT on demand,
/// stops answering, or hides the server as a pooler does.
#pragma once

#include "tests/kit/temp_folder.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace trunkline::kit {

enum class proxy_mood {
  pass,
  lose_answer,   ///< The server commits, its answer is thrown away.
  leave_running, ///< The COMMIT is handed on and the client dropped while the server is at it.
  keep_answer,   ///< The server commits, its answer is thrown away, and the connection stays.
  lose_request,  ///< The COMMIT never reaches the server.
  refuse,        ///< Every new connection is closed.
};

class postgres_proxy {
public:
  /// `target` is a connection string of the kit: "host=FOLDER user=NAME dbname=NAME".
  explicit postgres_proxy(const std::string& target);
  ~postgres_proxy();
  postgres_proxy(const postgres_proxy&) = delete;
  postgres_proxy& operator=(const postgres_proxy&) = delete;

  std::string connection_string() const;

  /// What happens at the next COMMIT; after that one `then` holds.
  void at_commit(proxy_mood mood, proxy_mood then = proxy_mood::pass);

  /// While it is frozen, connections are accepted and stay open, and nothing is handed on.
  void freeze(bool frozen) { frozen_ = frozen; }

  /// From now on new connections are told another process of the server than the one they get.
  void hide_process() { hides_process_ = true; }

  /// Runs on the proxy's thread before `leave_running` drops the client: waits for the server.
  std::function<void()> before_drop;

private:
  void accept_all();
  void serve(int client);
  /// Hands on what came from the client; false when the connection is to end.
  bool hand_on(int client, int server, const std::string& bytes);

  temp_folder folder_;
  std::string target_;
  std::string rest_; ///< The connection string without its host.
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<bool> frozen_{false};
  std::atomic<bool> hides_process_{false};
  std::atomic<proxy_mood> mood_{proxy_mood::pass};
  std::atomic<proxy_mood> then_{proxy_mood::pass};
  std::vector<std::thread> sessions_; ///< Grown by the accepting thread alone.
  std::thread acceptor_;
};

} // namespace trunkline::kit
