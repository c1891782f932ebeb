/// One host of a delivery world: what is written for it, and what it was sent.
#pragma once

#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "kit/delivery_world.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace trunkline::kit::remote_host_scene {

using namespace std::chrono_literals;

using texts = std::vector<std::string>;

struct remote_host_fixture : kit::delivery_world {
  std::vector<endpoint_id> at; ///< Of far.example: the shared inbox and two personal ones.
  int written = 0;

  explicit remote_host_fixture(kit::delivery_world_options options = {})
      : delivery_world{std::move(options)} {
    peers->keep_requests();
    at = add_host("far.example");
  }

  /// Writes one post to an endpoint of far.example; returns its text.
  std::string post(std::size_t endpoint = 0, std::int64_t object = 0, int author = 1,
                   log_kind kind = log_kind::create) {
    const auto text = "post " + std::to_string(++written);
    write({.text = text,
           .author = account_id{author},
           .kind = kind,
           .object = object ? object : 1'000 + written,
           .extra = {at[endpoint]}});
    settle();
    return text;
  }

  host_report far() { return report("far.example"); }
  texts sent() const { return peers->bodies("far.example"); }
  std::size_t count_sent() const { return sent().size(); }
  host_address address() const { return delivery_world::address("far.example"); }
  void answer(int status, http_headers headers = {}) {
    peers->set_status("far.example", status, std::move(headers));
  }
  void answer(kit::peer_answer fixed) {
    peers->set_rule("far.example", [fixed](const outgoing_request&) { return fixed; });
  }
  std::vector<std::string> dead() {
    return all("SELECT seq, error, attempts FROM delivery_exception WHERE status = 2 ORDER BY seq");
  }
  std::vector<std::string> waiting() {
    return all("SELECT seq, error, attempts FROM delivery_exception WHERE status = 1 ORDER BY seq");
  }
  kit::pending_reply<fetched_document> fetch(const std::string& host = "far.example") {
    auto reply = actors.start<fetched_document>(
        hosts, fetch_document{.host = delivery_world::address(host),
                              .url = "https://" + host + "/actor",
                              .accept = "application/activity+json"});
    settle();
    return reply;
  }
};

} // namespace trunkline::kit::remote_host_scene
