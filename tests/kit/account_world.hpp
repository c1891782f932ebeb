/// Three accounts on a node of the test kit, and short ways to make them act.
#pragma once

#include "actors/messages.hpp"
#include "kit/both_databases.hpp"
#include "kit/test_node.hpp"
#include "protocol/errc.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

inline constexpr auto alice = account_id{7};
inline constexpr auto bob = account_id{8};
inline constexpr auto carol = account_id{9}; // locked

/// `with_world` runs a body on both databases.
struct account_world : test_node {
  explicit account_world(open_connection open, node_options options = {})
      : test_node{11, std::move(open), std::move(options)} {
    add_account(alice, "Alice");
    add_account(bob, "bob");
    add_account(carol, "carol", true);
  }

  caf::expected<post_id> post(account_id who, post_draft draft, std::string key = "") {
    return ask<post_id>(publish_post{who, std::move(draft), std::move(key), {}});
  }
  post_id posted(account_id who, post_draft draft, std::string key = "") {
    return must(post(who, std::move(draft), std::move(key)));
  }
  /// For messages that are answered with nothing but success.
  template <class Message>
  caf::error tell(Message message) {
    auto answer = actors.start_done(accounts, std::move(message));
    actors.settle();
    return answer.ready() ? answer.failure() : make_error(errc::timed_out);
  }
  std::vector<std::string> all(const std::string& sql) { return rows_of(db().run(sql)); }
  std::vector<std::string> log(const std::string& columns = "kind, author, object_key") {
    return all("SELECT " + columns + " FROM log ORDER BY seq");
  }
  std::int64_t written() { return storage.counters()->rows_written; }
};

inline void with_world(const std::function<void(account_world&)>& body,
                       const node_options& options = {}) {
  on_both([&](test_database& fresh) {
    auto here = account_world{
        [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }, options};
    body(here);
  });
}

template <class T>
errc code(const caf::expected<T>& answer) {
  return answer ? errc{} : code_of(answer.error());
}

inline errc code(const caf::error& failure) {
  return failure ? code_of(failure) : errc{};
}

} // namespace trunkline::kit
