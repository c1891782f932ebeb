/// What the books of delivery are compared with: the tables as they would be, an independent count
/// of units, and hosts as they know themselves. Values; for tests alone.
#pragma once

#include "protocol/delivery_books.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace trunkline::kit {

struct tables {
  std::map<std::pair<int, delivery_class>, shard_mark> marks;
  std::map<std::pair<host_id, delivery_class>, host_backlog> backlogs;
  std::map<unit_key, exception_change> exceptions;

  void apply(const checkpoint& changes) {
    for (auto mark : changes.marks) {
      const auto read = decode_sums(encode_sums(mark.sums));
      REQUIRE(read);
      REQUIRE(*read == mark.sums);
      auto& stored = marks[{mark.shard, mark.cls}];
      REQUIRE(stored.seq <= mark.seq);
      stored = std::move(mark);
    }
    for (const auto& row : changes.backlogs)
      backlogs.insert_or_assign({row.host, row.cls}, row);
    for (const auto& gone : changes.caught_up)
      backlogs.erase(gone);
    for (const auto& change : changes.exceptions)
      if (change.row && change.row->status == exception_status::waiting)
        exceptions.insert_or_assign(change.unit, change);
      else
        exceptions.erase(change.unit);
  }
};

enum class fate : std::uint8_t { open, excepted, ended };

struct known_unit {
  delivery_unit unit;
  host_id host;
  fate is = fate::open;
  unit_outcome outcome = unit_outcome::delivered;
  bool is_drained = false; ///< It was never offered.
};

/// What the books were told: the independent count.
struct count {
  std::map<unit_key, known_unit> units;
  delivery_sums earlier; ///< Of units that were opened again.

  delivery_sums sums() const {
    auto sums = earlier;
    for (const auto& [key, each] : units) {
      ++sums.offered;
      ++(sums.*(each.is == fate::ended ? sum_of(each.outcome) : &delivery_sums::pending));
    }
    return sums;
  }

  void end(const unit_key& key, unit_outcome outcome) {
    auto& each = units.at(key);
    each.is = outcome == unit_outcome::excepted ? fate::excepted : fate::ended;
    each.outcome = outcome;
  }

  void open_again(known_unit& each, fate as) {
    ++earlier.offered;
    ++(earlier.*sum_of(each.outcome));
    each.is = as;
  }
};

/// A host as it knows itself.
struct fake_host {
  std::array<std::set<unit_key>, 2> open;
  std::array<std::vector<settled_unit>, 2> untold;
  std::vector<exception_change> changes;
  std::array<log_seq, 2> received{};
  std::array<log_seq, 2> gone_upto{};
  bool is_drained = false;
};

} // namespace trunkline::kit
