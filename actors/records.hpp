/// INTERNAL: what records that travel between nodes are made of, and how one is written and read.
///
/// A record has two functions beside it, in this namespace: `carry(archive, record)`, a template
/// for both directions that names its members in order, and `check(record)`, which throws through
/// `check_record` where a value is none that is ever written.
#pragma once

#include "actors/record_archive.hpp"
#include "protocol/errc.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace trunkline {

inline void save(record_writer& to, const time_point& at) {
  to(std::int64_t{at.time_since_epoch().count()});
}

inline void load(record_reader& from, time_point& at) {
  auto count = std::int64_t{0};
  from(count);
  at = time_point{time_point::duration{count}};
}

template <class Id>
requires requires(Id id) {
  id.value;
}
void save(record_writer& to, const Id& id) {
  to(id.value);
}

template <class Id>
requires requires(Id id) {
  id.value;
}
void load(record_reader& from, Id& id) {
  from(id.value);
}

template <class T>
void save(record_writer& to, const std::optional<T>& value) {
  to(value.has_value());
  if (value)
    to(*value);
}

template <class T>
void load(record_reader& from, std::optional<T>& value) {
  auto has_value = false;
  from(has_value);
  value.reset();
  if (has_value)
    from(value.emplace());
}

/// Lists grow as they are read: what a vector of them takes is many times its shortest bytes.
template <class T>
void save(record_writer& to, const std::vector<T>& list) {
  to(static_cast<std::uint32_t>(list.size()));
  for (const auto& each : list)
    to(each);
}

template <class T>
void load(record_reader& from, std::vector<T>& list) {
  auto count = std::uint32_t{0};
  from(count);
  for (list.clear(); list.size() < count;)
    from(list.emplace_back());
}

template <class First, class Second>
void save(record_writer& to, const std::pair<First, Second>& pair) {
  to(pair.first, pair.second);
}

template <class First, class Second>
void load(record_reader& from, std::pair<First, Second>& pair) {
  from(pair.first, pair.second);
}

template <class T, std::size_t size>
void save(record_writer& to, const std::array<T, size>& list) {
  for (const auto& each : list)
    to(each);
}

template <class T, std::size_t size>
void load(record_reader& from, std::array<T, size>& list) {
  for (auto& each : list)
    from(each);
}

// A record inside another one.

template <class Record>
requires requires(record_writer& to, const Record& record) {
  carry(to, record);
}
void save(record_writer& to, const Record& record) {
  carry(to, record);
}

template <class Record>
requires requires(record_reader& from, Record& record) {
  carry(from, record);
}
void load(record_reader& from, Record& record) {
  carry(from, record);
  check(record);
}

/// What a record is made of is named once, for both directions.
template <class Given, class Record>
concept is_record = std::same_as<std::remove_const_t<Given>, Record>;

inline void check_record(bool holds, const char* words) {
  if (!holds)
    throw std::out_of_range{words};
}

template <class Record>
std::string write_record(const Record& record) {
  auto bytes = std::string{};
  auto to = record_writer{bytes};
  carry(to, record);
  return bytes;
}

template <class Record>
Record read_record(record_reader& from) {
  auto record = Record{};
  carry(from, record);
  check(record);
  return record;
}

/// Calls `read` with a reader of all the bytes, which it must take to their end. Fails with
/// `errc::malformed`; `what` names the record.
template <class Read>
auto decode_record(std::string_view bytes, std::string_view what, Read read)
    -> caf::expected<decltype(read(std::declval<record_reader&>()))> {
  try {
    auto from = record_reader{bytes};
    auto record = read(from);
    if (from.is_empty())
      return record;
    return make_error(errc::malformed, std::string{what} + " of a node: too long");
  } catch (const std::exception& problem) {
    return make_error(errc::malformed, std::string{what} + " of a node: " + problem.what());
  }
}

} // namespace trunkline
