/// INTERNAL: the archive of what travels between nodes, for cereal: numbers little-endian,
/// everything else by its length and its bytes. A reader fails on what is too short, and reserves
/// no more than it was given.
#pragma once

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace trunkline {

/// Writes little-endian bytes into a text.
class record_writer : public cereal::OutputArchive<record_writer> {
public:
  explicit record_writer(std::string& to) : OutputArchive{this}, to_{to} {}

  template <std::integral Number>
  void write(Number number) {
    auto rest = static_cast<std::make_unsigned_t<Number>>(number);
    for (auto i = std::size_t{0}; i < sizeof(Number); ++i) {
      to_ += static_cast<char>(rest & 0xff);
      rest = static_cast<decltype(rest)>(static_cast<std::uint64_t>(rest) >> 8);
    }
  }

  void write_bytes(const void* from, std::size_t size) {
    to_.append(static_cast<const char*>(from), size);
  }

private:
  std::string& to_;
};

/// Reads them again; throws when they end too early.
class record_reader : public cereal::InputArchive<record_reader> {
public:
  explicit record_reader(std::string_view from) : InputArchive{this}, rest_{from} {}

  template <std::integral Number>
  Number read() {
    const auto bytes = take(sizeof(Number));
    auto number = std::uint64_t{0};
    for (auto i = sizeof(Number); i-- > 0;)
      number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<Number>(number);
  }

  void read_bytes(void* to, std::size_t size) {
    const auto bytes = take(size);
    bytes.copy(static_cast<char*>(to), size);
  }

  /// A container is made before it is filled: no longer than what is left can fill it.
  std::uint64_t read_size() {
    const auto size = read<std::uint64_t>();
    if (size > rest_.size())
      throw std::out_of_range{"a length beyond the end"};
    return size;
  }

  bool is_empty() const { return rest_.empty(); }

private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size())
      throw std::out_of_range{"too short"};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

} // namespace trunkline

// With it cereal knows how enumerations are written: as their numbers.
CEREAL_SETUP_ARCHIVE_TRAITS(trunkline::record_reader, trunkline::record_writer)

namespace trunkline {

template <std::integral Number>
void CEREAL_SAVE_FUNCTION_NAME(record_writer& to, const Number& number) {
  to.write(
      static_cast<std::conditional_t<std::is_same_v<Number, bool>, std::uint8_t, Number>>(number));
}

template <std::integral Number>
void CEREAL_LOAD_FUNCTION_NAME(record_reader& from, Number& number) {
  using wire = std::conditional_t<std::is_same_v<Number, bool>, std::uint8_t, Number>;
  number = static_cast<Number>(from.read<wire>());
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(record_writer& to, const cereal::SizeTag<T>& tag) {
  to.write(static_cast<std::uint64_t>(tag.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(record_reader& from, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::size_t>(from.read_size());
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(record_writer& to, const cereal::BinaryData<T>& data) {
  to.write_bytes(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(record_reader& from, cereal::BinaryData<T>& data) {
  from.read_bytes(data.data, static_cast<std::size_t>(data.size));
}

} // namespace trunkline
