/// What a request to another server costs this one, whatever the number of servers that are known:
/// `client [--json] [--pairs N] [--requests N] [--known N]`.
///
/// A server in a process of its own answers for every name; a stub name server knows them all. Two
/// clients run by turns in one process, one that knows 100 hosts and one that knows many, and send
/// the same requests. CPU is that of this process. Requests on kept connections go to 100 hosts of
/// all that are known; requests on new connections go to all of them in turn.
#include "bench/figures.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/stub_dns.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace trunkline;
using namespace trunkline::bench;

namespace {

constexpr std::size_t few_hosts = 100;
constexpr std::size_t in_flight_max = 64;
constexpr double bar = 1.5;

struct client_bench_options {
  bool as_json = false;
  std::size_t pairs = 5;
  std::size_t requests = 10'000;
  std::size_t known = 30'000;
};

[[noreturn]] void give_up(std::string_view why) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

/// Answers every request with 202 until its parent is gone; connections of "/once" are closed.
[[noreturn]] void serve(int port_pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto options = http_server_options{};
  options.tcp = {{.address = "127.0.0.1", .port = 0}};
  auto server = http_server::start(std::move(options), [](http_request request, http_reply reply) {
    reply({.status = 202, .body = "{}", .close = request.path == "/once"});
  });
  if (!server)
    give_up(context_of(server.error()));
  const auto port = (*server)->ports().front();
  if (::write(port_pipe, &port, sizeof port) != static_cast<ssize_t>(sizeof port))
    std::_Exit(1);
  while (true)
    ::pause();
}

class answering_process {
public:
  answering_process() {
    int ends[2];
    if (::pipe(ends) != 0)
      give_up("no pipe");
    pid_ = ::fork();
    if (pid_ == 0)
      serve(ends[1]);
    if (::read(ends[0], &port_, sizeof port_) != static_cast<ssize_t>(sizeof port_))
      give_up("the answering process did not start");
  }
  ~answering_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  answering_process(const answering_process&) = delete;
  answering_process& operator=(const answering_process&) = delete;

  std::uint16_t port() const { return port_; }

private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

/// A client that knows `known` hosts.
class knowing_client {
public:
  knowing_client(std::uint16_t port, const std::string& name_server, std::size_t known)
      : port_{port}, known_{known} {
    auto options = http_client_options{};
    options.allow_http = true;
    options.allowed_addresses = {"127.0.0.0/8"};
    options.name_servers = {name_server};
    auto started = http_client::start(std::move(options));
    if (!started)
      give_up(context_of(started.error()));
    client_ = std::move(*started);
    send_all(known_, "/once", [](std::size_t number) { return number; });
    if (client_->counters().known_hosts < known_)
      give_up("not every host is known");
  }

  /// Returns the CPU seconds of one request on a kept connection, to one of a few hosts that are
  /// spread over all.
  double kept(std::size_t requests, std::mt19937_64& random) {
    const auto stride = known_ / few_hosts;
    return cost(requests, "/kept", [&](std::size_t) { return random() % few_hosts * stride; });
  }

  /// Returns the CPU seconds of one request on a new connection, to all hosts in turn.
  double fresh(std::size_t requests) {
    return cost(requests, "/once", [&](std::size_t number) { return number % known_; });
  }

private:
  template <class Choose>
  double cost(std::size_t requests, std::string_view path, Choose choose) {
    const auto before = process_cpu();
    send_all(requests, path, choose);
    return (process_cpu() - before).count() / static_cast<double>(requests);
  }

  /// Sends the requests, at most `in_flight_max` at once, and waits for all answers.
  template <class Choose>
  void send_all(std::size_t requests, std::string_view path, Choose choose) {
    auto open = std::size_t{0};
    auto failed = std::size_t{0};
    auto mutex = std::mutex{};
    auto ended = std::condition_variable{};
    for (auto number = std::size_t{0}; number < requests; ++number) {
      auto lock = std::unique_lock{mutex};
      ended.wait(lock, [&] { return open < in_flight_max; });
      ++open;
      lock.unlock();
      client_->send({.method = http_method::post,
                     .url = "http://h" + std::to_string(choose(number)) +
                            ".test:" + std::to_string(port_) + std::string{path},
                     .body = body_},
                    [&](const exchange_outcome& outcome) {
                      const auto held = std::scoped_lock{mutex};
                      failed += outcome.response() && outcome.response()->status == 202 ? 0 : 1;
                      --open;
                      ended.notify_one();
                    });
    }
    auto lock = std::unique_lock{mutex};
    ended.wait(lock, [&] { return open == 0; });
    if (failed > 0)
      give_up(std::to_string(failed) + " requests failed");
  }

  std::uint16_t port_;
  std::size_t known_;
  std::shared_ptr<const std::string> body_ = std::make_shared<std::string>(2'000, 'x');
  std::unique_ptr<http_client> client_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct pair_figures {
  std::vector<double> few;
  std::vector<double> many;

  double ratio() const { return median(many) / median(few); }
};

void show(std::string_view what, const pair_figures& figures, const client_bench_options& options) {
  const auto passes = figures.ratio() <= bar;
  const auto* form = options.as_json
                         ? "{\"requests\":\"%s\",\"known\":%zu,\"us_few\":%.1f,\"us_many\":%.1f,"
                           "\"ratio\":%.2f,\"bar\":%.1f,\"passes\":%s}\n"
                         : "%-20s %6zu known: %6.1f us at 100 hosts, %6.1f us; ratio %.2f, bar "
                           "%.1f: %s\n";
  const auto* verdict = options.as_json ? (passes ? "true" : "false") : (passes ? "pass" : "FAIL");
  std::printf(form, std::string{what}.c_str(), options.known, median(figures.few) * 1e6,
              median(figures.many) * 1e6, figures.ratio(), bar, verdict);
}

bool read_number(std::string_view text, std::size_t& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size() && number > 0;
}

client_bench_options read_options(int argc, char** argv) {
  auto options = client_bench_options{};
  for (auto i = 1; i < argc; ++i) {
    const auto word = std::string_view{argv[i]};
    const auto next = i + 1 < argc ? std::string_view{argv[i + 1]} : std::string_view{};
    auto* number = word == "--pairs"      ? &options.pairs
                   : word == "--requests" ? &options.requests
                   : word == "--known"    ? &options.known
                                          : nullptr;
    if (word == "--json")
      options.as_json = true;
    else if (!number || !read_number(next, *number))
      give_up("usage: client [--json] [--pairs N] [--requests N] [--known N]");
    else
      ++i;
  }
  return options;
}

} // namespace

int main(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  const auto server = answering_process{};
  auto names = kit::stub_dns{[](const std::string&, int) {
    return kit::dns_answer{.addresses = {"127.0.0.1"}, .ttl = 3'600};
  }};
  auto few = knowing_client{server.port(), names.server(), few_hosts};
  auto many = knowing_client{server.port(), names.server(), options.known};
  auto random = std::mt19937_64{1};
  auto kept = pair_figures{};
  auto fresh = pair_figures{};
  for (auto pair = std::size_t{0}; pair < options.pairs; ++pair) {
    kept.few.push_back(few.kept(options.requests, random));
    kept.many.push_back(many.kept(options.requests, random));
    fresh.few.push_back(few.fresh(options.requests));
    fresh.many.push_back(many.fresh(options.requests));
  }
  show("kept connections", kept, options);
  show("new connections", fresh, options);
  return kept.ratio() <= bar && fresh.ratio() <= bar ? 0 : 1;
}
