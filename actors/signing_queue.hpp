/// What waits to be signed: direct before bulk, 8 : 1, and in each class one host after the other.
/// Pure values; one thread. Whoever fills it bounds it.
#pragma once

#include "protocol/codes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace trunkline {

template <class Item>
class signing_queue {
public:
  /// Takes `direct_share` direct items before a bulk one, when there are both.
  explicit signing_queue(std::uint32_t direct_share) : direct_share_{direct_share} {}

  void put(delivery_class cls, const std::string& host, Item item) {
    auto& in = cls == delivery_class::direct ? classes_[0] : classes_[1];
    auto& lane = in.lanes[host];
    if (lane.empty())
      in.turns.push_back(host);
    lane.push_back(std::move(item));
    ++size_;
  }

  /// Returns the next item, or nothing.
  std::optional<Item> take() {
    if (size_ == 0)
      return std::nullopt;
    auto& direct = classes_[0];
    auto& bulk = classes_[1];
    const auto is_bulk =
        direct.turns.empty() || (direct_in_a_row_ >= direct_share_ && !bulk.turns.empty());
    direct_in_a_row_ = is_bulk ? 0 : direct_in_a_row_ + 1;
    --size_;
    return take_from(is_bulk ? bulk : direct);
  }

  std::size_t size() const { return size_; }

private:
  struct class_lanes {
    std::unordered_map<std::string, std::deque<Item>> lanes; ///< None is empty.
    std::deque<std::string> turns;                           ///< The hosts of the lanes.
  };

  static Item take_from(class_lanes& in) {
    auto host = std::move(in.turns.front());
    in.turns.pop_front();
    const auto lane = in.lanes.find(host);
    auto item = std::move(lane->second.front());
    lane->second.pop_front();
    if (lane->second.empty())
      in.lanes.erase(lane);
    else
      in.turns.push_back(std::move(host));
    return item;
  }

  std::array<class_lanes, 2> classes_;
  std::size_t size_ = 0;
  std::uint32_t direct_share_;
  std::uint32_t direct_in_a_row_ = 0;
};

} // namespace trunkline
