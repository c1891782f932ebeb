/// Questions and changes of webhooks, for `ask_storage`.
#pragma once

#include "actors/tasks.hpp"
#include "actors/webhook_body.hpp"
#include "storage/webhook_store.hpp"

#include <caf/unit.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// Enters the webhook as present; answers its marks.
command<webhook_marks> do_enter_webhook(webhook_entry entry);

/// Moves the marks of the webhook `name` on.
command<caf::unit_t> do_save_webhook_marks(std::string name, webhook_marks marks);

/// Lets the outbox wait for no webhook but `present`.
command<caf::unit_t> do_leave_webhooks(std::vector<std::string> present);

/// A message, and what has been taken once it is.
struct marked_message {
  webhook_message message;
  webhook_marks after;
};

struct webhook_wish {
  webhook_marks after;
  std::size_t rows_max = 0; ///< Of the log, and as many of the outbox; at most `event_rows_max`.
  event_kinds kinds;
  url_space urls;
  std::string source; ///< As `webhook_source` makes it.
};

struct webhook_page {
  std::vector<marked_message> messages; ///< Those of the log in its order, the others between them
                                        ///< by time.
  webhook_marks upto;                   ///< Once all are taken.
  std::int64_t lost = 0;                ///< Rows that were purged before they were read.
};

query<webhook_page> ask_webhook_page(webhook_wish wish);

} // namespace trunkline
