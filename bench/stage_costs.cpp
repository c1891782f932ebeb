#include "bench/stage_costs.hpp"

#include "actors/account_changes.hpp"
#include "bench/sample_post.hpp"

#include <memory>
#include <stdexcept>

namespace trunkline::bench {

namespace {

using std::chrono::steady_clock;

double micros_per(steady_clock::duration time, std::size_t posts) {
  return std::chrono::duration<double, std::micro>(time).count() / static_cast<double>(posts);
}

checked_draft checked_sample() {
  auto checked = check_draft({.text = std::string{sample_text}, .language = "en"},
                             urls_of(std::string{bench_domain}));
  if (!checked)
    throw std::runtime_error{context_of(checked.error())};
  return std::move(*checked);
}

double cost_of_checking() {
  constexpr std::size_t times = 20'000;
  const auto begin = steady_clock::now();
  for (std::size_t i = 0; i < times; ++i)
    if (checked_sample().html.empty())
      throw std::runtime_error{"the sample has no HTML"};
  return micros_per(steady_clock::now() - begin, times);
}

time_point now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace

stage_costs measure_stages(node_databases& databases, const std::vector<account_id>& accounts,
                           std::size_t batch, std::chrono::seconds span) {
  std::vector<std::unique_ptr<acting_account>> acting;
  for (std::size_t i = 0; i < batch; ++i)
    acting.push_back(
        std::make_unique<acting_account>(accounts[i % accounts.size()], std::string{bench_domain},
                                         urls_of(std::string{bench_domain}), databases.ids));
  const auto draft = checked_sample();
  steady_clock::duration in_units{};
  steady_clock::duration in_all{};
  std::size_t posts = 0;
  const auto body = [&](database& open) -> caf::expected<std::vector<log_draft>> {
    const auto begin = steady_clock::now();
    std::vector<log_draft> rows;
    write_context context{open, rows, now()};
    for (auto& account : acting)
      if (auto failure = open.transact([&](database&) -> caf::error {
            const auto made = account->publish(context, draft, {});
            return made ? caf::error{} : made.error();
          }))
        return failure;
    in_units += steady_clock::now() - begin;
    return rows;
  };
  const auto end = steady_clock::now() + span;
  while (steady_clock::now() < end) {
    const auto id = databases.ids->next();
    const auto begin = steady_clock::now();
    const auto done = databases.writer->commit_batch(id ? *id : 0, now(), std::nullopt, body);
    in_all += steady_clock::now() - begin;
    if (!done)
      throw std::runtime_error{context_of(done.error())};
    posts += batch;
  }
  const auto of_batch = " (batch of " + std::to_string(batch) + ")";
  return {{"check and render the text", cost_of_checking()},
          {"its rows in a savepoint" + of_batch, micros_per(in_units, posts)},
          {"log rows, commit, sync" + of_batch, micros_per(in_all - in_units, posts)}};
}

} // namespace trunkline::bench
