// What happens, and what the books write of it.
#include "tests/simulation/books_history.hpp"

#include <map>
#include <utility>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;
using kit::fate;

} // namespace

books_history::books_history(std::uint64_t seed)
    : random_{seed}, drains_{seed % 2 == 0}, limits_{.idle_rows_max = 10,
                                                     .acked_max = 6 + seed % 20,
                                                     .waiting_max = hosts / 2} {
  books_ = delivery_books{limits_};
}

void books_history::run(int steps) {
  for (auto step = 0; step < steps; ++step) {
    CAPTURE(step);
    operate();
    check();
  }
  // All is well in the end.
  finish();
  check();
  for (auto& host : fakes_)
    for (const auto cls : classes)
      while (!host.open[index_of(cls)].empty())
        settle(host, cls, unit_outcome::delivered);
  for (auto number = 0; number < hosts; ++number)
    tell(number);
  check();
  now_ += 2s;
  commit();
  check();
  restart();
  check();
  auto sums = books_.sums();
  CHECK(sums.pending == static_cast<std::int64_t>(tables_.exceptions.size()));
  CHECK(tables_.backlogs.empty());
}

void books_history::operate() {
  const auto number = static_cast<int>(below(hosts));
  auto& host = fakes_[static_cast<std::size_t>(number)];
  const auto cls = classes[below(2)];
  switch (below(21)) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
    return add_row();
  case 5:
  case 6:
  case 7:
  case 8:
    return settle(host, cls, random_outcome());
  case 9:
  case 10:
  case 11:
    return tell(number);
  case 12:
    return end_exception(number);
  case 13:
    return try_again(number);
  case 14:
    return reopen(number, cls);
  case 15:
    return lose_rows(number, cls);
  case 16:
    host = {};
    return adopt(number); // it died
  case 17:
    host.is_drained = drains_ && !host.is_drained;
    return;
  case 20:
    return move();
  case 18:
    now_ += std::chrono::milliseconds{below(1500)};
    return write();
  default:
    now_ += std::chrono::milliseconds{below(400)};
    if (below(4) == 0)
      return restart();
    return write();
  }
}

unit_outcome books_history::random_outcome() {
  constexpr auto some =
      std::array{unit_outcome::delivered, unit_outcome::delivered, unit_outcome::coalesced,
                 unit_outcome::dead,      unit_outcome::cancelled, unit_outcome::excepted};
  return some[below(some.size())];
}

/// What was lost ends when the books see that nothing is open.
void books_history::end_lost() {
  for (const auto& key : lost_) {
    const auto known = told_.units.find(key);
    if (known == told_.units.end() || known->second.is != fate::open)
      continue;
    auto& each = known->second;
    const auto number = static_cast<int>(each.host.value) - 1;
    const auto cursor = books_.cursor(each.host, shard_of(number), each.unit.cls);
    if (!cursor.first_open && is_read_) {
      each.is = fate::ended;
      each.outcome = unit_outcome::cancelled;
    }
  }
}

void books_history::write() {
  const auto changes = books_.collect(now_);
  end_lost();
  const auto snapshot = told_;
  if (below(2) == 0) { // meanwhile
    add_row();
    tell(static_cast<int>(below(hosts)));
  }
  switch (below(6)) {
  case 0: // refused
    books_.failed(changes);
    return;
  case 1: // no answer, but it is there
    tables_.apply(changes);
    durable_ = snapshot;
    books_.failed(changes);
    return;
  case 2: // killed before the answer
    if (below(2) == 0) {
      tables_.apply(changes);
      durable_ = snapshot;
    }
    return restart();
  default:
    tables_.apply(changes);
    durable_ = snapshot;
    books_.committed(changes);
  }
}

void books_history::commit() {
  for (auto more = 0; more < 3; ++more) {
    const auto changes = books_.collect(now_);
    end_lost();
    tables_.apply(changes);
    durable_ = told_;
    books_.committed(changes);
  }
}

void books_history::restart() {
  ++restarts_;
  moving_.reset();
  books_ = delivery_books{limits_};
  load(all_shards());
  told_ = durable_;
  for (auto& host : fakes_)
    host = {.is_drained = host.is_drained};
  REQUIRE(books_.sums().are_balanced());
  is_read_ = false;
  books_.advance(books_.start());
  for (auto seq = books_.start() + 1; seq <= newest_; ++seq)
    expand(seq);
  is_read_ = true;
  for (auto number = 0; number < hosts; ++number)
    adopt(number);
}

void books_history::load(const shard_set& wanted) {
  for (const auto& [key, mark] : tables_.marks)
    if (wanted[mark.shard])
      books_.load(mark);
  auto waiting = std::map<host_id, std::int64_t>{};
  for (const auto& [key, row] : tables_.backlogs)
    if (const auto shard = shard_of(row.host); wanted[shard])
      books_.load(row, shard);
  for (const auto& [key, change] : tables_.exceptions)
    ++waiting[change.host];
  for (const auto& [host, rows] : waiting)
    if (const auto shard = shard_of(host); wanted[shard])
      books_.load_exceptions(host, shard, rows);
}

void books_history::finish() {
  for (auto number = 0; number < hosts; ++number) {
    fakes_[static_cast<std::size_t>(number)].is_drained = false;
    tell(number);
  }
  commit();
}

/// Of a shard that moves the sums are not known for a while.
void books_history::check() {
  REQUIRE(books_.sums().are_balanced());
  if (moving_.any())
    return;
  end_lost();
  auto counted = books_.sums();
  auto expected = told_.sums();
  REQUIRE(counted.are_balanced());
  // Why what was lost was lost is checked elsewhere.
  counted.cancelled += std::exchange(counted.expired, 0);
  expected.cancelled += std::exchange(expected.expired, 0);
  CHECK(counted.offered == expected.offered);
  CHECK(counted.delivered == expected.delivered);
  CHECK(counted.coalesced == expected.coalesced);
  CHECK(counted.dead == expected.dead);
  CHECK(counted.cancelled == expected.cancelled);
  CHECK(counted.pending == expected.pending);
}

} // namespace trunkline::simulation
