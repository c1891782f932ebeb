#include "protocol/query_string.hpp"

#include "protocol/errc.hpp"
#include "protocol/utf8.hpp"

namespace trunkline {

namespace {

/// Returns the value of a hexadecimal digit, or -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

/// Decodes one name or value; nothing unless it is text without NUL.
std::optional<std::string> decode_text(std::string_view text) {
  auto decoded = decode_percent(text, plus_sign::is_space);
  if (decoded && (!is_utf8(*decoded) || decoded->find('\0') != std::string::npos))
    return std::nullopt;
  return decoded;
}

} // namespace

caf::expected<std::vector<form_pair>> parse_query_string(std::string_view text) {
  std::vector<form_pair> pairs;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    if (piece.empty())
      continue;
    if (pairs.size() == form_pairs_max)
      return make_error(errc::too_large, "form_pairs_max: more than 1000 parameters");
    const auto equals = piece.find('=');
    auto name = decode_text(piece.substr(0, equals));
    auto value = decode_text(equals == std::string_view::npos ? std::string_view{}
                                                              : piece.substr(equals + 1));
    if (!name)
      return make_error(errc::malformed, "parameter name: broken escape, NUL or no UTF-8");
    if (!value)
      return make_error(errc::malformed, *name + ": broken escape, NUL or no UTF-8");
    pairs.push_back({std::move(*name), std::move(*value)});
  }
  return pairs;
}

std::optional<std::string> decode_percent(std::string_view text, plus_sign plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == plus_sign::is_space) {
      decoded += ' ';
      continue;
    }
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3)
      return std::nullopt;
    const auto high = hex_value(text[i + 1]);
    const auto low = hex_value(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string encode_percent(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

} // namespace trunkline
