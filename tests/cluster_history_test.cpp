// Random histories of a cluster: nodes are killed, frozen, doubled and cut off from each other and
// from the database, which is away, starts anew and has its clock set; they hand on the host shards
// that belong elsewhere. One thread, a virtual clock, SQLite.

#include "storage/migrations.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/history_member.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

using namespace std::chrono_literals;
using namespace trunkline;
using kit::must;

namespace {

constexpr auto history_length = 60s;
constexpr auto settled_after = 9s;     ///< Undisturbed for this long, who stands by may take over.
constexpr auto silence_max = 12s;      ///< From a kill on, where somebody stands by.
constexpr auto silence_at_start = 20s; ///< Where somebody has to wait for his own lease first.
constexpr auto owner_is_back = 10s;    ///< After an outage.
constexpr auto write_every = 1s;
constexpr auto quiet_length = 75s; ///< Who is refused is admitted; shards settle twice until then.
constexpr auto quiet_ones = 5;     ///< One history of so many ends with quiet.

struct tally {
  int seeds = 0;
  int kills = 0;
  int owner_changes = 0;
  int outages = 0;
  int accepted = 0;
  int refused = 0;
  int doubled = 0;
  int cuts = 0;
  std::size_t handed_on = 0; ///< Host shards.
};

using kit::cut_line;
using member = kit::history_member;

class history {
public:
  /// `db` has the schema and the test's clock; what another history has left there is removed.
  history(database& db, std::uint64_t seed, tally& total)
      : random_{seed}, total_{total}, inner_{db}, sets_clock_ahead_{seed % 2 == 0} {
    for (const auto* table : {"node", "shard_owner", "log", "batch"})
      must(db.run("DELETE FROM " + std::string{table}));
    const auto nodes = one_of(3, 5);
    for (auto number = 0; number < nodes; ++number)
      start("n" + std::to_string(number), false);
    ++total_.seeds;
  }

  void run() {
    next_disturbance_ = now_ + 12s;
    run_until(now_ + history_length);
    if (total_.seeds % quiet_ones == 0)
      run_quietly();
  }

private:
  void run_until(boot_time end) {
    while (now_ < end && !failed_)
      next_event();
  }

  /// After a last kill nothing happens to anybody any more: each host shard comes to where it
  /// belongs.
  void run_quietly() {
    is_quiet_ = true;
    stays_.reset();
    cuts_.clear();
    away_until_ = now_;
    for (const auto& one : members_)
      one->thaws = one->cut_off = now_;
    if (!members_.empty())
      kill(somebody());
    expect_silence_of(silence_at_start);
    while (!waiting_.empty())
      start_waiting();
    const auto end = now_ + quiet_length;
    next_disturbance_ = boot_time::max();
    run_until(end);
    expect(kit::are_placed(members_, inner_, now_), "in quiet host shards are where they belong");
  }

  // --- chance and time -------------------------------------------------------------------------
  int one_of(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }
  bool chance(int percent) { return !is_quiet_ && one_of(1, 100) <= percent; }
  std::chrono::milliseconds between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return std::chrono::milliseconds{
        one_of(static_cast<int>(low.count()), static_cast<int>(high.count()))};
  }

  time_point wall() const {
    return time_point{server_ahead_ +
                      std::chrono::floor<std::chrono::microseconds>(now_.time_since_epoch())};
  }

  void move_to(boot_time at) {
    now_ = std::max(now_, at);
    kit::set_test_clock(inner_, wall());
  }

  // --- who is there ----------------------------------------------------------------------------
  void start(const std::string& name, bool other_process) {
    const auto holder = name + (other_process ? "/" + std::to_string(++processes_) : "");
    auto& added = *members_.emplace_back(std::make_unique<member>(
        inner_, name, holder, [this] { return now_; },
        [this, name] { return unreachable_of(name); }));
    added.due = now_;
    added.db.on_call = [this, &added] { return call(added); };
    added.db.on_answer = [this]() -> caf::error {
      return chance(1) ? make_error(errc::commit_unknown, "lost") : caf::error{};
    };
  }

