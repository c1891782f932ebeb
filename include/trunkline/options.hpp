/// What an engine is started with: a checked configuration.
///
/// A value: copies share nothing that changes. Any thread.
#pragma once

#include "trunkline/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace trunkline {

struct node_options;

class options {
public:
  /// Reads a configuration file in TOML, and over it TRUNKLINE_… of the environment. Fails with one
  /// line per problem: file, line, key, what is wrong and what was probably meant.
  static result<options> from_file(std::string_view path);

  /// INTERNAL: made by the program from its own flags.
  explicit options(std::shared_ptr<const node_options> values) : values_{std::move(values)} {}

  /// INTERNAL: what the engine reads.
  const std::shared_ptr<const node_options>& shared_values() const { return values_; }

private:
  std::shared_ptr<const node_options> values_;
};

} // namespace trunkline
