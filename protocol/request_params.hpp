/// What a client sent as parameters, whichever way: query, form, multipart or JSON.
///
/// Pure and free of I/O. A path names a parameter: "status", or "poll.options" for
/// `poll[options][]`. Text is UTF-8 without NUL. Each accessor returns an empty optional when the
/// parameter is absent or null, and `errc::invalid`, naming it, when it is there but of another
/// kind. Blank text is absent to `get_bool` and `get_int`: forms send fields that nobody filled in.
#pragma once

#include "protocol/json.hpp"
#include "protocol/multipart.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

class request_params {
public:
  request_params() = default;
  request_params(json_object values, std::vector<uploaded_file> files)
      : values_{std::move(values)}, files_{std::move(files)} {}

  /// Returns the value at `path`, or null; a JSON null is returned as such.
  const json_value* find(std::string_view path) const;

  /// Tells whether the client sent `path` at all, null included.
  bool has(std::string_view path) const { return find(path) != nullptr; }

  /// Accepts text and integers ("7" for 7).
  caf::expected<std::optional<std::string>> get_string(std::string_view path) const;

  /// Accepts true, 1, "1", "t", "true", "on", "yes" and their opposites, in any case.
  caf::expected<std::optional<bool>> get_bool(std::string_view path) const;

  /// Accepts integers and their decimal text.
  caf::expected<std::optional<std::int64_t>> get_int(std::string_view path) const;

  /// Accepts a list of what `get_string` accepts; a single value counts as a list of one.
  caf::expected<std::optional<std::vector<std::string>>> get_strings(std::string_view path) const;

  const json_object& values() const { return values_; }
  const std::vector<uploaded_file>& files() const { return files_; }

private:
  json_object values_;
  std::vector<uploaded_file> files_;
};

/// Reads `query` (without '?') and `body` by its `content_type`; a parameter of the body replaces
/// that of the query. Fails with `errc::malformed` or `errc::too_large`, naming what was wrong: a
/// JSON body must be an object, and a body that is not empty needs a type that is known.
caf::expected<request_params> parse_params(std::string_view query, std::string_view content_type,
                                           std::string_view body);

} // namespace trunkline
