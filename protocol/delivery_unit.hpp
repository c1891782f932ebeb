/// The unit of delivery: one row of the log, owed to one endpoint.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "protocol/object_key.hpp"
#include "protocol/time.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <string>

namespace trunkline {

/// An inbox of a remote host.
struct delivery_endpoint {
  endpoint_id id;
  host_id host;
  std::string url;
  bool shared = false; ///< Serves more than one account of its host.
};

/// What a unit is known by.
struct unit_key {
  log_seq seq = 0;
  endpoint_id endpoint;

  friend constexpr auto operator<=>(const unit_key&, const unit_key&) noexcept = default;
};

/// One activity owed to one endpoint. Its body stays in the log.
struct delivery_unit {
  log_seq seq = 0;
  account_id author;
  delivery_class cls = delivery_class::bulk;
  log_kind kind = log_kind::create;
  object_key object;
  time_point at;
  std::shared_ptr<const delivery_endpoint> to; ///< Not null; shared by all its units.

  unit_key key() const { return {seq, to->id}; }
};

inline constexpr std::size_t delivery_classes = 2;

/// Returns the place of a class in arrays of one item per class.
constexpr std::size_t index_of(delivery_class cls) {
  return cls == delivery_class::direct ? 0 : 1;
}

/// Up to where a host was offered units before, by class.
using offered_before = std::array<log_seq, delivery_classes>;

/// Returns the class at a place.
constexpr delivery_class class_at(std::size_t index) {
  return index == 0 ? delivery_class::direct : delivery_class::bulk;
}

} // namespace trunkline
