#include "engine/cli.hpp"
#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "engine/node.hpp"
#include "engine/node_options.hpp"
#include "engine/service_notify.hpp"
#include "protocol/errc.hpp"
#include "trunkline/version.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// What a stop may take in all is 30 s; the drain gets the most of it.
constexpr auto drain_limit = 25s;
constexpr auto start_limit = 24h;

std::string from_environment(const char* name) {
  const auto* text = std::getenv(name);
  return text ? text : "";
}

int refuse(const caf::error& failure) {
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

/// Returns after SIGTERM or SIGINT; SIGHUP changes nothing for now. Looks after the node meanwhile.
void wait_for_end(const sigset_t& signals, node& running) {
  constexpr auto look_interval = timespec{.tv_sec = 1, .tv_nsec = 0};
  for (;;) {
    const auto number = sigtimedwait(&signals, nullptr, &look_interval);
    if (number == SIGTERM || number == SIGINT)
      return;
    if (number < 0)
      running.look();
  }
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
  auto running = node{std::make_shared<node_options>(std::move(options))};
  notify.send("STATUS=starting");
  if (auto failure = running.wait_ready(start_limit))
    return refuse(failure);
  std::cout << "trunkline " << version() << " ready\nweb " << running.web_url() << "\nadmin "
            << running.admin_url() << std::endl;
  notify.send("READY=1\nSTATUS=serving " + running.web_url());
  wait_for_end(signals, running);
  notify.send("STOPPING=1\nSTATUS=draining");
  running.drain(drain_limit);
  running.stop();
  return 0;
}

} // namespace

int run(const run_command& command) {
  auto config =
      load_config({command.config_file.empty() ? default_config_file() : command.config_file,
                   process_environment(), command.flags});
  if (!config)
    return refuse(config.error());
  if (command.print_only)
    std::cout << print_config(*config);
  if (command.print_only || command.check_only)
    return 0;
  return serve({.config = std::move(*config)});
}

} // namespace trunkline
