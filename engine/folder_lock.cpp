#include "engine/folder_lock.hpp"

#include "protocol/errc.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

namespace trunkline {

namespace {

caf::error unusable(const std::string& path, int number) {
  return make_error(errc::unavailable, path + ": " + std::generic_category().message(number));
}

std::string holder_of(int descriptor) {
  auto text = std::array<char, 32>{};
  const auto length = ::pread(descriptor, text.data(), text.size() - 1, 0);
  auto pid = std::string{text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
  while (!pid.empty() && pid.back() == '\n')
    pid.pop_back();
  return pid.empty() ? "another process" : "process " + pid;
}

} // namespace

caf::expected<folder_lock> folder_lock::take(const std::string& folder) {
  auto failure = std::error_code{};
  const auto made = std::filesystem::create_directories(folder, failure);
  if (failure)
    return unusable(folder, failure.value());
  if (made)
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
  const auto path = folder + "/lock";
  const auto descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return unusable(path, errno);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    auto why = make_error(errc::already_running, folder + ": in use by " + holder_of(descriptor));
    ::close(descriptor);
    return why;
  }
  // The lock counts; the number in it is a courtesy, which a full disk may refuse.
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) == 0)
    std::ignore = ::pwrite(descriptor, pid.data(), pid.size(), 0);
  return folder_lock{descriptor};
}

folder_lock::folder_lock(folder_lock&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)} {}

folder_lock& folder_lock::operator=(folder_lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

folder_lock::~folder_lock() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

} // namespace trunkline
