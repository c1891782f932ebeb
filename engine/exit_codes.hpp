/// Exit codes of the program: those of sysexits.h, so that a service manager can tell them apart.
#pragma once

#include "protocol/errc.hpp"

namespace trunkline {

inline constexpr int exit_usage = 64;       ///< The command line is wrong.
inline constexpr int exit_refused = 65;     ///< The node understood, and refused.
inline constexpr int exit_unavailable = 69; ///< No node answers, a database is away, a port taken.
inline constexpr int exit_software = 70;    ///< A bug.
inline constexpr int exit_io = 74;          ///< Storage failed; the node ended itself.
inline constexpr int exit_locked = 75;      ///< Another process holds the folder.
inline constexpr int exit_config = 78;      ///< The configuration is refused.

/// Returns the exit code for `code`.
int exit_code_of(errc code);

} // namespace trunkline
