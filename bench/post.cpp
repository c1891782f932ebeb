/// Durable posts per second, beside what the database alone can do:
/// `post [--json] [--seconds N] [--folder DIR] [sqlite|postgres]`.
///
/// The folder (the system's temporary one) decides what a sync costs: it must be on the disk that
/// is meant. The ratio to the bare loop is of this run; the loop commits batches of the mean size
/// that the actors' writer made.
#include "bench/account_load.hpp"
#include "bench/bare_loop.hpp"
#include "bench/http_load.hpp"
#include "bench/sample_post.hpp"
#include "bench/stage_costs.hpp"
#include "engine/node.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres_database.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/temp_folder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>

using namespace trunkline;
using namespace trunkline::bench;

namespace {

constexpr std::size_t accounts_max = 256;
const std::vector<std::size_t> poster_counts{1, 16, 64, 256};

struct bench_options {
  bool as_json = false;
  std::chrono::seconds span{3};
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::string only; ///< A database's name, or "".
};

time_point system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

template <class T>
T must(caf::expected<T> result) {
  if (!result)
    throw std::runtime_error{context_of(result.error())};
  return std::move(*result);
}

/// One database with a node's folder beside it.
class bench_site {
public:
  bench_site(const bench_options& options, std::string name)
      : name_{std::move(name)}, folder_{options.folder} {
    if (name_ == "postgres")
      server_.emplace(std::vector<std::string>{"max_connections=50"}, options.folder);
    auto file = std::ofstream{folder_ / "trunkline.toml"};
    file << "[server]\ndomain = \"" << bench_domain << "\"\nlisten = \"127.0.0.1:0\"\n"
         << "url = \"http://127.0.0.1\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[storage]\nfolder = \""
         << folder_.path().string() << "\"\n";
    if (server_) {
      std::ofstream{folder_ / "url"} << server_->connection_string() << '\n';
      file << "postgres_url_file = \"" << (folder_ / "url").string() << "\"\n";
    }
    file << "[test]\nenabled = true\n"; // or the limit per account would be measured
    file.close();
    options_->config = must(load_config(
        {.file = (folder_ / "trunkline.toml").string(), .environment = {}, .flags = {}}));
    auto databases = open();
    accounts = make_accounts(*databases.writer, *databases.ids, accounts_max);
  }

  const std::string& name() const { return name_; }
  std::shared_ptr<const node_options> options() const { return options_; }
  node_databases open() const { return must(open_databases(*options_, system_now)); }

  load_figures bare(const bare_load& load) {
    const auto number = std::to_string(++bare_runs_);
    if (!server_)
      return bare_sqlite(folder_ / "trunkline.db", folder_ / ("bare" + number + ".db"), load);
    const auto made =
        must(open_postgres(server_->connection_string()))->run("CREATE DATABASE bare" + number);
    if (!made)
      throw std::runtime_error{context_of(made.error())};
    const auto connection = server_->connection_string("bare" + number);
    if (auto failure = migrate(*must(open_postgres(connection))))
      throw std::runtime_error{context_of(failure)};
    return bare_postgres(connection, load);
  }

  std::vector<account_id> accounts;

private:
  const std::string name_;
  kit::temp_folder folder_;
  std::optional<kit::postgres_server> server_;
  std::shared_ptr<node_options> options_ = std::make_shared<node_options>();
  int bare_runs_ = 0;
};

/// What was measured of the account actor: for the other paths to be held against.
struct account_result {
  double bare_per_second = 0;
  double cpu_micros = 0; ///< Of one post.
};

std::size_t batch_of(const load_figures& figures) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(figures.batch_mean)));
}

double cpu_micros_of(const load_figures& figures) {
  return figures.per_core_second() > 0 ? 1e6 / figures.per_core_second() : 0;
}

/// The account actor and the bare loop, for each number of posters; the last batch size.
std::vector<account_result> measure_accounts(bench_site& site, const bench_options& options,
                                             report& out, std::size_t& batch) {
  std::vector<account_result> results;
  actor_home home{*site.options()};
  node_actors actors{
      home, *site.options(), site.open(), system_now, {.lost = [](const caf::error& failure) {
        std::cerr << "the node is lost: " << context_of(failure) << '\n';
        std::_Exit(1);
      }}};
  for (const auto posters : poster_counts) {
    auto figures = post_through_accounts(actors, site.accounts, posters, options.span);
    figures.database = site.name();
    batch = batch_of(figures);
    auto bare = site.bare({.batch = batch, .authors = posters, .span = options.span});
    results.push_back({bare.per_second(), cpu_micros_of(figures)});
    out.add(figures, bare.per_second());
    out.add(bare, 0);
  }
  return results;
}

void measure_http(bench_site& site, const bench_options& options, report& out,
                  const std::vector<account_result>& accounts, stage_costs& stages) {
  node served{site.options()};
  if (auto failure = served.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error{context_of(failure)};
  const auto url = served.web_url();
  std::uint16_t port = 0;
  const auto* digits = url.data() + url.rfind(':') + 1;
  std::from_chars(digits, url.data() + url.size(), port);
  for (std::size_t i = 0; i < poster_counts.size(); ++i) {
    auto figures = post_through_http(port, poster_counts[i], options.span);
    figures.database = site.name();
    if (i + 1 == poster_counts.size()) {
      stages.emplace_back("CPU of a post through the account actor", accounts[i].cpu_micros);
      stages.emplace_back("CPU of a post through HTTP, client left out", cpu_micros_of(figures));
    }
    out.add(figures, accounts[i].bare_per_second);
  }
}

void measure(const bench_options& options, report& out, const std::string& database) {
  bench_site site{options, database};
  std::size_t batch = 1;
  const auto accounts = measure_accounts(site, options, out, batch);
  stage_costs stages;
  {
    auto databases = site.open();
    stages = measure_stages(databases, site.accounts, batch, options.span);
  }
  measure_http(site, options, out, accounts, stages);
  out.add(database, stages);
}

std::optional<bench_options> parse(int argc, char** argv) {
  bench_options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view next = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--json") {
      options.as_json = true;
    } else if (word == "--seconds" && !next.empty()) {
      auto seconds = 0;
      std::from_chars(next.data(), next.data() + next.size(), seconds);
      if (seconds < 1)
        return std::nullopt;
      options.span = std::chrono::seconds{seconds};
      ++i;
    } else if (word == "--folder" && !next.empty()) {
      options.folder = next;
      ++i;
    } else if (word == "sqlite" || word == "postgres") {
      options.only = word;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

} // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options) {
    std::cerr << "usage: post [--json] [--seconds N] [--folder DIR] [sqlite|postgres]\n";
    return 64;
  }
  try {
    report out{options->as_json};
    for (const std::string database : {"sqlite", "postgres"})
      if (options->only.empty() || options->only == database)
        measure(*options, out, database);
  } catch (const std::exception& problem) {
    std::cerr << "post: " << problem.what() << '\n';
    return 1;
  }
}
