/// Tells when a connection first met damage, whoever asked it and whatever became of the answer.
#pragma once

#include "storage/database.hpp"

#include <functional>
#include <memory>

namespace trunkline {

/// Called at the first `errc::storage_broken` of a connection, on the thread that uses it.
using damage_watch = std::function<void(const caf::error&)>;

/// Returns a database that does what `inner` does.
std::unique_ptr<database> watched(std::unique_ptr<database> inner, damage_watch on_damage);

} // namespace trunkline
