/// Thousands of fake servers in one process:
/// `farm [--hosts N] [--port P] [--control P] [--script HOSTS=MODE]... [--sample N]
/// [--public-key FILE] [--seconds N]`.
///
/// Host N is hN.test, or hN below any name that ends in .test, at a loopback address of its own;
/// the names come from a name server of the farm. Prints one line of JSON with the ports once it
/// serves, and ends with the process that started it, at SIGTERM, or after `--seconds`. What the
/// control port understands: farm_control.hpp.
#include "bench/farm_control.hpp"
#include "bench/farm_server.hpp"
#include "protocol/json.hpp"
#include "tests/kit/stub_dns.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>

using namespace trunkline;
using namespace trunkline::bench;

namespace {

volatile std::sig_atomic_t is_stopped = 0;

struct farm_wishes {
  farm_options options;
  std::int64_t seconds = 3'600;
  std::vector<std::string> scripts; ///< "HOSTS=MODE"
};

[[noreturn]] void give_up(std::string_view why) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(64);
}

std::int64_t number_in(std::string_view text) {
  auto number = std::int64_t{0};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || number < 0)
    give_up("not a number: " + std::string{text});
  return number;
}

farm_wishes read_wishes(int argc, char** argv) {
  auto wishes = farm_wishes{};
  for (auto at = 1; at < argc; at += 2) {
    const auto word = std::string_view{argv[at]};
    if (at + 1 == argc)
      give_up("usage: farm [--hosts N] [--port P] [--control P] [--script HOSTS=MODE]..."
              " [--sample N] [--public-key FILE] [--seconds N]");
    const auto value = std::string_view{argv[at + 1]};
    if (word == "--hosts")
      wishes.options.hosts = static_cast<std::size_t>(number_in(value));
    else if (word == "--port")
      wishes.options.port = static_cast<int>(number_in(value));
    else if (word == "--control")
      wishes.options.control_port = static_cast<int>(number_in(value));
    else if (word == "--sample")
      wishes.options.signature_sample = static_cast<std::uint64_t>(number_in(value));
    else if (word == "--public-key")
      wishes.options.public_key_file = value;
    else if (word == "--seconds")
      wishes.seconds = number_in(value);
    else if (word == "--script")
      wishes.scripts.emplace_back(value);
    else
      give_up("unknown: " + std::string{word});
  }
  return wishes;
}

/// The host that a name speaks of: "h17.test", "h17.graveyard.test".
std::optional<std::size_t> host_named(std::string_view name, std::size_t hosts) {
  const auto label = name.substr(0, name.find('.'));
  if (!name.ends_with(".test") || label.size() < 2 || label.front() != 'h')
    return {};
  auto number = std::size_t{0};
  const auto [end, problem] =
      std::from_chars(label.data() + 1, label.data() + label.size(), number);
  if (problem != std::errc{} || end != label.data() + label.size() || number >= hosts)
    return {};
  return number;
}

/// Every host may have a listener and some connections.
void raise_descriptors() {
  auto limit = rlimit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void apply(farm_server& farm, const std::vector<std::string>& scripts) {
  for (const auto& script : scripts) {
    const auto at = script.find('=');
    if (at == std::string::npos)
      give_up("not HOSTS=MODE: " + script);
    const auto target = "/script?hosts=" + script.substr(0, at) + "&mode=" + script.substr(at + 1);
    auto request = farm_request{};
    request.target = target;
    auto status = 200;
    control_farm(farm, request, status);
    if (status != 200)
      give_up("not a script: " + script);
  }
}

void serve(const farm_wishes& wishes) {
  raise_descriptors();
  auto farm = farm_server{wishes.options};
  apply(farm, wishes.scripts);
  const auto hosts = wishes.options.hosts;
  const auto names = kit::stub_dns{[hosts](const std::string& name, int) -> kit::dns_answer {
    const auto host = host_named(name, hosts);
    if (!host)
      return {.addresses = {}, .code = 3};
    return {.addresses = {address_of_host(*host)}, .ttl = 3'600};
  }};
  std::printf("%s\n", to_json(json_object{{"hosts", hosts},
                                          {"port", farm.port()},
                                          {"control", farm.control_port()},
                                          {"dns", names.server()}})
                          .c_str());
  std::fflush(stdout);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{wishes.seconds};
  farm.run([&farm](const farm_request& request,
                   int& status) { return control_farm(farm, request, status); },
           [end] { return is_stopped != 0 || std::chrono::steady_clock::now() > end; });
}

} // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  for (const auto signal : {SIGTERM, SIGINT})
    std::signal(signal, [](int) { is_stopped = 1; });
  try {
    serve(read_wishes(argc, argv));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
