#include "engine/node_log.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace trunkline {

namespace {

/// How long the end of the log waits for a sink of the embedder's.
constexpr auto sink_patience = std::chrono::seconds{2};

constexpr auto marker = std::string_view{"\x01"};

/// Parts the event's name from the line, for a sink of the embedder's.
constexpr auto separator = '\x02';

log_severity severity_of(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err)
    return log_severity::error;
  return level >= spdlog::level::warn ? log_severity::warning : log_severity::info;
}

spdlog::level::level_enum level_of(log_level level) {
  if (level == log_level::error)
    return spdlog::level::err;
  return level == log_level::warning ? spdlog::level::warn : spdlog::level::info;
}

/// Runs on the one thread of the pool. A line of at most PIPE_BUF bytes is written whole when
/// `poll` says that the descriptor is writable, so this waits for `patience` and no longer.
class descriptor_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  explicit descriptor_sink(const node_log_options& options)
      : descriptor_{options.descriptor}, patience_{options.patience}, call_{options.sink} {}

  std::int64_t dropped() const { return dropped_; }

  /// Lets no call of the embedder's sink begin any more.
  void end() { ended_ = true; }

  /// Waits until as many flush marks have arrived as were sent. Returns whether they have.
  bool wait_for(std::uint64_t marks, std::chrono::milliseconds limit) {
    auto lock = std::unique_lock{marks_mutex_};
    return marks_changed_.wait_for(lock, limit, [&] { return marks_ >= marks; });
  }

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (std::string_view{message.payload.data(), message.payload.size()} == marker)
      return mark();
    if (ended_)
      return count_dropped();
    if (call_)
      return tell(message);
    auto waiting = pollfd{descriptor_, POLLOUT, 0};
    const auto patience = stuck_ ? 0 : static_cast<int>(patience_.count());
    stuck_ = ::poll(&waiting, 1, patience) <= 0;
    if (stuck_ || ::write(descriptor_, message.payload.data(), message.payload.size()) < 0)
      count_dropped();
  }

  void flush_() override {}

private:
  void tell(const spdlog::details::log_msg& message) {
    const auto text = std::string_view{message.payload.data(), message.payload.size()};
    const auto at = text.find(separator);
    try {
      call_({.at = message.time,
             .severity = severity_of(message.level),
             .event = std::string{text.substr(0, at)},
             .json = std::string{text.substr(at + 1)}});
    } catch (...) { // whatever an embedder throws ends here
      count_dropped();
    }
  }

  void count_dropped() { ++dropped_; }

  void mark() {
    const auto lock = std::scoped_lock{marks_mutex_};
    ++marks_;
    marks_changed_.notify_all();
  }

  const int descriptor_;
  const std::chrono::milliseconds patience_;
  const log_sink call_;
  bool stuck_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<std::int64_t> dropped_ = 0;
  std::mutex marks_mutex_;
  std::condition_variable marks_changed_;
  std::uint64_t marks_ = 0;
};

constexpr std::string_view name_of(log_level level) {
  switch (level) {
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  }
  return "error";
}

/// A reader that is gone is a line that is lost, in an embedder's process too, and not its end.
void refuse_sigpipe() {
  auto signals = sigset_t{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max)
    return text;
  auto length = bytes_max;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
    --length; // A character is not cut in two: the line stays UTF-8.
  text.resize(length);
  return text + "…";
}

} // namespace

struct node_log::state {
  state(const node_log_options& given, wall_clock time)
      : options{given}, clock{std::move(time)}, sink{std::make_shared<descriptor_sink>(given)},
        pool{std::make_shared<spdlog::details::thread_pool>(given.lines_max, 1U, refuse_sigpipe)},
        logger{std::make_shared<spdlog::async_logger>(
            "node", sink, pool, spdlog::async_overflow_policy::overrun_oldest)} {}

  const node_log_options options;
  const wall_clock clock;
  const std::shared_ptr<descriptor_sink> sink;
  const std::shared_ptr<spdlog::details::thread_pool> pool;
  const std::shared_ptr<spdlog::async_logger> logger;
  std::atomic<std::uint64_t> marks = 0;
};

node_log::node_log(node_log_options options, wall_clock clock)
    : state_{std::make_unique<state>(options, std::move(clock))} {}

node_log::~node_log() {
  if (!state_->options.sink || reaches_end(sink_patience))
    return;
  state_->sink->end(); // the embedder may free what it stands on, but for the call under way
  try {
    // A sink of the embedder's that does not return keeps its thread, and what that stands on.
    std::thread{[kept = std::move(state_)]() mutable { kept.reset(); }}.detach();
  } catch (const std::system_error&) {
    // Nothing is left but to wait for it.
  }
}

void node_log::write(log_level level, std::string_view event, const json_object& members) {
  if (state_->options.descriptor < 0 && !state_->options.sink)
    return;
  auto line =
      json_object{{"at", to_iso8601(state_->clock())}, {"level", name_of(level)}, {"event", event}};
  // A quarter of a line for one text: the members together stay below the limit of a pipe.
  for (const auto& [key, value] : members)
    line[key] = value.as_string() ? json_value{cut(*value.as_string(), 1024)} : value;
  auto text = to_json(line);
  if (text.size() >= state_->options.line_bytes_max)
    text = to_json(json_object{{"at", to_iso8601(state_->clock())},
                               {"level", name_of(level)},
                               {"event", event},
                               {"cut", true}});
  text = state_->options.sink ? std::string{event} + separator + text : text + '\n';
  state_->logger->log(level_of(level), spdlog::string_view_t{text.data(), text.size()});
}

void node_log::flush(std::chrono::milliseconds limit) {
  if (state_->options.descriptor < 0 && !state_->options.sink)
    return;
  reaches_end(limit);
}

/// Tells whether everything told so far is behind the thread, within `limit`.
bool node_log::reaches_end(std::chrono::milliseconds limit) {
  const auto marks = ++state_->marks;
  state_->logger->info(spdlog::string_view_t{marker.data(), marker.size()});
  return state_->sink->wait_for(marks, limit);
}

std::int64_t node_log::dropped() const {
  return state_->sink->dropped() + static_cast<std::int64_t>(state_->pool->overrun_counter());
}

} // namespace trunkline
