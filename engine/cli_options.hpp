/// The options of the commands about delivery: hosts, posts, dead letters, the audit.
#pragma once

namespace CLI {
class App;
}

namespace trunkline {

/// Adds the commands; each sets `code` to its exit code when it is called.
void add_delivery_commands(CLI::App& app, int& code);

} // namespace trunkline
