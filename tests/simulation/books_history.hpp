/// A random history of the books of delivery with crashes, against an independent count.
///
/// Rows, hosts that settle and die, operators' replays and drains, commits that fail, shards that
/// leave and come back. The same seed
/// gives the same history. No actors, no storage.
#pragma once

#include "protocol/delivery_books.hpp"
#include "tests/kit/books_model.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace trunkline::simulation {

class books_history {
public:
  explicit books_history(std::uint64_t seed);
  void run(int steps);

private:
  static constexpr auto hosts = 6;
  static constexpr auto classes = std::array{delivery_class::direct, delivery_class::bulk};

  std::size_t below(std::size_t end) { return random_() % end; }
  static host_id id_of(int number) { return host_id{number + 1}; }
  /// Hosts share two shards.
  static std::uint8_t shard_of(int number) { return static_cast<std::uint8_t>(number % 2); }
  static std::uint8_t shard_of(host_id host) { return shard_of(static_cast<int>(host.value) - 1); }
  void operate();
  unit_outcome random_outcome();
  void add_row();
  void expand(log_seq seq);
  void offer(int number, const kit::known_unit& each, const offered_before& previous);
  bool was_drained(const unit_key& key) const;
  void adopt(int number);
  void settle(kit::fake_host& host, delivery_class cls, unit_outcome outcome);
  void tell(int number);
  void tell_class(int number, delivery_class cls);
  std::vector<kit::known_unit*> units_of(int number, kit::fate is);
  void end_exception(int number);
  void try_again(int number);
  void reopen(int number, delivery_class cls);
  void lose_rows(int number, delivery_class cls);
  void end_lost();
  void write();
  void commit();
  void restart();
  void load(const shard_set& wanted);
  void read_again(const shard_set& gained);
  void move();
  void leave(std::uint8_t shard);
  bool write_last();
  void finish();
  void check();

  std::mt19937_64 random_;
  bool drains_; ///< Half of the histories.
  delivery_books_limits limits_;
  delivery_books books_;
  time_point now_{std::chrono::seconds{1'000}};
  log_seq newest_ = 0;
  log_seq gone_upto_ = 0;
  bool is_read_ = true;
  std::int64_t restarts_ = 0;
  shard_set moving_; ///< In no books, or in books that have not read all.
  std::vector<kit::known_unit> log_;
  std::set<unit_key> lost_;
  kit::count told_;
  kit::count durable_;
  kit::tables tables_;
  std::array<kit::fake_host, hosts> fakes_;
};

} // namespace trunkline::simulation
