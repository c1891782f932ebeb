/// A name server on 127.0.0.1 that answers what a test says, over UDP and TCP.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace trunkline::kit {

struct dns_answer {
  std::vector<std::string> addresses; ///< IPv4 and IPv6.
  std::uint32_t ttl = 60;
  int code = 0;         ///< 2: SERVFAIL, 3: NXDOMAIN.
  bool silent = false;  ///< Never answered.
  bool swapped = false; ///< Questions for one family are answered with the other's records.
};

class stub_dns {
public:
  /// `ask` gets the name and how often it was asked for before, from 0; runs on the stub's thread.
  using script = std::function<dns_answer(const std::string& name, int before)>;

  explicit stub_dns(script ask);
  stub_dns(const stub_dns&) = delete;
  stub_dns& operator=(const stub_dns&) = delete;
  ~stub_dns();

  /// "127.0.0.1:port"
  std::string server() const { return "127.0.0.1:" + std::to_string(port_); }

  /// How often the IPv4 addresses of `name` were asked for.
  int asked(const std::string& name) const;

private:
  bool bind_both();
  void run();
  void serve_udp();
  void serve_tcp();
  std::string reply(std::string_view query, bool over_tcp);

  script ask_;
  int udp_ = -1;
  int tcp_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, int> asked_;
  std::thread thread_;
};

} // namespace trunkline::kit
