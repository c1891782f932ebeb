/// Who asks: what the bearer token of a request, or its absence, says of its sender.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/scopes.hpp"

#include <string>

namespace trunkline {

struct caller {
  bool known = false;      ///< A valid token came with the request.
  account_id account;      ///< 0: nobody, or an app on its own behalf.
  app_id app;              ///< 0: nobody, or a token made on the command line.
  scope_set scopes;        ///< Granted to the token.
  bool is_program = false; ///< The program around the engine, not a client.
  std::string token;       ///< SHA-256 of the token; "" without one.
  std::string name;        ///< Of an operator: "socket" or "token NAME".
};

} // namespace trunkline
