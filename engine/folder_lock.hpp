/// One process per folder: a lock on `<folder>/lock`, which ends with the process.
#pragma once

#include <caf/expected.hpp>

#include <string>

namespace trunkline {

/// Holds the lock until it is destroyed. Move-only.
class folder_lock {
public:
  /// Makes the folder (mode 0700) when it is not there and takes the lock without waiting. Fails
  /// with `errc::already_running` (context: the folder and the holder's process id) or
  /// `errc::unavailable` (context: the path and why).
  static caf::expected<folder_lock> take(const std::string& folder);

  folder_lock(folder_lock&& other) noexcept;
  folder_lock& operator=(folder_lock&& other) noexcept;
  ~folder_lock();

private:
  explicit folder_lock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_ = -1;
};

} // namespace trunkline
