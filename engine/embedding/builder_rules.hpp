/// What the arguments of `engine::builder` must obey, alone and together with those before.
///
/// Pure; any thread.
#pragma once

#include "engine/embedding/node_extensions.hpp"
#include "trunkline/result.hpp"

#include <cstddef>
#include <optional>

namespace trunkline {

inline constexpr std::size_t filters_max = 64;
inline constexpr std::size_t hooks_max = 16;
inline constexpr std::size_t hook_queue_max = 65'536;
inline constexpr std::size_t webhooks_max = 16;
inline constexpr std::size_t routes_max = 256;
inline constexpr std::size_t route_pattern_bytes_max = 1'024;
inline constexpr std::size_t seat_name_bytes_max = 64; ///< Of a filter or webhook.

// Each returns why what is to be added cannot stand beside what is there, or nothing.
std::optional<failure> find_problem(const node_extensions& there, const filter_seat& one);
std::optional<failure> find_problem(const node_extensions& there, const hook_seat& one);
std::optional<failure> find_problem(const node_extensions& there, const webhook& one);
std::optional<failure> find_problem(const node_extensions& there, const route_seat& one);

} // namespace trunkline
