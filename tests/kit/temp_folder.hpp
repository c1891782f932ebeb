/// A folder of a test's own, removed with everything in it.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>

namespace trunkline::kit {

class temp_folder {
public:
  explicit temp_folder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    auto name = (parent / "trunkline-test-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error{"no temporary folder"};
    path_ = name;
  }
  ~temp_folder() {
    auto ignored = std::error_code{};
    std::filesystem::remove_all(path_, ignored);
  }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

} // namespace trunkline::kit
