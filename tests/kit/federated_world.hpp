/// Three accounts of ours and three of other servers, and a look at what ours send.
#pragma once

#include "kit/account_world.hpp"
#include "kit/remote_rows.hpp"
#include "protocol/json.hpp"
#include "storage/audience_store.hpp"
#include "storage/graph_store.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::kit {

inline constexpr auto ann = account_id{20};  ///< Of far.example, with a shared inbox.
inline constexpr auto ben = account_id{21};  ///< Likewise.
inline constexpr auto lone = account_id{22}; ///< Of lone.example, which has no shared inbox.

using endpoints = std::vector<endpoint_id>;

/// One row of the log as other servers get it.
struct sent_row {
  log_kind kind = log_kind::create;
  delivery_class cls = delivery_class::bulk;
  bool is_public = false;
  std::string object_key;
  std::string ap_id;
  std::int64_t signer = 0;
  endpoints audience;
  endpoints extra;
  json_value body; ///< Null when it says nothing.

  /// Returns the text at a path: "object.id", "to.0"; "" when there is none.
  std::string at(std::string_view path) const {
    const auto* value = &body;
    while (value && !path.empty()) {
      const auto step = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(path.size(), step.size() + 1));
      const auto* items = value->as_array();
      if (!items)
        value = value->find(step);
      else if (const auto index = std::stoul(std::string{step}); index < items->size())
        value = &(*items)[index];
      else
        value = nullptr;
    }
    if (!value)
      return {};
    return value->as_string() ? *value->as_string() : to_json(*value);
  }
};

struct federated_world : account_world {
  explicit federated_world(open_connection open) : account_world{std::move(open)} {
    auto writer = storage.open_writer();
    add_remote(*writer, {ann, "ann"});
    add_remote(*writer, {ben, "ben"});
    add_remote(*writer,
               {.id = lone, .name = "lone", .host = "lone.example", .has_shared_inbox = false});
  }

  /// Everything that was sent, or stayed here, oldest first; from the `after`-th row on.
  std::vector<sent_row> sent(std::size_t after = 0) {
    auto rows = std::vector<sent_row>{};
    const auto found = db().run("SELECT kind, class, public, object_key, ap_id, signer, body,"
                                " audience_id, seq FROM log ORDER BY seq");
    REQUIRE(found);
    for (const auto& row : found->rows) {
      auto one = sent_row{.kind = static_cast<log_kind>(row[0].integer()),
                          .cls = static_cast<delivery_class>(row[1].integer()),
                          .is_public = row[2].flag(),
                          .object_key = row[3].text(),
                          .ap_id = row[4].text(),
                          .signer = row[5].integer(),
                          .audience = must(endpoints_of(db(), row[7].id<audience_id>()))};
      if (!row[6].is_null())
        one.body = must(parse_json(row[6].bytes()));
      for (const auto& extra :
           must(db().run("SELECT endpoint_id FROM log_extra WHERE seq = $1 ORDER BY endpoint_id",
                         {row[8]}))
               .rows)
        one.extra.push_back(extra[0].id<endpoint_id>());
      rows.push_back(std::move(one));
    }
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(after));
    return rows;
  }

  sent_row last() {
    auto rows = sent();
    REQUIRE_FALSE(rows.empty());
    return rows.back();
  }

  /// A follow of ours by somebody else, as it stands after our Accept.
  void follow_from_afar(account_id follower, account_id followee) {
    must(store_follow(*storage.open_writer(), {follower, followee}, {}, true, follow_uri(follower),
                      actors.now()));
  }

  /// The same, before it is answered.
  void ask_from_afar(account_id follower, account_id followee) {
    must(store_follow(*storage.open_writer(), {follower, followee}, {}, false, follow_uri(follower),
                      actors.now()));
  }

  static std::string follow_uri(account_id follower) {
    return "https://far.example/follows/" + to_string(follower);
  }

  /// A change by a statement, as if another server had caused it.
  void run(const std::string& sql) { must(storage.open_writer()->run(sql)); }

  std::vector<std::string> told() {
    return all("SELECT account_id, kind, from_id, post_id FROM notification"
               " ORDER BY account_id, kind, from_id, post_id");
  }
};

inline void with_federation(const std::function<void(federated_world&)>& body) {
  on_both([&](test_database& fresh) {
    auto here = federated_world{
        [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }};
    body(here);
  });
}

/// Endpoints in the order of a row.
inline endpoints sorted(endpoints unsorted) {
  std::ranges::sort(unsorted);
  return unsorted;
}

} // namespace trunkline::kit
