// Shards that leave the books and come back, as they do when they are handed to and fro.
#include "tests/simulation/books_history.hpp"

#include <utility>

namespace trunkline::simulation {

/// It leaves while rows come, is nowhere for a while, comes back, and catches up while everything
/// else goes on. Not while a unit is lost that no mark has passed: it may be counted anew.
void books_history::move() {
  if (moving_.any() || !lost_.empty())
    return;
  const auto shard = shard_of(static_cast<int>(below(2)));
  const auto set = shard_set{}.set(shard);
  const auto lives = restarts_;
  moving_ = set;
  books_.close(set);
  leave(shard);
  const auto is_written = write_last();
  if (restarts_ != lives)
    return; // it was read with all others
  if (!is_written) {
    books_.reopen(set);
    return read_again(set);
  }
  for (const auto id : books_.forget(set))
    CHECK(shard_of(id) == shard);
  for (auto more = below(3); more > 0; --more)
    add_row();
  books_.add(set);
  load(set);
  read_again(set);
}

/// Its hosts say their last word while rows come.
void books_history::leave(std::uint8_t shard) {
  for (auto number = 0; number < hosts; ++number) {
    if (below(2) == 0)
      add_row();
    if (shard_of(number) != shard)
      continue;
    tell(number);
    auto& host = fakes_[static_cast<std::size_t>(number)];
    host = {.is_drained = host.is_drained};
  }
}

/// Tells whether the database has all that was told.
bool books_history::write_last() {
  const auto changes = books_.collect(now_);
  end_lost();
  switch (below(6)) {
  case 0:
    books_.failed(changes);
    return false;
  case 1:
    if (below(2) == 0) {
      tables_.apply(changes);
      durable_ = told_;
    }
    restart();
    return false;
  default:
    tables_.apply(changes);
    durable_ = told_;
    books_.committed(changes);
    return true;
  }
}

/// Row by row; checkpoints and crashes come in between.
void books_history::read_again(const shard_set& gained) {
  const auto lives = restarts_;
  const auto is_gained = [&](int number) { return gained[shard_of(number)]; };
  is_read_ = false;
  for (auto seq = books_.start() + 1; seq <= newest_; ++seq) {
    expand(seq);
    if (below(3) == 0)
      tell(static_cast<int>(below(hosts)));
    if (below(6) == 0)
      write();
    if (restarts_ != lives)
      return;
  }
  is_read_ = true;
  moving_.reset();
  for (auto number = 0; number < hosts; ++number)
    if (is_gained(number))
      adopt(number);
}

} // namespace trunkline::simulation
