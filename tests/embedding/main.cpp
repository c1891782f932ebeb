// Two engines in one process, each on a folder of its own: started, asked, drained.

#include <trunkline/engine.hpp>

#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::string write_configuration(const std::string& folder) {
  const auto file = folder + ".toml";
  std::ofstream{file} << "[server]\ndomain = \"stranger.example\"\nlisten = \"127.0.0.1:0\"\n"
                      << "[admin]\nlisten = \"127.0.0.1:0\"\n"
                      << "[storage]\nfolder = \"" << folder << "\"\n";
  return file;
}

int fail(const std::string& what) {
  std::cerr << "stranger: " << what << '\n';
  return 1;
}

} // namespace

int main(int count, char** arguments) {
  if (count != 2)
    return fail("usage: stranger FOLDER");
  const auto base = std::string{arguments[1]};

  const auto wrong = trunkline::options::from_file(base + "/none.toml");
  if (wrong || wrong.error().message.find("none.toml") == std::string::npos)
    return fail("a missing file is not refused by name");

  auto engines = std::vector<trunkline::engine>{};
  for (const auto* name : {"first", "second"}) {
    const auto values = trunkline::options::from_file(write_configuration(base + "/" + name));
    if (!values)
      return fail(values.error().message);
    const auto began = std::chrono::steady_clock::now();
    auto started = trunkline::engine::builder{*values}.start();
    if (!started)
      return fail(started.error().message);
    if (std::chrono::steady_clock::now() - began > 1s)
      return fail("start() blocks");
    engines.push_back(std::move(*started));
  }
  for (auto& engine : engines)
    if (const auto ready = engine.wait_ready(60s); !ready)
      return fail(ready.error().message);
  if (engines[0].web_url() == engines[1].web_url() || engines[0].admin_url().empty())
    return fail("the engines do not have URLs of their own");

  auto third =
      trunkline::engine::builder{*trunkline::options::from_file(base + "/first.toml")}.start();
  if (!third)
    return fail(third.error().message);
  const auto refused = third->wait_ready(60s);
  if (refused || refused.error().message.find("in use by process") == std::string::npos)
    return fail("a folder has two engines");

  std::cout << "trunkline " << trunkline::version() << " at " << engines[0].web_url() << " and "
            << engines[1].web_url() << '\n';
  for (auto& engine : engines)
    if (!engine.drain(30s) || !engine.drain(30s))
      return fail("drain() leaves something behind");
  return 0;
}
