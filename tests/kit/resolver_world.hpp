/// A resolver on a node of the test kit, and the servers that it asks.
///
///     serve_ann();                       // ann@v.example, both ways
///     serve_note("1", {.reply_to = ...});
///     CHECK(must(account("ann@v.example")) == must(account(ann)));
#pragma once

#include "actors/messages.hpp"
#include "actors/resolver.hpp"
#include "kit/account_world.hpp"
#include "kit/fake_hosts.hpp"
#include "storage/post_store.hpp"
#include "storage/remote_store.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace trunkline::kit {

inline const auto ann = std::string{"https://v.example/users/ann"};

/// The time of all posts that are served.
inline constexpr auto published =
    time_point{std::chrono::sys_days{std::chrono::year{2020} / 5 / 17}};

/// What a post that is served says beside its id.
struct note_text {
  std::string author = ann;
  std::string reply_to = {}; ///< "" for none.
  std::string to = "https://www.w3.org/ns/activitystreams#Public";
  std::string type = "Note";
  std::string extra = R"("content": "<p>hi</p>")"; ///< More members.
};

inline std::string finger_of(const std::string& name, const std::string& domain) {
  return "https://" + domain + "/.well-known/webfinger?resource=acct:" + name + "@" + domain;
}

inline std::string note_of(const std::string& name, const std::string& host = "v.example") {
  return "https://" + host + "/notes/" + name;
}

/// The document of "https://HOST/users/NAME"; `more` are further members.
inline std::string actor_document(const std::string& host, const std::string& name,
                                  const std::string& more = {}) {
  const auto id = "https://" + host + "/users/" + name;
  return R"({"type": "Person", "id": ")" + id + R"(", "preferredUsername": ")" + name +
         R"(", "inbox": ")" + id + R"(/inbox", "followers": ")" + id + "/followers\"" +
         (more.empty() ? "" : ", " + more) + "}";
}

inline std::string note_document(const std::string& id, const note_text& text = {}) {
  return R"({"type": ")" + text.type + R"(", "id": ")" + id + R"(", "attributedTo": ")" +
         text.author + R"(", "published": "2020-05-17T00:00:00Z", "to": [")" + text.to + "\"]" +
         (text.reply_to.empty() ? "" : R"(, "inReplyTo": ")" + text.reply_to + "\"") +
         (text.extra.empty() ? "" : ", " + text.extra) + "}";
}

inline std::string finger_answer(const std::string& address, const std::string& self) {
  return R"({"subject": "acct:)" + address +
         R"(", "links": [{"rel": "self", "type": "application/activity+json", "href": ")" + self +
         R"("}]})";
}

struct resolver_world : test_node {
  explicit resolver_world(resolver_options options = {}, url_rules rules = {},
                          std::string own_host = "example.org",
                          std::shared_ptr<content_gate> gate = nullptr)
      : test_node{11} {
    add_account(alice, "Alice");
    auto services = resolver_services{.storage = handles,
                                      .fetch = {.hosts = hosts.region(),
                                                .rules = rules,
                                                .own = {"https", std::move(own_host), 443}},
                                      .domain = "example.org",
                                      .own = urls_of("example.org"),
                                      .ids = ids,
                                      .slot = 1,
                                      .clock = actors.clock(),
                                      .gate = std::move(gate)};
    finder = actors.spawn(resolver, std::move(services), options);
  }

  caf::expected<account_id> account(const std::string& address, bool refresh = false) {
    return actors.ask<account_id>(finder, resolve_account{address, refresh});
  }
  caf::expected<post_id> note(const std::string& url, bool refresh = false) {
    return actors.ask<post_id>(finder, resolve_post{url, refresh});
  }
  caf::expected<resolved_thing> thing(const std::string& url) {
    return actors.ask<resolved_thing>(finder, resolve_url{url});
  }

  void serve_actor(const std::string& host, const std::string& name, const std::string& more = {}) {
    hosts.serve("https://" + host + "/users/" + name, actor_document(host, name, more));
  }
  void serve_finger(const std::string& name, const std::string& domain, const std::string& subject,
                    const std::string& self) {
    hosts.serve(finger_of(name, domain), finger_answer(subject, self), "application/jrd+json");
  }
  /// An actor and its name, both ways.
  void serve_account(const std::string& host, const std::string& name) {
    serve_actor(host, name);
    serve_finger(name, host, name + "@" + host, "https://" + host + "/users/" + name);
  }
  void serve_ann() { serve_account("v.example", "ann"); }
  void serve_note(const std::string& name, const note_text& text = {}) {
    hosts.serve(note_of(name), note_document(note_of(name), text));
  }

  std::vector<std::string> all(const std::string& sql) { return rows_of(db().run(sql)); }
  std::vector<std::string> log() { return all("SELECT kind, object_key FROM log ORDER BY seq"); }
  void run(const std::string& sql) { must(storage.open_writer()->run(sql)); }
  std::size_t asked() const { return hosts.asked().size(); }

  fake_hosts hosts{actors};
  resolver_handle finder;
};

} // namespace trunkline::kit
