#include "actors/shard_places.hpp"

namespace trunkline {

void shard_places::add(const shard_set& gained) {
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    if (gained[shard])
      here_[shard] = true;
}

void shard_places::remove(const shard_set& left) {
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    if (left[shard])
      here_[shard] = false;
}

shard_set shard_places::all() const {
  auto here = shard_set{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    here[shard] = here_[shard];
  return here;
}

} // namespace trunkline
