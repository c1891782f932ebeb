#include "actors/delivery_budget.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trunkline {

using std::chrono::microseconds;

namespace {

constexpr auto kind_names =
    std::to_array<std::string_view>({"healthy", "unproven", "retry", "probe"});
static_assert(kind_names.size() == budget_kinds);

constexpr auto wait_least =
    microseconds{20'000}; // who finds no room asks again after this, at least
constexpr auto wait_most = microseconds{250'000};

std::size_t index_of(budget_kind kind) {
  return static_cast<std::size_t>(kind);
}

struct grant {
  delivery_budget::waker wake;
  budget_place place;
};

/// Gives places to those who waited. Who lets his go at once adds to what is being given, so that
/// ten thousand of them take no stack.
void hand_over(std::vector<grant> grants) {
  thread_local auto* under_way = static_cast<std::deque<grant>*>(nullptr);
  if (grants.empty())
    return;
  auto line = std::deque<grant>{};
  auto* const all = under_way ? under_way : &line;
  for (auto& one : grants)
    all->push_back(std::move(one));
  if (under_way)
    return;
  under_way = &line;
  while (!line.empty()) {
    auto next = std::move(line.front());
    line.pop_front();
    next.wake(std::move(next.place));
  }
  under_way = nullptr;
}

} // namespace

std::string_view to_string(budget_kind kind) {
  return kind_names[index_of(kind)];
}

class delivery_budget::state : public std::enable_shared_from_this<state> {
public:
  /// Whose patience is over first; then the oldest.
  using slow_places = std::map<std::pair<clock_point, std::uint64_t>, delivery_place*>;

  /// Of one registrable domain: there while something of it is under way or waits.
  struct domain {
    const std::string* name = nullptr; ///< Its key.
    std::int64_t fresh = 0;
    std::array<std::list<waker>, budget_kinds> waiting;
    std::array<bool, budget_kinds> in_line{}; ///< Then somebody waits.
    slow_places slow;
  };

  state(delivery_budget_limits limits, std::function<clock_point()> now)
      : limits_{limits}, most_{limits.healthy, limits.unproven, limits.retry, limits.probe},
        now_{std::move(now)} {}

  budget_place take(budget_kind kind, const std::string& name, waker wake);
  std::optional<microseconds> slow_down(delivery_place& place, microseconds patience,
                                        std::function<void()> end);
  void give_back(delivery_place& place);

  std::int64_t limit(budget_kind kind) const { return most_[index_of(kind)]; }
  std::int64_t in_use(budget_kind kind) const {
    const auto lock = std::lock_guard{mutex_};
    return in_use_[index_of(kind)];
  }
  std::int64_t slow_in_use() const {
    const auto lock = std::lock_guard{mutex_};
    return std::ssize(slow_);
  }
  std::int64_t waiting(budget_kind kind) const {
    const auto lock = std::lock_guard{mutex_};
    return waiting_[index_of(kind)];
  }
  std::size_t domains() const {
    const auto lock = std::lock_guard{mutex_};
    return domains_.size();
  }

private:
  bool may_have(const domain& of) const { return of.fresh < limits_.domain_fresh; }
  budget_place make_place(budget_kind kind, domain& of);
  void stand_in_line(domain& of);
  std::vector<grant> serve_lines();
  void serve_line(std::size_t kind, std::vector<grant>& grants);
  void forget_if_unused(const domain& of);
  void leave_slow(delivery_place& place);
  delivery_place* first_in_the_way(const domain& of) const;

  const delivery_budget_limits limits_;
  const std::array<std::int64_t, budget_kinds> most_;
  const std::function<clock_point()> now_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::unordered_map<std::string, domain> domains_;
  std::array<std::int64_t, budget_kinds> in_use_{};
  std::array<std::int64_t, budget_kinds> waiting_{};
  /// Domains whose hosts wait, in turn. One at its limit is taken out when its turn comes, and
  /// stands in line again once it has room.
  std::array<std::deque<domain*>, budget_kinds> lines_;
  slow_places slow_;
  std::uint64_t taken_ = 0;
  std::size_t first_ = 0; ///< The budget that is served first the next time.
};

class delivery_place {
public:
  enum class where : std::uint8_t {
    fresh,
    slow,
    ended, ///< Its request was, and its end is near: holds the fresh place of who displaced it.
  };

  delivery_place(std::shared_ptr<delivery_budget::state> owner, budget_kind of_kind,
                 delivery_budget::state::domain& of_domain, std::uint64_t which,
                 delivery_budget::clock_point now)
      : from{std::move(owner)}, kind{of_kind}, domain{&of_domain}, number{which}, taken_at{now} {}
  delivery_place(const delivery_place&) = delete;
  delivery_place& operator=(const delivery_place&) = delete;
  ~delivery_place() { from->give_back(*this); }

  const std::shared_ptr<delivery_budget::state> from;
  budget_kind kind;
  delivery_budget::state::domain* domain;
  const std::uint64_t number; ///< In the order of taking.
  const delivery_budget::clock_point taken_at;
  delivery_budget::clock_point patient_until; ///< Of a slow one.
  where stands = where::fresh;
  std::function<void()> end; ///< Of a slow one.
};

budget_place delivery_budget::state::take(budget_kind kind, const std::string& name, waker wake) {
  const auto lock = std::lock_guard{mutex_};
  const auto found = domains_.try_emplace(name).first;
  auto& of = found->second;
  of.name = &found->first;
  const auto index = index_of(kind);
  // Nobody is overtaken: where there is room, nobody waits who may have it.
  if (in_use_[index] < most_[index] && may_have(of))
    return make_place(kind, of);
  of.waiting[index].push_back(std::move(wake));
  ++waiting_[index];
  if (may_have(of))
    stand_in_line(of);
  return nullptr;
}

budget_place delivery_budget::state::make_place(budget_kind kind, domain& of) {
  ++in_use_[index_of(kind)];
  ++of.fresh;
  return std::make_shared<delivery_place>(shared_from_this(), kind, of, ++taken_, now_());
}

void delivery_budget::state::give_back(delivery_place& place) {
  auto grants = std::vector<grant>{};
  {
    const auto lock = std::lock_guard{mutex_};
    auto& of = *place.domain;
    if (place.stands == delivery_place::where::slow) {
      leave_slow(place);
    } else {
      --in_use_[index_of(place.kind)];
      --of.fresh;
      stand_in_line(of);
      grants = serve_lines();
    }
    forget_if_unused(of);
  }
  hand_over(std::move(grants));
}

std::optional<microseconds> delivery_budget::state::slow_down(delivery_place& place,
                                                              microseconds patience,
                                                              std::function<void()> end) {
  const auto now = now_();
  auto end_first = std::function<void()>{};
  auto grants = std::vector<grant>{};
  {
    const auto lock = std::lock_guard{mutex_};
    if (place.kind == budget_kind::probe)
      return wait_most;
    if (place.stands != delivery_place::where::fresh)
      return std::nullopt;
    auto& of = *place.domain;
    const auto is_full =
        std::ssize(of.slow) >= limits_.domain_slow || std::ssize(slow_) >= limits_.slow;
    if (is_full) {
      auto* const first = first_in_the_way(of);
      if (!first)
        return wait_most;
      if (now < first->patient_until)
        return std::clamp(std::chrono::ceil<microseconds>(first->patient_until - now), wait_least,
                          wait_most);
      // It takes the fresh place until it is gone, so that there are never more than the limits
      // say.
      auto& former = *first->domain;
      leave_slow(*first);
      end_first = std::move(first->end);
      first->stands = delivery_place::where::ended;
      first->kind = place.kind;
      first->domain = &of;
      forget_if_unused(former);
    } else {
      --in_use_[index_of(place.kind)];
      --of.fresh;
    }
    place.stands = delivery_place::where::slow;
    place.end = std::move(end);
    place.patient_until = place.taken_at + patience;
    slow_.emplace(std::pair{place.patient_until, place.number}, &place);
    of.slow.emplace(std::pair{place.patient_until, place.number}, &place);
    stand_in_line(of);
    grants = serve_lines();
  }
  if (end_first)
    end_first();
  hand_over(std::move(grants));
  return std::nullopt;
}

/// Of the domain when that is full, else of all.
delivery_place* delivery_budget::state::first_in_the_way(const domain& of) const {
  const auto& among = std::ssize(of.slow) >= limits_.domain_slow ? of.slow : slow_;
  return among.empty() ? nullptr : among.begin()->second;
}

void delivery_budget::state::leave_slow(delivery_place& place) {
  slow_.erase({place.patient_until, place.number});
  place.domain->slow.erase({place.patient_until, place.number});
}

/// For each budget that one of its hosts waits for.
void delivery_budget::state::stand_in_line(domain& of) {
  if (!may_have(of))
    return;
  for (auto kind = std::size_t{0}; kind < budget_kinds; ++kind)
    if (!of.waiting[kind].empty() && !std::exchange(of.in_line[kind], true))
      lines_[kind].push_back(&of);
}

/// Begins with another budget each time: a domain that has room for one more may have hosts that
/// wait for several.
std::vector<grant> delivery_budget::state::serve_lines() {
  auto grants = std::vector<grant>{};
  first_ = (first_ + 1) % budget_kinds;
  for (auto i = std::size_t{0}; i < budget_kinds; ++i)
    serve_line((first_ + i) % budget_kinds, grants);
  return grants;
}

void delivery_budget::state::serve_line(std::size_t kind, std::vector<grant>& grants) {
  auto& line = lines_[kind];
  while (in_use_[kind] < most_[kind] && !line.empty()) {
    auto& next = *line.front();
    line.pop_front();
    next.in_line[kind] = false;
    if (!may_have(next))
      continue;
    auto& hosts = next.waiting[kind];
    auto wake = std::move(hosts.front());
    hosts.pop_front();
    --waiting_[kind];
    grants.push_back({std::move(wake), make_place(static_cast<budget_kind>(kind), next)});
    stand_in_line(next);
  }
}

void delivery_budget::state::forget_if_unused(const domain& of) {
  if (of.fresh > 0 || !of.slow.empty())
    return;
  for (const auto& hosts : of.waiting)
    if (!hosts.empty())
      return;
  domains_.erase(domains_.find(*of.name));
}

delivery_budget::delivery_budget(delivery_budget_limits limits, std::function<clock_point()> now)
    : state_{std::make_shared<state>(limits, std::move(now))} {}

budget_place delivery_budget::take(budget_kind kind, const std::string& domain, waker wake) {
  return state_->take(kind, domain, std::move(wake));
}

std::optional<microseconds> delivery_budget::slow_down(const budget_place& place,
                                                       microseconds patience,
                                                       std::function<void()> end) {
  return state_->slow_down(*place, patience, std::move(end));
}

std::int64_t delivery_budget::limit(budget_kind kind) const {
  return state_->limit(kind);
}

std::int64_t delivery_budget::in_use(budget_kind kind) const {
  return state_->in_use(kind);
}

std::int64_t delivery_budget::slow_in_use() const {
  return state_->slow_in_use();
}

std::int64_t delivery_budget::waiting(budget_kind kind) const {
  return state_->waiting(kind);
}

std::size_t delivery_budget::domains() const {
  return state_->domains();
}

} // namespace trunkline
