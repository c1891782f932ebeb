/// The activities that were sent lately, so that a body is read once for all hosts of a node.
///
/// Any thread.
#pragma once

#include "actors/recent_map.hpp"
#include "protocol/ids.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace trunkline {

/// What is sent for a row, and who signs it.
struct delivery_body {
  std::shared_ptr<const std::string> text;
  std::string sha256; ///< Raw bytes.
  account_id signer;
};

class delivery_bodies {
public:
  /// Keeps at most `bodies_max` activities; one of more than `body_bytes_max` is not kept.
  explicit delivery_bodies(std::size_t bodies_max = 1'024, std::size_t body_bytes_max = 64 * 1024)
      : body_bytes_max_{body_bytes_max}, kept_{bodies_max} {}

  std::optional<delivery_body> find(log_seq seq) {
    const auto lock = std::lock_guard{mutex_};
    const auto* found = kept_.find(seq);
    return found ? std::optional{*found} : std::nullopt;
  }

  void put(log_seq seq, const delivery_body& body) {
    if (body.text->size() > body_bytes_max_)
      return;
    const auto lock = std::lock_guard{mutex_};
    kept_.put(seq, body);
  }

private:
  std::size_t body_bytes_max_;
  std::mutex mutex_;
  recent_map<log_seq, delivery_body> kept_;
};

} // namespace trunkline
