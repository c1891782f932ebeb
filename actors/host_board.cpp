#include "actors/host_board.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t part_count = 64;

/// Where hosts stand for which nothing waits, when the oldest come first.
constexpr auto never = std::numeric_limits<std::int64_t>::max();

/// What a list is sorted by, but for names; rises.
std::int64_t number_of(host_order order, const host_line& host) {
  switch (order) {
  case host_order::backlog:
    return -host.sums.pending;
  case host_order::oldest:
    return host.oldest_at ? to_micros(*host.oldest_at) : never;
  case host_order::failures:
    return -host.health.facts.fail_streak;
  case host_order::latency:
    return -host.health.latency.count();
  case host_order::name:
    break;
  }
  return 0;
}

void find_oldest(host_line& host) {
  const auto& exception = host.health.oldest_exception_at;
  host.oldest_at = exception ? std::min(host.oldest_in_log.value_or(*exception), *exception)
                             : host.oldest_in_log;
}

/// A host of a part, as far as it decides its place.
struct candidate {
  std::int64_t number = 0;
  std::string_view name; ///< When hosts are listed by name.
  host_id id;
  const host_line* host = nullptr;

  friend bool operator<(const candidate& one, const candidate& other) {
    if (one.number != other.number)
      return one.number < other.number;
    if (const auto order = one.name.compare(other.name); order != 0)
      return order < 0;
    return one.id < other.id;
  }
};

candidate candidate_of(host_order order, const host_line& host) {
  return {.number = number_of(order, host),
          .name =
              order == host_order::name ? std::string_view{host.address.name} : std::string_view{},
          .id = host.health.facts.id,
          .host = &host};
}

/// Cuts between two characters.
void cut(std::string& text) {
  if (text.size() <= host_error_bytes_max)
    return;
  auto end = host_error_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;
  text.resize(end);
}

/// The port is looked at for who writes a colon.
bool has_part(const host_address& address, const std::string& part) {
  if (part.find(':') == std::string::npos)
    return address.name.find(part) != std::string::npos;
  return to_name(address).find(part) != std::string::npos;
}

bool is_wanted(const host_list_wish& wish, const host_line& host) {
  const auto& facts = host.health.facts;
  return (!wish.state || facts.state == *wish.state) && (!wish.only_paused || facts.paused) &&
         (!wish.only_behind || host.health.behind) &&
         (!wish.only_cancelled || facts.flushed_upto > 0 || facts.drained_after) &&
         (wish.part.empty() || has_part(host.address, wish.part));
}

void add(host_totals& totals, const host_line& host) {
  const auto& health = host.health;
  ++totals.hosts;
  ++totals.by_state[static_cast<std::size_t>(health.facts.state)];
  totals.paused += health.facts.paused;
  totals.behind += health.behind;
  totals.in_flight += health.in_flight;
  totals.exceptions += host.exceptions;
  totals.dead_letters += host.dead_letters;
  totals.sums += host.sums;
  if (host.oldest_at)
    totals.oldest_at = std::min(totals.oldest_at.value_or(*host.oldest_at), *host.oldest_at);
}

} // namespace

host_totals& host_totals::operator+=(const host_totals& more) {
  hosts += more.hosts;
  for (auto state = std::size_t{0}; state < by_state.size(); ++state)
    by_state[state] += more.by_state[state];
  paused += more.paused;
  behind += more.behind;
  in_flight += more.in_flight;
  exceptions += more.exceptions;
  dead_letters += more.dead_letters;
  sums += more.sums;
  if (more.oldest_at)
    oldest_at = std::min(oldest_at.value_or(*more.oldest_at), *more.oldest_at);
  return *this;
}

host_place place_of(host_order order, const host_line& host) {
  return {.number = number_of(order, host),
          .name = order == host_order::name ? host.address.name : std::string{},
          .id = host.health.facts.id};
}

