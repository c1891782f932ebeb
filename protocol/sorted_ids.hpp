/// A set of ids as bytes: sorted, each as its distance from the one before, in groups of seven bits
/// (low ones first, the high bit says that more follow). Endpoints of an audience are kept so.
#pragma once

#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Ids that `decode_sorted_ids` reads at most.
inline constexpr std::size_t sorted_ids_max = 1'000'000;

/// Returns the bytes of `ids`; order and doubles do not matter, ids that are not positive are left
/// out.
std::string encode_sorted_ids(std::vector<std::int64_t> ids);

/// Reads what `encode_sorted_ids` writes: rising positive ids. Fails with `errc::malformed` on
/// anything else, a longer form of the same set included.
caf::expected<std::vector<std::int64_t>> decode_sorted_ids(std::string_view bytes);

} // namespace trunkline
