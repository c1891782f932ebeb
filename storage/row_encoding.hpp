/// Rows as bytes: the same bytes for the same values, whichever database they were read from.
#pragma once

#include "storage/database.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// Returns each value as a letter for its type and, unless it is NULL, its content: a number as
/// 8 bytes from the high one, text and bytes with their length, written likewise, before them.
std::string encode_row(const sql_row& row);

/// Reads what `encode_row` gave. Fails with `errc::malformed` on anything else.
caf::expected<sql_row> decode_row(std::string_view bytes);

/// A digest over rows in their order: each step is SHA-256 over the digest so far and the row, so
/// that it can be kept and gone on with.
class row_digest {
public:
  row_digest() = default; ///< Of no rows.
  explicit row_digest(std::string bytes) : bytes_{std::move(bytes)} {}

  void add(const sql_row& row);

  /// 32 bytes; none as long as there was no row.
  const std::string& bytes() const { return bytes_; }

  friend bool operator==(const row_digest&, const row_digest&) = default;

private:
  std::string bytes_;
};

} // namespace trunkline
