#include "engine/exit_codes.hpp"

namespace trunkline {

int exit_code_of(errc code) {
  switch (code) {
  case errc::config_invalid:
  case errc::insecure:
    return exit_config;
  case errc::already_running:
    return exit_locked;
  case errc::storage_broken:
  case errc::storage_full:
    return exit_io;
  case errc::unavailable:
  case errc::timed_out:
  case errc::storage_busy:
  case errc::storage_refused:
  case errc::commit_unknown:
    return exit_unavailable;
  case errc::crashed:
    return exit_software;
  default:
    return exit_refused;
  }
}

} // namespace trunkline
