// Every unit is counted once, whatever crashes: random histories of the books against an
// independent count. Replay one with TRUNKLINE_SEED=<seed>.
#include "protocol/delivery_books.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto bulk = delivery_class::bulk;
constexpr auto hosts = 6;
constexpr auto classes = std::array{delivery_class::direct, delivery_class::bulk};

/// What the tables hold.
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

class history {
public:
  explicit history(std::uint64_t seed)
      : random_{seed}, drains_{seed % 2 == 0}, limits_{.idle_rows_max = 10,
                                                       .acked_max = drains_ ? 1'000 : 6 + seed % 20,
                                                       .waiting_max = hosts / 2} {
    books_ = delivery_books{limits_};
  }

  void run(int steps) {
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

private:
  std::size_t below(std::size_t end) { return random_() % end; }
  static host_id id_of(int number) { return host_id{number + 1}; }
  /// Hosts share two shards.
  static std::uint8_t shard_of(int number) { return static_cast<std::uint8_t>(number % 2); }

  void operate() {
    const auto number = static_cast<int>(below(hosts));
    auto& host = fakes_[static_cast<std::size_t>(number)];
    const auto cls = classes[below(2)];
    switch (below(20)) {
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

  unit_outcome random_outcome() {
    constexpr auto some =
        std::array{unit_outcome::delivered, unit_outcome::delivered, unit_outcome::coalesced,
                   unit_outcome::dead,      unit_outcome::cancelled, unit_outcome::excepted};
    return some[below(some.size())];
  }

  void add_row() {
    ++newest_;
    const auto cls = classes[below(2)];
    for (auto number = 0; number < hosts; ++number)
      for (auto inbox = 0; inbox < 2; ++inbox)
        if (below(3) == 0)
          log_.push_back({{.seq = newest_,
                           .author = account_id{1},
                           .cls = cls,
                           .at = now_,
                           .to = std::make_shared<const delivery_endpoint>(
                               delivery_endpoint{.id = endpoint_id{10 * number + inbox}})},
                          id_of(number)});
    expand(newest_);
  }

  /// As the dispatcher does with a row.
  void expand(log_seq seq) {
    auto previous = std::array<offered_before, hosts>{};
    for (auto number = 0; number < hosts; ++number)
      previous[static_cast<std::size_t>(number)] = books_.offered_upto(id_of(number));
    for (const auto& each : log_)
      if (each.unit.seq == seq) {
        const auto number = static_cast<int>(each.host.value) - 1;
        offer(number, each, previous[static_cast<std::size_t>(number)]);
      }
    books_.advance(seq);
  }

  void offer(int number, const known_unit& each, const offered_before& previous) {
    auto& host = fakes_[static_cast<std::size_t>(number)];
    const auto index = index_of(each.unit.cls);
    const auto [known, is_new] = told_.units.try_emplace(each.unit.key(), each);
    const auto before = books_.sums().cancelled;
    if (host.is_drained && books_.cancel(each.host, shard_of(number), each.unit)) {
      const auto is_counted = books_.sums().cancelled > before;
      CHECK((is_counted || !is_new));
      if (!is_counted)
        return;
      // What was open may be drained by now.
      const auto was_lost = lost_.erase(each.unit.key()) > 0;
      CHECK((was_lost || known->second.is == fate::open));
      known->second.is = fate::ended;
      known->second.outcome = unit_outcome::cancelled;
      known->second.is_drained = true;
      return;
    }
    const auto wanted = books_.offer(each.host, shard_of(number), each.unit);
    if (is_new)
      CHECK(wanted);
    if (!wanted)
      return;
    if (lost_.erase(each.unit.key()) > 0)
      known->second.is = fate::open;       // no mark had passed it: it is read again
    CHECK(known->second.is == fate::open); // nothing that ended is sent again
    if (previous[index] > host.received[index])
      return adopt(number); // what it missed, this one included
    host.open[index].insert(each.unit.key());
    host.received[index] = each.unit.seq;
  }

  bool was_drained(const unit_key& key) const {
    const auto known = told_.units.find(key);
    return known != told_.units.end() && known->second.is_drained;
  }

  /// A host asks the books where it stands, and the log for what is open.
  void adopt(int number) {
    auto& host = fakes_[static_cast<std::size_t>(number)];
    for (const auto cls : classes) {
      const auto index = index_of(cls);
      const auto cursor = books_.cursor(id_of(number), shard_of(number), cls);
      auto& open = host.open[index];
      open.clear();
      host.untold[index].clear();
      host.received[index] = cursor.offered_upto;
      host.gone_upto[index] = gone_upto_;
      if (!cursor.first_open)
        continue;
      for (const auto& each : log_)
        if (each.host == id_of(number) && each.unit.cls == cls &&
            each.unit.seq >= *cursor.first_open && each.unit.seq <= cursor.offered_upto &&
            !lost_.contains(each.unit.key()) && !was_drained(each.unit.key()) &&
            !std::ranges::binary_search(cursor.settled, each.unit.key()))
          open.insert(each.unit.key());
    }
    host.changes.clear();
  }

  void settle(fake_host& host, delivery_class cls, unit_outcome outcome) {
    auto& open = host.open[index_of(cls)];
    if (open.empty())
      return;
    const auto unit = std::next(open.begin(), static_cast<std::ptrdiff_t>(below(open.size())));
    host.untold[index_of(cls)].push_back({*unit, outcome});
    if (outcome == unit_outcome::excepted)
      host.changes.push_back({.host = told_.units.at(*unit).host,
                              .unit = *unit,
                              .row = delivery_exception{.unit = *unit}});
    open.erase(unit);
  }

  void tell(int number) {
    auto& host = fakes_[static_cast<std::size_t>(number)];
    for (const auto cls : classes)
      tell_class(number, cls);
    for (auto& change : std::exchange(host.changes, {}))
      books_.take(change, shard_of(number));
  }

  void tell_class(int number, delivery_class cls) {
    auto& host = fakes_[static_cast<std::size_t>(number)];
    const auto index = index_of(cls);
    for (const auto& each : host.untold[index])
      told_.end(each.unit, each.outcome);
    const auto& open = host.open[index];
    books_.take(id_of(number),
                {.cls = cls,
                 .settled = std::exchange(host.untold[index], {}),
                 .received_upto = host.received[index],
                 .first_open = open.empty() ? std::nullopt : std::optional{open.begin()->seq},
                 .oldest_at = now_ - std::chrono::milliseconds{below(2000)},
                 .gone_upto = host.gone_upto[index]},
                now_);
  }

  std::vector<known_unit*> units_of(int number, fate is) {
    auto found = std::vector<known_unit*>{};
    for (auto& [key, each] : told_.units)
      if (each.host == id_of(number) && each.is == is && !each.is_drained)
        found.push_back(&each);
    return found;
  }

  void end_exception(int number) {
    const auto excepted = units_of(number, fate::excepted);
    if (excepted.empty())
      return;
    auto& each = *excepted[below(excepted.size())];
    const auto outcome = below(2) == 0 ? unit_outcome::delivered : unit_outcome::dead;
    const auto key = each.unit.key();
    told_.end(key, outcome);
    books_.take({.host = each.host, .unit = key, .row = {}, .outcome = outcome, .is_again = false},
                shard_of(number));
  }

  void try_again(int number) {
    const auto ended = units_of(number, fate::ended);
    if (ended.empty())
      return;
    auto& each = *ended[below(ended.size())];
    told_.open_again(each, fate::excepted);
    const auto key = each.unit.key();
    books_.take({.host = each.host,
                 .unit = key,
                 .row = delivery_exception{.unit = key},
                 .outcome = {},
                 .is_again = true},
                shard_of(number));
  }

  /// A replay from a row on, of what has ended.
  void reopen(int number, delivery_class cls) {
    if (below(3) > 0 || newest_ == 0)
      return;
    auto& host = fakes_[static_cast<std::size_t>(number)];
    const auto index = index_of(cls);
    tell(number);
    const auto from = static_cast<log_seq>(below(static_cast<std::size_t>(newest_))) + 1;
    auto again = std::vector<known_unit*>{};
    for (auto& [key, each] : told_.units)
      if (each.host == id_of(number) && each.unit.cls == cls && key.seq >= from &&
          key.seq <= host.received[index] && each.is == fate::ended && !each.is_drained &&
          !lost_.contains(key))
        again.push_back(&each);
    if (again.empty())
      return;
    for (auto* each : again) {
      told_.open_again(*each, fate::open);
      host.open[index].insert(each->unit.key());
    }
    // Exceptions from there on are settled for the books.
    auto begin = again.front()->unit.seq;
    for (auto* each : units_of(number, fate::excepted))
      if (each->unit.cls == cls)
        begin = std::max(begin, each->unit.seq + 1);
    for (auto* each : again)
      if (each->unit.seq < begin) { // these stay ended
        --told_.earlier.offered;
        --(told_.earlier.*sum_of(each->outcome));
        each->is = fate::ended;
        host.open[index].erase(each->unit.key());
      }
    const auto left =
        std::ranges::count_if(again, [&](const auto* each) { return each->unit.seq >= begin; });
    if (left == 0)
      return;
    books_.take(id_of(number), shard_of(number),
                {.cls = cls, .from = begin, .units = left, .oldest_at = now_ - 3s},
                host.received[index]);
    tell_class(number, cls);
  }

  /// Open rows are purged; the host finds that when it reads again.
  void lose_rows(int number, delivery_class cls) {
    if (below(3) > 0)
      return;
    auto& host = fakes_[static_cast<std::size_t>(number)];
    auto& open = host.open[index_of(cls)];
    if (open.empty())
      return;
    lost_.insert(*open.begin());
    if (below(2) == 0)
      host.gone_upto[index_of(cls)] = gone_upto_ = std::max(gone_upto_, open.begin()->seq);
    open.erase(open.begin());
  }

  /// What was lost ends when the books see that nothing is open.
  void end_lost() {
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

  void write() {
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

  void commit() {
    for (auto more = 0; more < 3; ++more) {
      const auto changes = books_.collect(now_);
      end_lost();
      tables_.apply(changes);
      durable_ = told_;
      books_.committed(changes);
    }
  }

  void restart() {
    books_ = delivery_books{limits_};
    for (const auto& [key, mark] : tables_.marks)
      books_.load(mark);
    auto waiting = std::map<host_id, std::int64_t>{};
    for (const auto& [key, row] : tables_.backlogs)
      books_.load(row, shard_of(static_cast<int>(row.host.value) - 1));
    for (const auto& [key, change] : tables_.exceptions)
      ++waiting[change.host];
    for (const auto& [host, rows] : waiting)
      books_.load_exceptions(host, rows);
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

  void finish() {
    for (auto number = 0; number < hosts; ++number) {
      fakes_[static_cast<std::size_t>(number)].is_drained = false;
      tell(number);
    }
    commit();
  }

  void check() {
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

  std::mt19937_64 random_;
  bool drains_; ///< Then there is room to list what is cancelled.
  delivery_books_limits limits_;
  delivery_books books_;
  time_point now_{1'000s};
  log_seq newest_ = 0;
  log_seq gone_upto_ = 0;
  bool is_read_ = true;
  std::vector<known_unit> log_;
  std::set<unit_key> lost_;
  count told_;
  count durable_;
  tables tables_;
  std::array<fake_host, hosts> fakes_;
};

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

TEST_CASE("every unit is counted once in random histories with crashes",
          "[delivery_books][delivery_sums]") {
  if (const auto only = number_from("TRUNKLINE_SEED", 0); only != 0)
    return history{only}.run(400);
  const auto seeds = number_from("TRUNKLINE_SEEDS", 60);
  for (auto seed = std::uint64_t{1}; seed <= seeds; ++seed) {
    CAPTURE(seed);
    history{seed}.run(400);
  }
}
