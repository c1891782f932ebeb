#include "actors/board_records.hpp"

#include "actors/host_address_record.hpp"
#include "actors/records.hpp"

#include <type_traits>

namespace trunkline {

namespace {

/// Sums of as many nodes as there may be stay within 64 bits.
constexpr auto count_max = std::int64_t{1} << 50;

/// The end of the year 9999: past it no time can be written.
constexpr auto micros_max = std::int64_t{253'402'300'799'000'000};

constexpr std::size_t part_bytes_max = 253;
constexpr std::size_t word_bytes_max = 1'024;
constexpr std::size_t budgets_max = 16;

template <class... Numbers>
void check_counts(const Numbers&... numbers) {
  check_record(((numbers >= -count_max && numbers <= count_max) && ...), "a number too large");
}

void check_time(const std::optional<time_point>& at) {
  check_record(!at || (to_micros(*at) >= 0 && to_micros(*at) <= micros_max), "no time");
}

void check_number(const std::optional<std::int64_t>& number) {
  if (number)
    check_counts(*number);
}

} // namespace

template <class Archive, is_record<unit_key> Key>
void carry(Archive& archive, Key& key) {
  archive(key.seq, key.endpoint);
}

template <class Archive, is_record<delivery_sums> Sums>
void carry(Archive& archive, Sums& sums) {
  archive(sums.offered, sums.delivered, sums.coalesced, sums.dead, sums.expired, sums.cancelled,
          sums.pending);
}

template <class Archive, is_record<host_facts> Facts>
void carry(Archive& archive, Facts& facts) {
  archive(facts.id, facts.state, facts.fail_streak, facts.first_fail_at, facts.next_try_at,
          facts.window, facts.paused, facts.drained_after, facts.drained_upto, facts.flushed_upto,
          facts.limit_in_flight, facts.limit_per_s, facts.scheme, facts.last_ok_at);
}

template <class Archive, is_record<host_health_line> Health>
void carry(Archive& archive, Health& health) {
  auto latency = std::int64_t{health.latency.count()};
  archive(health.facts, latency, health.in_flight, health.behind, health.last_error,
          health.last_error_at, health.oldest_exception_at);
  if constexpr (!std::is_const_v<Health>)
    health.latency = std::chrono::microseconds{latency};
}

template <class Archive, is_record<host_line> Line>
void carry(Archive& archive, Line& line) {
  archive(line.address, line.health, line.sums, line.exceptions, line.dead_letters,
          line.oldest_in_log, line.oldest_at);
}

template <class Archive, is_record<host_place> Place>
void carry(Archive& archive, Place& place) {
  archive(place.number, place.name, place.id);
}

template <class Archive, is_record<host_list_wish> Wish>
void carry(Archive& archive, Wish& wish) {
  auto limit = std::uint64_t{wish.limit};
  archive(wish.order, wish.state, wish.only_paused, wish.only_behind, wish.only_cancelled,
          wish.part, wish.after, limit);
  if constexpr (!std::is_const_v<Wish>)
    wish.limit = limit;
}

template <class Archive, is_record<ask_overview> Question>
void carry(Archive& archive, Question& question) {
  archive(question.now);
}

template <class Archive, is_record<ask_lines> Question>
void carry(Archive& archive, Question& question) {
  archive(question.hosts);
}

template <class Archive, is_record<flush_books> Question>
void carry(Archive&, Question&) {}

template <class Archive, is_record<ask_open_units::question> Question>
void carry(Archive& archive, Question& question) {
  archive(question.host, question.cls, question.unit);
}

template <class Archive, is_record<ask_open_units> Question>
void carry(Archive& archive, Question& question) {
  archive(question.units);
}

template <class Archive, is_record<host_totals> Totals>
void carry(Archive& archive, Totals& totals) {
  archive(totals.by_state, totals.hosts, totals.paused, totals.behind, totals.in_flight,
          totals.exceptions, totals.dead_letters, totals.sums, totals.oldest_at);
}

template <class Archive, is_record<budget_line> Line>
void carry(Archive& archive, Line& line) {
  archive(line.kind, line.limit, line.in_use, line.waiting);
}

template <class Archive, is_record<stuck_actor> Stuck>
void carry(Archive& archive, Stuck& stuck) {
  archive(stuck.name, stuck.since);
}

template <class Archive, is_record<board_overview> Overview>
void carry(Archive& archive, Overview& overview) {
  archive(overview.totals, overview.worst, overview.budgets, overview.stuck);
}

template <class Archive, is_record<books_flushed> Flushed>
void carry(Archive&, Flushed&) {}

template <class Archive, is_record<books_standing> Standing>
void carry(Archive& archive, Standing& standing) {
  auto open = std::vector<std::uint8_t>(standing.open.begin(), standing.open.end());
  archive(open, standing.dispatched, standing.cancelled);
  if constexpr (!std::is_const_v<Standing>)
    standing.open.assign(open.begin(), open.end());
}

void check(const unit_key& key) {
  check_record(key.seq >= 0 && key.endpoint.value >= 0, "no unit");
}

void check(const delivery_sums& sums) {
  check_counts(sums.offered, sums.delivered, sums.coalesced, sums.dead, sums.expired,
               sums.cancelled, sums.pending);
}

void check(const host_facts& facts) {
  check_record(facts.state >= host_state::unproven && facts.state <= host_state::dead,
               "an unknown state");
  check_record(facts.scheme <= signature_scheme::rfc9421, "an unknown kind of signature");
  check_counts(facts.fail_streak, facts.window);
  check_number(facts.limit_in_flight);
  check_number(facts.limit_per_s);
  for (const auto& at : {facts.first_fail_at, facts.next_try_at, facts.last_ok_at})
    check_time(at);
}

void check(const host_health_line& health) {
  check_counts(health.in_flight);
  check_record(health.latency.count() >= 0 && health.latency.count() <= micros_max, "no duration");
  check_record(health.last_error.size() <= host_error_bytes_max, "an error too long");
  check_time(health.last_error_at);
  check_time(health.oldest_exception_at);
}

void check(const host_line& line) {
  check_counts(line.exceptions, line.dead_letters);
  check_time(line.oldest_in_log);
  check_time(line.oldest_at);
}

void check(const host_place& place) {
  check_record(place.name.size() <= host_name_bytes_max, "a name too long");
}

void check(const host_list_wish& wish) {
  check_record(wish.order <= host_order::name, "an unknown order");
  check_record(!wish.state ||
                   (*wish.state >= host_state::unproven && *wish.state <= host_state::dead),
               "an unknown state");
  check_record(wish.part.size() <= part_bytes_max, "a part of a name too long");
  check_record(wish.limit <= board_lines_max, "too many lines");
}

void check(const ask_overview& question) {
  check_time(question.now);
}

void check(const ask_lines& question) {
  check_record(question.hosts.size() <= board_lines_max, "too many lines");
}

void check(const flush_books&) {}

void check(const ask_open_units::question& question) {
  check_record(question.cls == delivery_class::direct || question.cls == delivery_class::bulk,
               "an unknown class");
}

void check(const ask_open_units&) {}

void check(const host_totals& totals) {
  for (const auto hosts : totals.by_state)
    check_counts(hosts);
  check_counts(totals.hosts, totals.paused, totals.behind, totals.in_flight, totals.exceptions,
               totals.dead_letters);
  check_time(totals.oldest_at);
}

void check(const budget_line& line) {
  check_record(line.kind.size() <= word_bytes_max, "a word too long");
  check_counts(line.limit, line.in_use, line.waiting);
}

void check(const stuck_actor& stuck) {
  check_record(stuck.name.size() <= word_bytes_max, "a word too long");
  check_time(stuck.since);
}

void check(const board_overview& overview) {
  check_record(overview.worst.size() <= board_lines_max && overview.budgets.size() <= budgets_max &&
                   overview.stuck.size() <= board_lines_max,
               "too many lines");
}

void check(const books_flushed&) {}

void check(const books_standing& standing) {
  check_record(standing.cancelled.size() <= board_lines_max, "too many lines");
  check_counts(standing.dispatched);
}

namespace {

/// Which of its kinds a question or an answer is, and then what that one holds.
template <class... Kinds>
std::string write_one(const std::variant<Kinds...>& what) {
  auto bytes = std::string{};
  auto to = record_writer{bytes};
  to(static_cast<std::uint8_t>(what.index()));
  std::visit([&to](const auto& record) { to(record); }, what);
  return bytes;
}

template <class Kind, class... Kinds>
void read_as(record_reader& from, std::variant<Kinds...>& what) {
  from(what.template emplace<Kind>());
}

template <class... Kinds>
void read_one(record_reader& from, std::variant<Kinds...>& what) {
  auto kind = std::uint8_t{0};
  from(kind);
  check_record(kind < sizeof...(Kinds), "an unknown kind");
  using reader = void (*)(record_reader&, std::variant<Kinds...>&);
  constexpr reader readers[] = {read_as<Kinds, Kinds...>...};
  readers[kind](from, what);
}

} // namespace

std::string encode(const board_question& question) {
  return write_one(question.what);
}

caf::expected<board_question> decode_board_question(std::string_view bytes) {
  return decode_record(bytes, "question", [](record_reader& from) {
    auto question = board_question{};
    read_one(from, question.what);
    return question;
  });
}

std::string encode(const board_answer& answer) {
  return write_one(answer.what);
}

caf::expected<board_answer> decode_board_answer(std::string_view bytes) {
  return decode_record(bytes, "answer", [](record_reader& from) {
    auto answer = board_answer{};
    read_one(from, answer.what);
    check_record(!std::holds_alternative<std::vector<host_line>>(answer.what) ||
                     std::get<std::vector<host_line>>(answer.what).size() <= board_lines_max,
                 "too many lines");
    return answer;
  });
}

} // namespace trunkline
