/// Checksums of the pages of a SQLite database, so that a page that was damaged on the disk is
/// refused instead of served: SQLite checks only its write-ahead log.
///
/// Each page ends in eight bytes that SQLite leaves alone: a checksum over the rest of the page and
/// its number, set when the page is written to the database file and compared when it is read from
/// there. Zero means that there is none: a copy made by other programs may hold such pages. A
/// program that changes pages without this file system leaves checksums that do not fit, and the
/// pages are refused; `VACUUM INTO` with such a program makes a copy that is accepted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trunkline {

/// Bytes at the end of each page that are kept for the checksum.
inline constexpr int page_checksum_bytes = 8;

/// Returns the checksum of page `number` with the content `page` (without the last eight bytes);
/// never 0. Every changed bit is noticed, but for the counters in the header on page 1.
std::uint64_t page_checksum(std::string_view page, std::uint64_t number);

/// Returns the name of SQLite's file system (VFS) that does it, for `sqlite3_open_v2`. Registers it
/// at the first call; what it does beside the checksums is done by SQLite's default one.
const char* checksummed_files();

} // namespace trunkline
