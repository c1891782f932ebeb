#include "actors/domain_blocks.hpp"

#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

/// Runs a change in a transaction and appends its rows to the log.
template <class T>
caf::expected<T> change(federated_world& here, const command<T>& wanted) {
  auto result = caf::expected<T>{T{}};
  auto writer = here.storage.open_writer();
  must(writer->commit_batch(must(here.ids->next()), here.actors.now(), std::nullopt,
                            [&](database& db) -> caf::expected<std::vector<log_draft>> {
                              auto log = std::vector<log_draft>{};
                              auto context = write_context{db, log, here.actors.now()};
                              result = wanted.run(context);
                              return log;
                            }));
  return result;
}

} // namespace

TEST_CASE("a domain that the server blocks loses all follows, both ways, in rounds",
          "[domain_blocks][I6]") {
  with_federation([](federated_world& here) {
    auto writer = here.storage.open_writer();
    for (auto id = std::int64_t{1000}; id < 1000 + domain_round; ++id) {
      add_remote(*writer, {{id}, "f" + std::to_string(id), "sub.far.example"});
      must(store_follow(*writer, {{id}, alice}, {}, true, "f" + std::to_string(id), {}));
    }
    must(store_follow(*writer, {bob, ann}, {}, true, "g", {}));
    must(store_follow(*writer, {carol, ann}, {}, false, "h", {}));
    here.follow_from_afar(lone, alice);
    const auto block = [&](domain_severity severity) {
      return change(here, block_domain_for_all({.host = "FAR.example", .severity = severity}));
    };
    CHECK(code(change(here, block_domain_for_all({.host = "no host"}))) == errc::invalid);
    CHECK_FALSE(must(block(domain_severity::silence)));
    CHECK(here.count("follow") == domain_round + 3);
    CHECK(must(block(domain_severity::suspend)));
    CHECK_FALSE(must(block(domain_severity::suspend)));
    CHECK(here.all("SELECT follower, followee FROM follow") == lines{"22|7"});
    CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"1"});
    const auto rows = here.sent();
    CHECK(rows.size() == static_cast<std::size_t>(domain_round) + 4);
    for (const auto& row : rows) {
      CHECK(row.body.is_null());
      CHECK(row.extra.empty());
    }
    CHECK(here.log("kind, author, object_key").back() == "11|9|f/9/20");
    CHECK(must(change(here, unblock_domain_for_all("far.example"))));
    CHECK_FALSE(must(change(here, unblock_domain_for_all("far.example"))));
    CHECK(here.last().kind == log_kind::undo_domain_block);
    CHECK(here.count("domain_block") == 0);
  });
}
