/// Books of two hosts in one shard, and what they are told. For tests of the books alone.
#pragma once

#include "protocol/delivery_books.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

namespace trunkline::kit::books_scene {

using namespace std::chrono_literals;

inline constexpr auto bulk = delivery_class::bulk;
inline constexpr auto direct = delivery_class::direct;
inline constexpr auto shard = std::uint8_t{7};
inline constexpr auto host = host_id{1};
inline constexpr auto other = host_id{2};
inline constexpr auto start = time_point{1'000s};

inline unit_key key(log_seq seq, int endpoint = 1) {
  return {seq, endpoint_id{endpoint}};
}

inline bool is_mark(const shard_mark& mark, log_seq seq, const std::vector<unit_key>& acked) {
  return mark.shard == shard && mark.cls == bulk && mark.seq == seq && mark.acked == acked;
}

struct books_fixture {
  delivery_books books;
  time_point now = start;

  explicit books_fixture(delivery_books_limits limits = {}) : books{limits} {}

  bool offer(log_seq seq, host_id to = host, int endpoint = 1, delivery_class cls = bulk) {
    const auto is_new = books.offer(to, shard,
                                    {.seq = seq,
                                     .author = account_id{1},
                                     .cls = cls,
                                     .at = now,
                                     .to = std::make_shared<const delivery_endpoint>(
                                         delivery_endpoint{.id = endpoint_id{endpoint}})});
    books.advance(seq);
    return is_new;
  }

  static std::vector<settled_unit> as_delivered(const std::vector<unit_key>& units) {
    auto settled = std::vector<settled_unit>{};
    for (const auto& unit : units)
      settled.push_back({unit, unit_outcome::delivered});
    return settled;
  }

  void tell(const std::vector<unit_key>& settled, std::optional<log_seq> first_open,
            log_seq received, host_id from = host) {
    books.take(from,
               {.cls = bulk,
                .settled = as_delivered(settled),
                .received_upto = received,
                .first_open = first_open,
                .oldest_at = start},
               now);
    CHECK(books.sums().are_balanced());
  }

  checkpoint write() {
    auto made = books.collect(now);
    books.committed(made);
    return made;
  }

  class_cursor cursor(host_id of = host) { return books.cursor(of, shard, bulk); }
};

} // namespace trunkline::kit::books_scene
