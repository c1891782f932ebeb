/// Where an engine keeps what it is told: a closed set, because the seam is SQL.
#pragma once

#include "trunkline/abi.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace trunkline {
inline namespace v0 {

/// A plain value. What it names is opened by the starting node: `engine::wait_ready` tells why that
/// failed.
class store {
public:
  enum class kind : std::uint8_t { sqlite, postgres, memory };

  /// SQLite in `folder`, which is made (mode 0700) when it is not there. One engine at a time.
  static store sqlite(std::string folder) { return {kind::sqlite, std::move(folder), ""}; }

  /// PostgreSQL at `url` ("postgresql://user@/name"); `folder` holds the lock and the key of this
  /// server's secrets, nothing else.
  static store postgres(std::string url, std::string folder) {
    return {kind::postgres, std::move(folder), std::move(url)};
  }

  /// SQLite in memory: no folder, no lock, gone with the engine. For tests and demonstrations.
  static store memory() { return {kind::memory, "", ""}; }

  kind what() const { return what_; }
  const std::string& folder() const { return folder_; }
  const std::string& url() const { return url_; }

private:
  store(kind what, std::string folder, std::string url)
      : what_{what}, folder_{std::move(folder)}, url_{std::move(url)} {}

  kind what_;
  std::string folder_;
  std::string url_;
};

} // namespace v0
} // namespace trunkline
