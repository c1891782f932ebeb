/// How long a connection to PostgreSQL waits for its server.
#pragma once

#include "storage/answer_watch.hpp"

#include <chrono>
#include <memory>

namespace trunkline {

/// Together they let a client be answered within 5 s when the server is frozen: what is under way
/// is ended, what queued up behind it is refused at once.
struct postgres_options {
  std::shared_ptr<answer_watch> watch;          ///< Null: an answer is waited for without a limit.
  std::chrono::milliseconds answer_max{3'500};  ///< For the answer to one statement.
  std::chrono::milliseconds commit_max{1'500};  ///< For the answer to the COMMIT of a batch.
  std::chrono::milliseconds connect_max{2'000}; ///< For the first answer on a new connection.
  /// From the COMMIT of a batch on, for an outcome that was lost with the connection.
  std::chrono::milliseconds outcome_max{4'000};
  /// Every transaction lifts the timeouts of the role: for changes of the schema, and copies.
  bool lifts_timeouts = false;
};

} // namespace trunkline