struct host_board::parts {
  struct part {
    mutable std::shared_mutex mutex;
    std::unordered_map<host_address, host_line> hosts;
    std::optional<host_totals> totals; ///< Nothing: something has changed.
  };

  part& of(const host_address& address) {
    return all[std::hash<host_address>{}(address) % part_count];
  }

  std::array<part, part_count> all;
};

host_board::host_board() : parts_{std::make_unique<parts>()} {}
host_board::~host_board() = default;

void host_board::put(const host_address& address, const host_health_line& health) {
  auto& part = parts_->of(address);
  const auto lock = std::lock_guard{part.mutex};
  part.totals.reset();
  auto& host = part.hosts[address];
  host.address = address;
  host.health = health;
  cut(host.health.last_error);
  find_oldest(host);
}

void host_board::load(host_line line) {
  auto& part = parts_->of(line.address);
  const auto lock = std::lock_guard{part.mutex};
  part.totals.reset();
  const auto address = line.address;
  const auto letters = line.dead_letters;
  const auto [found, is_new] = part.hosts.try_emplace(address, std::move(line));
  if (!is_new)                            // the host was faster: what it said of itself is newer
    found->second.dead_letters = letters; // of which it knows nothing
}

void host_board::forget(const std::function<bool(const host_address& host)>& are_gone) {
  for (auto& part : parts_->all) {
    const auto lock = std::lock_guard{part.mutex};
    if (std::erase_if(part.hosts, [&](const auto& each) { return are_gone(each.first); }) > 0)
      part.totals.reset();
  }
}

void host_board::note_books(host_id id, const host_address& address, const delivery_sums& change,
                            std::int64_t exceptions, std::int64_t dead_letters,
                            std::optional<time_point> oldest_in_log) {
  auto& part = parts_->of(address);
  const auto lock = std::lock_guard{part.mutex};
  part.totals.reset();
  auto& host = part.hosts[address];
  host.address = address;
  host.health.facts.id = id;
  host.sums.pending = 0;
  host.sums += change;
  host.exceptions = exceptions;
  host.dead_letters = dead_letters;
  host.oldest_in_log = oldest_in_log;
  find_oldest(host);
}

std::optional<host_line> host_board::find(const host_address& address) const {
  const auto& part = parts_->of(address);
  const auto lock = std::shared_lock{part.mutex};
  const auto found = part.hosts.find(address);
  return found == part.hosts.end() ? std::nullopt : std::optional{found->second};
}

/// The best of each part, copied under its lock, and the best of those.
std::vector<host_line> host_board::list(const host_list_wish& wish) const {
  auto best = std::vector<host_line>{};
  auto found = std::vector<candidate>{};
  for (const auto& part : parts_->all) {
    found.clear();
    const auto lock = std::shared_lock{part.mutex};
    for (const auto& [address, host] : part.hosts) {
      const auto each = candidate_of(wish.order, host);
      if (!is_wanted(wish, host))
        continue;
      if (wish.after && !(candidate{wish.after->number, wish.after->name, wish.after->id} < each))
        continue;
      found.push_back(each);
    }
    const auto most = std::min(wish.limit, found.size());
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(most);
    std::partial_sort(found.begin(), end, found.end());
    for (auto each = found.begin(); each != end; ++each)
      best.push_back(*each->host);
  }
  std::ranges::sort(best, [&](const host_line& one, const host_line& other) {
    return candidate_of(wish.order, one) < candidate_of(wish.order, other);
  });
  if (best.size() > wish.limit)
    best.resize(wish.limit);
  return best;
}

/// Of what has not changed since it was asked before nothing is looked at.
host_totals host_board::totals() const {
  auto all = host_totals{};
  for (auto& part : parts_->all) {
    const auto lock = std::lock_guard{part.mutex};
    if (!part.totals) {
      auto& totals = part.totals.emplace();
      for (const auto& [address, host] : part.hosts)
        add(totals, host);
    }
    all += *part.totals;
  }
  return all;
}

} // namespace trunkline
