/// Activities of other servers, applied to a world of three accounts of ours and three of theirs.
#pragma once

#include "actors/inbound_changes.hpp"
#include "kit/federated_world.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

inline const auto ann_uri = std::string{"https://far.example/ann"};
inline const auto ben_uri = std::string{"https://far.example/ben"};
inline const auto lone_uri = std::string{"https://lone.example/lone"};
inline const auto alice_uri = std::string{"https://example.org/users/Alice"};
inline const auto bob_uri = std::string{"https://example.org/users/bob"};
inline const auto carol_uri = std::string{"https://example.org/users/carol"};
inline const auto everyone = std::string{"https://www.w3.org/ns/activitystreams#Public"};

struct inbound_world : federated_world {
  using federated_world::federated_world;

  /// Lets arrivals come later than the actors' clock says, which is slow to walk for days.
  void wait(std::chrono::microseconds span) { ahead_ += span; }
  time_point now() const { return actors.now() + ahead_; }

  inbound_context shared() {
    return {.domain = "example.org", .own = urls_of("example.org"), .ids = ids, .slot = 1};
  }

  /// Applies what the signer at `actor` has sent; "actor" and an "id" are added where they lack.
  caf::error receive(const std::string& actor, json_object document) {
    if (!document.find("actor"))
      document["actor"] = actor;
    if (!document.find("id"))
      document["id"] = actor + "/activities/" + std::to_string(++sent_);
    return receive_text(actor, to_json(document));
  }

  /// The same with a body as it came.
  caf::error receive_text(const std::string& actor, const std::string& body) {
    auto writer = storage.open_writer();
    auto log = std::vector<log_draft>{};
    auto failure = writer->transact([&](database& db) { return apply(db, actor, body, log); });
    logged = log;
    if (!failure && !log.empty())
      must(writer->commit_batch(must(ids->next()), now(), std::nullopt,
                                [&](database&) { return caf::expected{log}; }));
    return failure;
  }

  /// The same in a transaction that is open; what it appends to the log comes to `log`.
  caf::error apply(database& db, const std::string& actor, const std::string& body,
                   std::vector<log_draft>& log) {
    const auto said = must(read_activity(must(parse_json(body))));
    const auto row = arrival{.id = ++sent_,
                             .actor = actor,
                             .ap_id = said.id.empty() ? hash_id(body) : said.id,
                             .body = body,
                             .at = now()};
    auto context = write_context{db, log, now()};
    return apply_activity(context, shared(), row, said);
  }

  /// Applies it, which must succeed.
  void hear(const std::string& actor, json_object document) {
    must(receive(actor, std::move(document)));
  }

  /// Applies it, which must succeed and leave every table as it was.
  void ignores(const std::string& what, const std::string& actor, json_object document) {
    INFO(what);
    const auto before = dump(db());
    must(receive(actor, std::move(document)));
    const auto after = dump(db());
    auto changed = std::vector<std::string>{};
    std::ranges::set_symmetric_difference(before, after, std::back_inserter(changed));
    CHECK(changed == std::vector<std::string>{});
  }

  std::vector<log_draft> logged; ///< By the last arrival.

private:
  std::int64_t sent_ = 0;
  std::chrono::microseconds ahead_{0};
};

inline void with_inbound(const std::function<void(inbound_world&)>& body) {
  on_both([&](test_database& fresh) {
    auto here = inbound_world{
        [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }};
    body(here);
  });
}

/// An activity of one type about something; `id` "": a new one is made.
inline json_object saying(const char* type, json_value object, const std::string& id = {}) {
  auto document = json_object{{"type", type}, {"object", std::move(object)}};
  if (!id.empty())
    document["id"] = id;
  return document;
}

/// An inlined activity of `actor`.
inline json_object inlined(const char* type, const std::string& actor, json_value object,
                           const std::string& id = {}) {
  auto document = saying(type, std::move(object), id);
  document["actor"] = actor;
  return document;
}

} // namespace trunkline::kit
