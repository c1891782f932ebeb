// Rows and what hosts do with them.
#include "tests/simulation/books_history.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;
using kit::fate;

} // namespace

void books_history::add_row() {
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
  if (is_read_) // else it is read in its turn
    expand(newest_);
}

/// As the dispatcher does with a row.
void books_history::expand(log_seq seq) {
  auto previous = std::array<offered_before, hosts>{};
  for (auto number = 0; number < hosts; ++number)
    previous[static_cast<std::size_t>(number)] = books_.offered_upto(id_of(number));
  for (const auto& each : log_)
    if (each.unit.seq == seq && books_.wants(shard_of(each.host), each.unit.cls, seq)) {
      const auto number = static_cast<int>(each.host.value) - 1;
      offer(number, each, previous[static_cast<std::size_t>(number)]);
    }
  books_.advance(seq);
}

void books_history::offer(int number, const kit::known_unit& each, const offered_before& previous) {
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

bool books_history::was_drained(const unit_key& key) const {
  const auto known = told_.units.find(key);
  return known != told_.units.end() && known->second.is_drained;
}

/// A host asks the books where it stands, and the log for what is open.
void books_history::adopt(int number) {
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

void books_history::settle(kit::fake_host& host, delivery_class cls, unit_outcome outcome) {
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

void books_history::tell(int number) {
  auto& host = fakes_[static_cast<std::size_t>(number)];
  for (const auto cls : classes)
    tell_class(number, cls);
  for (auto& change : std::exchange(host.changes, {}))
    books_.take(change, shard_of(number));
}

void books_history::tell_class(int number, delivery_class cls) {
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
  end_lost(); // what opens again in the next moment does not hide it
}

std::vector<kit::known_unit*> books_history::units_of(int number, fate is) {
  auto found = std::vector<kit::known_unit*>{};
  for (auto& [key, each] : told_.units)
    if (each.host == id_of(number) && each.is == is && !each.is_drained)
      found.push_back(&each);
  return found;
}

void books_history::end_exception(int number) {
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

void books_history::try_again(int number) {
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

/// A replay from a row on, of what has ended; what waits by itself stays as it is.
void books_history::reopen(int number, delivery_class cls) {
  if (below(3) > 0 || newest_ == 0)
    return;
  auto& host = fakes_[static_cast<std::size_t>(number)];
  const auto index = index_of(cls);
  tell(number);
  const auto from = static_cast<log_seq>(below(static_cast<std::size_t>(newest_))) + 1;
  auto again = std::vector<kit::known_unit*>{};
  auto excepted = std::vector<unit_key>{}; // and what was drained: it never comes back here
  for (auto& [key, each] : told_.units) {
    if (each.host != id_of(number) || each.unit.cls != cls || key.seq < from)
      continue;
    if (each.is == fate::excepted || each.is_drained)
      excepted.push_back(key);
    else if (each.is == fate::ended && key.seq <= host.received[index] && !lost_.contains(key))
      again.push_back(&each);
  }
  if (again.empty())
    return;
  for (auto* each : again) {
    told_.open_again(*each, fate::open);
    host.open[index].insert(each->unit.key());
  }
  books_.take(id_of(number), shard_of(number),
              {.cls = cls,
               .from = from,
               .units = std::ssize(again),
               .oldest_at = now_ - 3s,
               .excepted = std::move(excepted)},
              host.received[index]);
  tell_class(number, cls);
}

/// Open rows are purged; the host finds that when it reads again.
void books_history::lose_rows(int number, delivery_class cls) {
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

} // namespace trunkline::simulation
