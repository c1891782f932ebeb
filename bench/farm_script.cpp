#include "bench/farm_script.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace trunkline::bench {

namespace {

constexpr auto words = std::to_array<std::pair<std::string_view, host_mode>>({
    {"fast", host_mode::fast},
    {"slow", host_mode::slow},
    {"black_hole", host_mode::black_hole},
    {"refuse", host_mode::refuse},
    {"drip", host_mode::drip},
    {"retry_after", host_mode::retry_after},
    {"retry_date", host_mode::retry_date},
    {"status", host_mode::status},
    {"reset", host_mode::reset},
    {"tls_broken", host_mode::tls_broken},
    {"flapping", host_mode::flapping},
    {"recovering", host_mode::recovering},
    {"gets_hang", host_mode::gets_hang},
    {"random", host_mode::random},
});

/// Cuts what stands after `mark` off `text` and reads it as a number; 0 without `mark`.
std::optional<std::uint32_t> cut_number(std::string_view& text, char mark) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos)
    return 0;
  const auto digits = text.substr(at + 1);
  text = text.substr(0, at);
  auto number = std::uint32_t{0};
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (problem != std::errc{} || end != digits.data() + digits.size())
    return {};
  return number;
}

script_turn failing(int status) {
  return {.status = status, .is_handled = status / 100 == 2};
}

script_turn vanishing() {
  return {.how = reaction::reset, .is_handled = false};
}

script_turn flapping_turn(const host_script& script, const script_state& state,
                          std::int64_t now_ns) {
  const auto period = std::int64_t{script.first ? script.first : 1'000} * 1'000'000;
  return (now_ns - state.began_ns) / period % 2 == 0 ? script_turn{} : vanishing();
}

script_turn random_turn(const host_script& script, std::minstd_rand& random) {
  const auto drawn = random() % 1'000;
  if (drawn < script.first)
    return failing(503);
  if (drawn < script.first + script.second)
    return {.how = reaction::silence};
  return {};
}

script_turn turn_of(const host_script& script, const script_state& state, bool is_get,
                    std::int64_t now_ns, std::minstd_rand& random) {
  switch (script.mode) {
  case host_mode::slow:
    return {.delay_ms = script.first};
  case host_mode::black_hole:
  case host_mode::refuse:
    return {.how = reaction::silence, .is_handled = false};
  case host_mode::drip:
    return {.how = reaction::drip};
  case host_mode::retry_after:
  case host_mode::retry_date:
    return {.status = 429,
            .retry_after = script.first,
            .retry_as_date = script.mode == host_mode::retry_date,
            .is_handled = false};
  case host_mode::status:
    return failing(static_cast<int>(script.first));
  case host_mode::reset:
    return vanishing();
  case host_mode::tls_broken:
    return {.how = reaction::garbage, .is_handled = false};
  case host_mode::flapping:
    return flapping_turn(script, state, now_ns);
  case host_mode::recovering:
    return state.requests <= script.first ? failing(503) : script_turn{};
  case host_mode::gets_hang:
    return is_get ? script_turn{.how = reaction::silence} : script_turn{};
  case host_mode::random:
    return random_turn(script, random);
  case host_mode::fast:
    return {};
  }
  return {};
}

} // namespace

std::optional<host_script> read_script(std::string_view text) {
  auto script = host_script{};
  const auto latency = cut_number(text, '@');
  const auto last = cut_number(text, ':');
  const auto has_two = text.find(':') != std::string_view::npos;
  const auto first = has_two ? cut_number(text, ':') : last;
  if (!latency || !last || !first)
    return {};
  script.latency_ms = *latency;
  script.first = *first;
  script.second = has_two ? *last : 0;
  for (const auto& [word, mode] : words)
    if (word == text) {
      script.mode = mode;
      return script;
    }
  return {};
}

std::string to_text(const host_script& script) {
  auto text = std::string{words[static_cast<std::size_t>(script.mode)].first};
  if (script.first || script.second)
    text += ":" + std::to_string(script.first);
  if (script.second)
    text += ":" + std::to_string(script.second);
  if (script.latency_ms)
    text += "@" + std::to_string(script.latency_ms);
  return text;
}

script_turn next_turn(const host_script& script, script_state& state, bool is_get,
                      std::int64_t now_ns, std::minstd_rand& random) {
  ++state.requests;
  auto turn = turn_of(script, state, is_get, now_ns, random);
  turn.delay_ms += script.latency_ms;
  return turn;
}

} // namespace trunkline::bench
