/// The webhooks of a node: those of the program that embeds it, and the one of the configuration.
///
/// One thread, with an HTTP client of its own, so that no delivery waits for a receiver; in a
/// virtual world, or with the embedder's transport, requests go there and there is no thread.
#pragma once

#include "actors/event_hub.hpp"
#include "actors/webhook_outbox.hpp"
#include "actors/webhook_sender.hpp"
#include "actors/webhook_status.hpp"
#include "engine/node_options.hpp"
#include "net/http_client.hpp"
#include "protocol/time.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

class node_actors;
class node_log;

/// The name of the webhook of the settings `webhooks.*`.
inline constexpr auto configured_webhook = std::string_view{"configured"};

class webhook_post {
public:
  /// Tells whether a node has webhooks at all.
  static bool is_wanted(const node_options& options);

  /// `log` outlives it.
  webhook_post(const node_options& options, node_log& log, wall_clock clock);
  ~webhook_post();
  webhook_post(const webhook_post&) = delete;
  webhook_post& operator=(const webhook_post&) = delete;

  /// Reads the secret of the configured webhook, judges all of them, and starts the client. Once,
  /// before `begin`. Blocks for the file. Fails with `errc::config_invalid` or `errc::insecure`,
  /// naming the webhook or the setting.
  caf::error prepare();

  /// What is not in the log; null unless somebody wants it. For the dispatcher.
  const std::shared_ptr<webhook_outbox>& outbox() const { return outbox_; }

  /// Puts what hosts say into the outbox. Rows are read from the log.
  event_subscriber as_subscriber() const;

  /// Starts the senders. Once, when the actors run; `theirs` sends in place of the own client when
  /// the node has none.
  void begin(node_actors& actors, const std::shared_ptr<http_sender>& theirs);

  /// Lets the senders write their marks, and sends nothing more. Waits at most `limit`. A second
  /// call does nothing.
  void end(std::chrono::milliseconds limit);

  /// In the order in which they were added.
  std::vector<webhook_facts> facts() const;

private:
  const std::shared_ptr<const node_extensions> extensions_; ///< Null: none.
  const node_config config_;
  const std::string source_;
  const url_space urls_;
  const std::shared_ptr<virtual_world> world_;
  node_log& log_;
  const wall_clock clock_;
  std::vector<webhook_target> targets_; ///< In the order of `statuses_`.
  std::vector<std::shared_ptr<webhook_status>> statuses_;
  std::shared_ptr<webhook_outbox> outbox_;
  std::shared_ptr<http_client> client_; ///< Null when somebody else sends.
  std::vector<webhook_sender_handle> senders_;
  node_actors* actors_ = nullptr;
};

} // namespace trunkline
