/// What the inbound path asks of storage, for `ask_storage`: may this come in, keep it, what is
/// next.
#pragma once

#include "actors/id_source.hpp"
#include "actors/tasks.hpp"
#include "protocol/names.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct arrival;

/// A request to an inbox, before anything expensive is done for it.
struct inbox_visit {
  std::string name;  ///< Of the account whose inbox it is; "" for the shared one.
  std::string actor; ///< Who is said to have done it.
  std::string host;  ///< The name of the actor's host, without port.
};

/// Tells whether the actor is known here and not deleted. Fails with `not_found` or `gone` (the
/// inbox), or `forbidden` (the host, or the actor here, is shut out).
query<bool> ask_inbox_door(inbox_visit visit, url_space own);

/// What is to be kept, as it came.
struct new_arrival {
  std::string signer; ///< An actor's id.
  std::string ap_id;  ///< The activity's id; "" when it has none.
  std::string host;   ///< The signer's origin, as `to_key` writes it.
  std::string body;
};

/// Keeps an arrival; its id says where it stands among all. Returns whether it is new. Fails with
/// `rate_limited` when `waiting_max` arrivals of its host wait already.
command<bool> log_arrival(new_arrival row, std::int64_t waiting_max,
                          std::shared_ptr<id_source> ids);

/// The oldest open arrival of `host` (a key) that is not among `besides`.
query<std::optional<arrival>> ask_next_arrival(std::string host, std::vector<std::int64_t> besides);

/// Tells whether somebody here follows `actor`, an id.
query<bool> ask_is_followed(std::string actor);

/// Ends an arrival that can never be applied. Returns whether it was open.
command<bool> give_up_arrival(std::int64_t id);

/// Keys of hosts after `after` with open arrivals, sorted; at most `limit`.
query<std::vector<std::string>> ask_waiting_inboxes(std::string after, std::size_t limit);

} // namespace trunkline
