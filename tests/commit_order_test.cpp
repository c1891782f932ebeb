#include "storage/log_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <atomic>
#include <map>
#include <random>
#include <thread>

using namespace trunkline;
using kit::must;

namespace {

constexpr auto writers_count = 32;
constexpr auto readers_count = 4;
constexpr auto batches_each = 12;

/// What one writer was told: the number of each row, by the row's object.
struct writer_story {
  std::map<std::int64_t, log_seq> rows;
  std::string failure;
};

struct reader_story {
  std::vector<log_entry> rows;
  std::string failure;
};

caf::expected<commit_receipt> commit_once(database& db, std::int64_t batch,
                                          const std::vector<log_draft>& drafts) {
  return db.commit_batch(batch, {}, {}, [&](database&) { return drafts; });
}

void write(database& db, int writer, writer_story& story) {
  auto random = std::minstd_rand{static_cast<unsigned>(writer)};
  for (auto batch = 0; batch < batches_each; ++batch) {
    const auto name = std::int64_t{writer} * 1'000'000 + batch * 1'000;
    auto drafts = std::vector<log_draft>{};
    for (auto row = 0u; row <= random() % 4; ++row)
      drafts.push_back(
          {.author = account_id{writer + 1}, .object = {object_kind::post, 0, name + row + 1}});
    auto receipt = commit_once(db, name + 1, drafts);
    while (!receipt && code_of(receipt.error()) == errc::storage_busy) // SQLite's lock is not fair
      receipt = commit_once(db, name + 1, drafts);
    if (!receipt) {
      story.failure = context_of(receipt.error());
      return;
    }
    for (auto row = std::size_t{0}; row < drafts.size(); ++row)
      story.rows[drafts[row].object.target] = receipt->first + static_cast<log_seq>(row);
  }
}

/// Polls as a log reader does: what comes after the last row seen, until `total` is reached.
void follow(database& db, const std::atomic<log_seq>& total, reader_story& story) {
  for (auto last = log_seq{0}; total < 0 || last < total;) {
    auto rows = read_log(db, last, 7);
    if (!rows) {
      story.failure = context_of(rows.error());
      return;
    }
    for (auto& row : *rows)
      story.rows.push_back(std::move(row));
    if (!story.rows.empty())
      last = story.rows.back().seq;
  }
}

struct outcome {
  std::vector<writer_story> writers{writers_count};
  std::vector<reader_story> readers{readers_count};
  std::vector<log_entry> log;
};

outcome run_all(kit::test_database& fresh) {
  auto result = outcome{};
  auto total = std::atomic<log_seq>{-1};
  auto connections = std::vector<std::unique_ptr<database>>{};
  auto readers = std::vector<std::thread>{};
  auto writers = std::vector<std::thread>{};
  for (auto& story : result.readers) {
    connections.push_back(fresh.connect_reader());
    readers.emplace_back([&, db = connections.back().get()] { follow(*db, total, story); });
  }
  for (auto writer = 0; writer < writers_count; ++writer) {
    connections.push_back(fresh.connect());
    writers.emplace_back([&, writer, db = connections.back().get()] {
      write(*db, writer, result.writers[static_cast<std::size_t>(writer)]);
    });
  }
  for (auto& thread : writers)
    thread.join();
  total = must(newest_seq(fresh.db()));
  for (auto& thread : readers)
    thread.join();
  result.log = must(read_log(fresh.db(), 0, 1'000'000));
  return result;
}

std::vector<std::pair<log_seq, object_key>> order_of(const std::vector<log_entry>& rows) {
  auto order = std::vector<std::pair<log_seq, object_key>>{};
  for (const auto& row : rows)
    order.emplace_back(row.seq, row.object);
  return order;
}

} // namespace

TEST_CASE("32 writers and readers that poll: none skipped, none doubled, one order",
          "[log][commit]") {
  kit::on_both([](kit::test_database& fresh) {
    const auto result = run_all(fresh);
    const auto order = order_of(result.log);
    auto told = std::map<log_seq, object_key>{};
    for (const auto& writer : result.writers) {
      CHECK(writer.failure.empty());
      for (const auto& [object, seq] : writer.rows)
        told.emplace(seq, object_key{object_kind::post, 0, object});
    }
    REQUIRE(order.size() >= std::size_t{writers_count} * batches_each);
    for (auto at = std::size_t{0}; at < order.size(); ++at)
      REQUIRE(order[at].first == static_cast<log_seq>(at) + 1);
    CHECK(order == std::vector<std::pair<log_seq, object_key>>(told.begin(), told.end()));
    for (const auto& reader : result.readers) {
      CHECK(reader.failure.empty());
      CHECK(order_of(reader.rows) == order);
    }
  });
}
