/// What an engine is started with: a configuration, from a file or built in code.
///
/// A value: copies share nothing that changes. Any thread may read one; only one may change it. One
/// that was moved from can be destroyed and assigned to, nothing else.
#pragma once

#include "trunkline/abi.hpp"
#include "trunkline/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace trunkline {
struct node_options;

inline namespace v0 {

class TRUNKLINE_API options {
public:
  /// Reads a configuration file in TOML, and over it TRUNKLINE_… of the environment. Fails with one
  /// line per problem: file, line, key, what is wrong and what was probably meant. Blocks for the
  /// file.
  static result<options> from_file(std::string_view path);

  /// Begins with every default, for the server of `domain` ("example.org"), which is the D of every
  /// address and URL for ever. The environment is not read. Nothing listens before
  /// `server.listen` is set: such an engine is reached through `engine::handle` and the typed
  /// calls. Fails when `domain` is no name of a host.
  static result<options> for_domain(std::string_view domain);

  /// Sets one key of the configuration, as docs/configuration.md lists them, to the value that
  /// `text` says: set("server.listen", "127.0.0.1:3000"), set("accounts.idle_timeout", "30s"). A
  /// later call wins. Fails on an unknown key (and says which was probably meant) and on a value
  /// of the wrong kind or out of bounds; then nothing changes. What values say together is judged
  /// by `engine::builder::start`.
  result<bool> set(std::string_view key, std::string_view text);

  /// INTERNAL: made by the program from its own flags.
  explicit options(std::shared_ptr<const node_options> values) : values_{std::move(values)} {}

  /// INTERNAL: what the engine reads.
  const std::shared_ptr<const node_options>& shared_values() const { return values_; }

private:
  std::shared_ptr<const node_options> values_;
};

} // namespace v0
} // namespace trunkline