  /// Whom a node has not heard of for 3.5 s: cuts go in both directions, for both miss the answers.
  std::vector<std::string> unreachable_of(const std::string& name) const {
    auto names = std::vector<std::string>{};
    for (const auto& each : cuts_)
      if (now_ >= each.since + 3'500ms && now_ < each.until &&
          (each.one == name || each.other == name))
        names.push_back(each.one == name ? each.other : each.one);
    return names;
  }

  caf::error call(const member& by) {
    if (now_ < away_until_ || now_ < by.cut_off)
      return make_error(errc::unavailable, "away");
    if (chance(1))
      move_to(now_ + between(1ms, 300ms));
    return {};
  }

  bool is_running(const member& one) const { return now_ >= one.thaws && !one.is_over(); }

  bool may_serve(const member& one) const { return one.keeper.status().may_serve(now_); }

  member* serving() {
    const auto found =
        std::ranges::find_if(members_, [&](const auto& one) { return may_serve(*one); });
    return found == members_.end() ? nullptr : found->get();
  }

  member& somebody() {
    auto* first = serving();
    if (first && chance(60))
      return *first;
    return *members_[static_cast<std::size_t>(one_of(0, static_cast<int>(members_.size()) - 1))];
  }

  // --- what happens ----------------------------------------------------------------------------
  void next_event() {
    auto* next = static_cast<member*>(nullptr);
    for (const auto& one : members_)
      if (!one->is_over() && (!next || when(*one) < when(*next)))
        next = one.get();
    auto at = std::min({next_disturbance_, next_write_, next_start_});
    if (next && when(*next) <= at) {
      move_to(when(*next));
      step(*next);
    } else if (move_to(at); at == next_write_) {
      write();
    } else if (at == next_start_) {
      start_waiting();
    } else {
      disturb();
    }
    check();
  }

  static boot_time when(const member& one) { return std::max(one.due, one.thaws); }

  void step(member& one) {
    one.due = one.keeper.step(one.db);
    const auto& status = one.keeper.status();
    if (one.hosts.see(status) && status.is_member(now_))
      total_.handed_on += one.hosts.hand_on(one.db, status, ++batches_);
    if (status.phase == lease_phase::serving &&
        std::ranges::find(fences_, status.fence()) == fences_.end())
      fences_.push_back(status.fence());
    if (one.is_over()) {
      total_.doubled += status.phase == lease_phase::doubled;
      come_back(one.name, true);
      remove(one);
    }
  }

  void remove(const member& one) {
    std::erase_if(members_, [&](const auto& each) { return each.get() == &one; });
  }

