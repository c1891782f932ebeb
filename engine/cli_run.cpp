#include "engine/cli.hpp"
#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "engine/node.hpp"
#include "engine/node_options.hpp"
#include "engine/service_notify.hpp"
#include "protocol/errc.hpp"
#include "trunkline/version.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// What a stop may take in all is 30 s; the drain gets the most of it.
constexpr auto drain_limit = 25s;

/// How often the node that serves is looked after, and one that starts.
constexpr auto look_interval = 250ms;
constexpr auto start_look = 100ms;

std::string from_environment(const char* name) {
  const auto* text = std::getenv(name);
  return text ? text : "";
}

int end_with(const caf::error& failure) {
  std::cerr << context_of(failure) << '\n';
  return exit_code_of(code_of(failure));
}

/// Blocks the signals that end the node, in this thread and in all that it starts from now on.
sigset_t block_signals() {
  auto signals = sigset_t{};
  sigemptyset(&signals);
  for (const auto number : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// Waits for `limit` at most. Tells whether SIGTERM or SIGINT came; SIGHUP lets the node reload.
bool is_ordered_to_end(const sigset_t& signals, node& running, std::chrono::nanoseconds limit) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
  const auto wait = timespec{.tv_sec = seconds.count(), .tv_nsec = (limit - seconds).count()};
  const auto number = sigtimedwait(&signals, nullptr, &wait);
  if (number == SIGHUP)
    running.reload(); // which says how it went
  return number == SIGTERM || number == SIGINT;
}

/// Says why it takes long, and that the program is well. Returns false when the node was ordered to
/// end before its start was over.
bool wait_for_start(const sigset_t& signals, node& starting, const node_options& options,
                    const service_notify& notify) {
  auto told = std::string{};
  auto alive_at = std::chrono::steady_clock::now();
  while (starting.is_starting()) {
    if (is_ordered_to_end(signals, starting, 0s))
      return false;
    starting.wait_ready(start_look);
    starting.look();
    const auto now = std::chrono::steady_clock::now();
    if (options.heartbeat && now - alive_at >= options.heartbeat_interval) {
      options.heartbeat();
      alive_at = now;
    }
    const auto why = starting.standing_by();
    if (why.empty() || why == told)
      continue;
    told = why;
    std::cout << "trunkline " << version() << " stands by, " << why << std::endl;
    notify.send("READY=1\nSTATUS=standing by, " + why);
  }
  return true;
}

/// How a node ended; a lost one was deposed.
enum class ending : std::uint8_t { ordered, lost, failed };

/// Starts a node, in a cluster when it is its turn, and looks after it until it ends.
ending serve_once(node& running, const sigset_t& signals, const node_options& options,
                  const service_notify& notify, caf::error& failure) {
  notify.send("STATUS=starting");
  if (!wait_for_start(signals, running, options, notify))
    return ending::ordered;
  failure = running.wait_ready(0s);
  if (running.lost())
    return ending::lost;
  if (failure)
    return ending::failed;
  std::cout << "trunkline " << version() << " ready\nweb " << running.web_url() << "\nadmin "
            << running.admin_url() << std::endl;
  notify.send("READY=1\nSTATUS=serving " + running.web_url());
  while (!is_ordered_to_end(signals, running, look_interval)) {
    if (running.lost())
      return ending::lost;
    running.look();
  }
  notify.send("STOPPING=1\nSTATUS=draining");
  running.drain(drain_limit);
  return ending::ordered;
}

/// Another node has taken over: the process keeps its number and forgets everything else, requests
/// under way and listeners included.
int begin_anew() {
  auto in = std::ifstream{"/proc/self/cmdline", std::ios::binary};
  auto words = std::vector<std::string>{};
  for (auto word = std::string{}; std::getline(in, word, '\0');)
    words.push_back(word);
  auto arguments = std::vector<char*>{};
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execv("/proc/self/exe", arguments.data());
  return exit_software;
}

int serve(node_options options) {
  const auto signals = block_signals();
  const auto notify = service_notify{from_environment("NOTIFY_SOCKET")};
  if (const auto interval = watchdog_interval(std::getenv("WATCHDOG_USEC"),
                                              std::getenv("WATCHDOG_PID"), ::getpid())) {
    options.heartbeat = [notify] { notify.send("WATCHDOG=1"); };
    options.heartbeat_interval = *interval;
  }
  options.owner_looks = true;
  const auto shared = std::make_shared<const node_options>(std::move(options));
  auto running = std::make_unique<node>(shared);
  auto failure = caf::error{};
  const auto how = serve_once(*running, signals, *shared, notify, failure);
  if (how == ending::lost)
    return begin_anew();
  const auto all_ended = running->stop();
  const auto code = how == ending::failed ? end_with(failure) : 0;
  if (!all_ended) // whatever was answered is in the database, which does not answer now
    std::_Exit(code);
  return code;
}

} // namespace

int run(const run_command& command) {
  auto config =
      load_config({command.config_file.empty() ? default_config_file() : command.config_file,
                   process_environment(), command.flags});
  if (!config)
    return end_with(config.error());
  if (command.print_only)
    std::cout << print_config(*config);
  if (command.print_only || command.check_only)
    return 0;
  return serve({.config = std::move(*config)});
}

} // namespace trunkline
