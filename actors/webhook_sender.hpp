/// The sender of one webhook: events of the log and the outbox -> its receiver, in order, one
/// request at a time, at least once.
///
/// It reads a batch after its mark, and goes on in it after a 2xx alone. Whatever else comes of a
/// request, the same message is sent again after 5 s, then after twice as long each time, at most
/// an hour, or as long as the receiver asks for within that. The mark is written at most once a
/// second, and by `close_webhook`: after a kill what was sent since comes again, with the same ids.
/// It holds one batch, and nobody waits for it.
#pragma once

#include "actors/log_position.hpp"
#include "actors/queries_webhooks.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"
#include "actors/webhook_messages.hpp"
#include "actors/webhook_outbox.hpp"
#include "actors/webhook_status.hpp"
#include "net/http_exchange.hpp"
#include "protocol/time.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

struct webhook_sender_options {
  std::size_t rows_max = 64; ///< Of the log in one batch, and as many of the outbox.
  std::chrono::milliseconds tick{500};
  std::chrono::milliseconds mark_interval{1'000};
  std::chrono::seconds wait_min{5}; ///< After the first failure.
  std::chrono::seconds wait_max{3'600};
  std::chrono::seconds answer_limit{60};      ///< Past it an answer is waited for no longer.
  std::size_t response_bytes_max = 1'048'576; ///< What the receiver answers is not looked at.
};

struct webhook_target {
  std::string name;
  std::string url;
  std::string secret;
  event_kinds kinds;
};

/// What a sender works with. Nothing may block.
struct webhook_sender_dependencies {
  storage_handles storage;
  std::shared_ptr<http_sender> sender;
  std::shared_ptr<const log_position> position;
  std::shared_ptr<const webhook_outbox> outbox; ///< Null unless some webhook wants what it has.
  std::shared_ptr<webhook_status> status;
  wall_clock clock;
  url_space urls;
  std::string source;                   ///< As `webhook_source` makes it.
  std::function<void(std::string)> log; ///< One line per change of state; may be empty.
};

class webhook_sender_state {
public:
  explicit webhook_sender_state(webhook_sender_handle::pointer self) : self_{self} {}
  ~webhook_sender_state();

  webhook_sender_handle::behavior_type make_behavior(webhook_target target,
                                                     webhook_sender_dependencies dependencies,
                                                     webhook_sender_options options);

private:
  using steady_time = std::chrono::steady_clock::time_point;
  using closing_reply = caf::typed_response_promise<caf::unit_t>;

  void tick();
  void enter();
  void begin(const webhook_marks& marks);
  void pump();
  bool may_be_more() const;
  void read();
  void take(webhook_page page);
  void send();
  void answered(const webhook_answered& news);
  void accepted();
  void refused(const std::string& reason, std::chrono::microseconds wish);
  void show_front();
  void save();
  void saved(const webhook_marks& marks, const caf::error& failure);
  caf::result<void> close();
  bool is_written() const { return !entered_ || marks_ == written_; }
  steady_time now() const;
  void log(const std::string& line) const;
  void note_storage(const caf::error& failure);

  webhook_sender_handle::pointer self_;
  webhook_target target_;
  webhook_sender_dependencies has_;
  webhook_sender_options options_;
  bool entering_ = false;
  bool entered_ = false; ///< Its marks are known.
  bool reading_ = false;
  bool in_trouble_ = false; ///< The last question was not answered.
  bool is_unsure_ = true;   ///< There may be rows that nobody told of.
  bool closing_ = false;    ///< Nothing is sent any more.
  std::deque<marked_message> batch_;
  webhook_marks marks_;   ///< Everything up to here was taken.
  webhook_marks read_;    ///< Everything up to here is in the batch, or was.
  webhook_marks written_; ///< As the database has them.
  std::uint64_t attempt_ = 0;
  bool in_flight_ = false;
  steady_time sent_at_;
  std::uint64_t failures_ = 0; ///< Of the message at the front, in a row.
  steady_time not_before_;
  bool saving_ = false;
  steady_time saved_at_;
  std::vector<closing_reply> replies_;
};

webhook_sender_handle::behavior_type
webhook_sender(watched_pointer<webhook_sender_handle, webhook_sender_state> self,
               webhook_target target, webhook_sender_dependencies dependencies,
               webhook_sender_options options);

} // namespace trunkline