  /// Lets a process of `name` start a while later, unless one is there.
  void come_back(const std::string& name, bool other_process) {
    waiting_.push_back({name, other_process});
    next_start_ = std::min(next_start_, now_ + between(100ms, 15'000ms));
  }

  void start_waiting() {
    const auto [name, other_process] = waiting_.back();
    waiting_.pop_back();
    next_start_ = waiting_.empty() ? boot_time::max() : now_ + between(100ms, 5'000ms);
    const auto is_there =
        std::ranges::any_of(members_, [&](const auto& one) { return one->name == name; });
    if (!is_there)
      start(name, other_process);
    unsettle(0s);
  }

  /// Nobody is settled before `time` has passed.
  void unsettle(boot_clock::duration time) { settled_ = std::max(settled_, now_ + time); }

  void disturb() {
    // Blow on blow, or long enough a rest for the rules of silence to be seen.
    next_disturbance_ = now_ + (chance(35) ? between(13'000ms, 24'000ms) : between(300ms, 6'000ms));
    expect_silence_of(now_ - settled_ > settled_after && stand_by() ? silence_max
                                                                    : silence_at_start);
    if (members_.empty())
      return;
    auto& one = somebody();
    switch (one_of(1, 10)) {
    case 1:
    case 2:
      return kill(one);
    case 3:
      one.thaws = now_ + (chance(40) ? 90s : between(1s, 20s));
      return unsettle(one.thaws - now_);
    case 4:
      one.cut_off = now_ + between(1s, 30s);
      return unsettle(one.cut_off - now_);
    case 5:
      return begin_outage();
    case 6:
      return change_server();
    case 7:
      one.keeper.leave();
      one.due = now_;
      return unsettle(0s);
    case 8:
      if (!sets_clock_ahead_) // it would end the lease of the first process for the second
        start(one.name, true);
      return unsettle(0s);
    case 9:
      return cut(one);
    default:
      return set_clock();
    }
  }

  /// Cuts the node off from some of the others, which keep their lines to the database.
  void cut(const member& one) {
    ++total_.cuts;
    const auto until = now_ + between(2s, 40s);
    for (const auto& other : members_)
      if (other->name != one.name && chance(60))
        cuts_.push_back({.one = one.name, .other = other->name, .since = now_, .until = until});
    // Who steps aside joins again; another must see that it may.
    unsettle(until - now_ + 35s);
    undo_cuts();
  }

  void undo_cuts() {
    std::erase_if(cuts_, [this](const auto& each) { return each.until <= now_; });
  }

  bool stand_by() const {
    return std::ranges::any_of(members_, [&](const auto& one) {
      return is_running(*one) && now_ >= one->cut_off &&
             one->keeper.status().phase == lease_phase::standing_by;
    });
  }

  void kill(member& one) {
    ++total_.kills;
    come_back(one.name, !sets_clock_ahead_ && chance(40));
    remove(one);
    unsettle(0s);
  }

  void begin_outage() {
    ++total_.outages;
    const auto* owner = serving();
    away_until_ = now_ + between(1s, 59s);
    if (chance(30))
      change_server();
    const auto is_double = owner && std::ranges::count_if(members_, [&](const auto& one) {
                                      return one->name == owner->name;
                                    }) > 1; // the other process waits for the end of the lease
    undo_cuts();
    if (owner && is_running(*owner) && now_ >= owner->cut_off && !is_double && cuts_.empty())
      stays_ = owner->keeper.status().fence();
    stays_until_ = away_until_ + owner_is_back;
    next_disturbance_ = stays_until_ + 1ms;
    unsettle(away_until_ - now_);
  }

  void change_server() {
    kit::set_test_server(inner_, "server " + std::to_string(++servers_));
    unsettle(0s);
  }

  void set_clock() {
    server_ahead_ += sets_clock_ahead_ ? between(0ms, 7'200'000ms) : -between(0ms, 7'200'000ms);
    move_to(now_);
    unsettle(0s);
  }

  void write() {
    next_write_ = now_ + write_every;
    check_hosts();
    if (auto* one = serving();
        one && is_running(*one) && now_ >= away_until_ && now_ >= one->cut_off)
      expect(commit(one->keeper.status().fence()), "who serves may write");
    if (!fences_.empty()) // something that was under way for long
      commit(fences_[static_cast<std::size_t>(one_of(0, static_cast<int>(fences_.size()) - 1))]);
  }

  /// Who acts for a host shard is its owner, and so nobody else's batch is about it.
  void check_hosts() {
    const auto owners = kit::host_owners(inner_);
    for (const auto& one : members_)
      if (one->keeper.status().is_member(now_))
        expect(
            (one->hosts.acts_for() & ~kit::owned_by(one->keeper.status().fence(), owners)).none(),
            "who acts for a host shard owns it");
  }

  bool commit(const write_fence& fence) {
    const auto done = inner_.commit_batch(++batches_, wall(), fence,
                                          [](database&) { return std::vector<log_draft>{}; });
    (done ? total_.accepted : total_.refused) += 1;
    if (done)
      expect(owner() == fence, "a stale batch is refused");
    return done.engaged();
  }

  // --- what must hold --------------------------------------------------------------------------
  void expect(bool holds, const std::string& rule) {
    if (holds || failed_)
      return;
    failed_ = true;
    FAIL_CHECK(rule << ", at " << now_.time_since_epoch() / 1ms << " ms");
  }

  std::optional<write_fence> owner() {
    const auto rows = must(inner_.run("SELECT node_id, incarnation FROM shard_owner"
                                      " WHERE kind = 1 AND shard = 0"));
    if (rows.rows.empty())
      return std::nullopt;
    return write_fence{rows.rows[0][0].integer(), rows.rows[0][1].integer()};
  }

  /// How long nobody may serve from now on.
  void expect_silence_of(boot_clock::duration time) { silence_max_ = time; }

  void check() {
    const auto holders =
        std::ranges::count_if(members_, [&](const auto& one) { return may_serve(*one); });
    expect(holders <= 1, "one node at most holds the lease and serves");
    const auto is_excused = now_ < settled_ || std::ranges::none_of(members_, [&](const auto& one) {
                              return is_running(*one);
                            });
    if (holders > 0 || is_excused)
      silent_since_ = std::max(now_, settled_);
    expect(now_ - silent_since_ <= silence_max_, "somebody serves soon");
    const auto hosts = kit::hosts_acted_for(members_, now_);
    expect(hosts.doubly.none(), "one node at most acts for a host shard");
    host_silence_.end_for(is_excused ? ~kit::host_set{} : hosts.all, std::max(now_, settled_));
    expect(host_silence_.longest(now_) <= silence_max_, "somebody acts soon for each host shard");
    if (const auto now_owner = owner(); now_owner != owner_) {
      owner_ = now_owner;
      expect(
          must(inner_.run("SELECT DISTINCT node_id, incarnation FROM shard_owner WHERE kind = 1"))
                  .rows.size() == 1,
          "all shards have one owner");
      ++total_.owner_changes;
    }
    if (stays_ && now_ >= away_until_)
      expect(owner_ == stays_, "an outage of the database changes no owner");
    if (now_ >= stays_until_)
      stays_.reset();
  }

  std::mt19937_64 random_;
  tally& total_;
  database& inner_;
  bool sets_clock_ahead_; ///< Else back; and only else two processes have one name.
  std::chrono::microseconds server_ahead_ = 1'800'000'000s; ///< Of the nodes' clock.
  boot_time now_{1'000s};
  std::vector<std::unique_ptr<member>> members_;
  std::vector<std::pair<std::string, bool>> waiting_; ///< Names that come back.
  std::vector<cut_line> cuts_;
  std::vector<write_fence> fences_; ///< That anybody has served with.
  std::optional<write_fence> owner_;
  std::optional<write_fence> stays_; ///< Who must be the owner, until then.
  boot_time stays_until_;
  boot_time away_until_;
  boot_time settled_{1'000s};
  boot_time silent_since_{1'000s};
  kit::host_silence host_silence_{boot_time{1'000s}};
  boot_clock::duration silence_max_ = silence_at_start;
  boot_time next_disturbance_;
  boot_time next_write_{1'000s};
  boot_time next_start_ = boot_time::max();
  std::int64_t batches_ = 0;
  int servers_ = 0;
  int processes_ = 0;
  bool is_quiet_ = false;
  bool failed_ = false;
};

} // namespace

TEST_CASE("whatever happens to a cluster, one node at most serves, and soon one does",
          "[cluster][history]") {
  const auto* wanted = std::getenv("TRUNKLINE_SEEDS");
  const auto seeds = wanted ? std::strtoull(wanted, nullptr, 10) : 200;
  const auto* begin = std::getenv("TRUNKLINE_FIRST_SEED");
  const auto first = begin ? std::strtoull(begin, nullptr, 10) : 1;
  const auto db = must(open_sqlite({}, sqlite_mode::memory));
  must(migrate(*db));
  kit::make_test_clock(*db, {});
  auto total = tally{};
  for (auto seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    history{*db, seed, total}.run();
  }
  std::cout << "clusters: " << total.seeds << " seeds, " << total.kills << " kills, "
            << total.outages << " outages, " << total.owner_changes << " changes of owner, "
            << total.accepted << " batches, " << total.refused << " refused, " << total.doubled
            << " doubled, " << total.cuts << " cuts, " << total.handed_on
            << " host shards handed on\n";
  if (wanted)
    return;
  CHECK(total.kills > total.seeds);
  CHECK(total.owner_changes > 2 * total.seeds);
  CHECK(total.outages > total.seeds / 2);
  CHECK(total.accepted > 30 * total.seeds);
  CHECK(total.refused > 10 * total.seeds);
  CHECK(total.doubled > 0);
  CHECK(total.cuts > total.seeds / 3);
}
