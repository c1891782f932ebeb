/// INTERNAL to net: inboxes that were posted to lately, read once.
///
/// Belongs to the client's thread.
#pragma once

#include "protocol/host_address.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace trunkline {

class known_urls {
public:
  using url_ptr = std::shared_ptr<const remote_url>;

  /// Remembers at least the last `urls_max` and at most twice as many.
  explicit known_urls(std::size_t urls_max) : urls_max_{urls_max} {}

  /// Returns what was kept for `text`, or null.
  url_ptr find(const std::string& text) {
    if (const auto found = recent_.find(text); found != recent_.end())
      return found->second;
    const auto found = former_.find(text);
    if (found == former_.end())
      return nullptr;
    auto url = found->second;
    keep(text, url);
    return url;
  }

  void keep(const std::string& text, url_ptr url) {
    if (recent_.size() >= urls_max_)
      former_ = std::exchange(recent_, {});
    recent_.insert_or_assign(text, std::move(url));
  }

private:
  std::size_t urls_max_;
  std::unordered_map<std::string, url_ptr> recent_;
  std::unordered_map<std::string, url_ptr> former_; ///< Not asked for since those were new.
};

} // namespace trunkline
