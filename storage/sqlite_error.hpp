/// What SQLite's result codes mean to us.
#pragma once

#include "protocol/errc.hpp"

#include <string>

struct sqlite3;

namespace trunkline {

/// Maps the failure that `connection` reported last. `code` is the extended result code.
caf::error sqlite_failure(sqlite3* connection, int code, const std::string& file);

} // namespace trunkline
