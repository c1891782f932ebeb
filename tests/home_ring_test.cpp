#include "actors/home_ring.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace trunkline;

namespace {

std::vector<home_reference> references(std::int64_t newest, std::int64_t oldest) {
  auto posts = std::vector<home_reference>{};
  for (auto id = newest; id >= oldest; --id)
    posts.push_back({{id}, {}});
  return posts;
}

home_snapshot snapshot(std::vector<home_reference> posts, post_id complete_from = {}) {
  return {.posts = std::move(posts), .complete_from = complete_from};
}

/// What a ring is, said in the plainest way: a map, and the bound below which it says nothing.
struct ring_model {
  std::map<std::int64_t, std::int64_t> posts;
  std::int64_t complete_from = 0;

  void insert(std::int64_t id, std::int64_t boost_of) {
    if (id < complete_from)
      return;
    posts.emplace(id, boost_of);
    if (posts.size() <= home_ring_size)
      return;
    posts.erase(posts.begin());
    complete_from = posts.begin()->first;
  }

  std::vector<home_reference> newest_first() const {
    auto list = std::vector<home_reference>{};
    for (const auto& [id, boost_of] : posts)
      list.push_back({{id}, {boost_of}});
    std::ranges::reverse(list);
    return list;
  }
};

} // namespace

TEST_CASE("a full ring drops its oldest", "[home_ring]") {
  auto ring = home_ring{};
  for (auto id = 1; id <= 405; ++id)
    CHECK(ring.insert({{id}, {}}));
  CHECK(ring.size() == home_ring_size);
  CHECK(ring.newest_first() == references(405, 6));
  CHECK(ring.complete_from() == post_id{6});
  CHECK(ring.newest() == post_id{405});
  CHECK(ring.oldest() == post_id{6});
}

TEST_CASE("a ring takes a late post at its place, and no post twice", "[home_ring]") {
  auto ring = home_ring{};
  for (const auto id : {10, 30, 20, 30, 10})
    ring.insert({{id}, {}});
  CHECK(ring.newest_first() == std::vector<home_reference>{{{30}, {}}, {{20}, {}}, {{10}, {}}});
}

TEST_CASE("a ring refuses what is older than it covers", "[home_ring]") {
  auto ring = home_ring{};
  ring.assign(snapshot(references(500, 101), {101}));
  CHECK_FALSE(ring.insert({{100}, {}}));
  CHECK(ring.remove({300}));
  CHECK_FALSE(ring.insert({{100}, {}}));
  CHECK(ring.size() == 399);
  CHECK(ring.insert({{300}, {}}));
  CHECK(ring.newest_first() == references(500, 101));
}

TEST_CASE("a deleted post takes its boosts along, a hidden one does not", "[home_ring]") {
  auto ring = home_ring{};
  ring.assign(snapshot({{{30}, {10}}, {{20}, {}}, {{10}, {}}}));
  CHECK(ring.remove({10}));
  CHECK(ring.newest_first() == std::vector<home_reference>{{{30}, {10}}, {{20}, {}}});
  CHECK(ring.remove_deleted({10}));
  CHECK_FALSE(ring.remove_deleted({10}));
  CHECK(ring.newest_first() == std::vector<home_reference>{{{20}, {}}});
}

TEST_CASE("a ring is what its model is after any changes", "[home_ring]") {
  const auto seed = GENERATE(range(0, 20));
  CAPTURE(seed);
  auto random = std::mt19937{static_cast<unsigned>(seed)};
  auto ring = home_ring{};
  auto model = ring_model{};
  for (auto step = 0; step < 3'000; ++step) {
    // Mostly new ids, a little out of order, as nodes and writers give them.
    const auto id = std::max<std::int64_t>(1, step * 2 - static_cast<int>(random() % 40));
    const auto boost_of = random() % 8 == 0 ? std::max<std::int64_t>(id - 50, 0) : 0;
    if (random() % 20 == 0) {
      const auto gone = std::max<std::int64_t>(1, id - static_cast<int>(random() % 900));
      ring.remove_deleted({gone});
      std::erase_if(model.posts,
                    [&](auto& post) { return post.first == gone || post.second == gone; });
    }
    ring.insert({{id}, {boost_of}});
    model.insert(id, boost_of);
  }
  CHECK(ring.newest_first() == model.newest_first());
  CHECK(ring.complete_from().value == model.complete_from);
}
