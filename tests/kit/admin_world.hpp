/// The admin API in one thread: a gateway on real storage, a board of hosts, and a region of hosts
/// that writes down what it is told. The token "r" reads, "o" operates.
#pragma once

#include "actors/delivery_budget.hpp"
#include "actors/host_board.hpp"
#include "actors/messages.hpp"
#include "api/admin_api.hpp"
#include "api/admin_services.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/fake_region.hpp"
#include "kit/test_storage.hpp"
#include "protocol/crypto.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

using namespace std::chrono_literals;

class admin_world {
public:
  explicit admin_world(bool test_enabled = false)
      : services_{std::make_shared<api_services>(api_options{.domain = "example.org",
                                                             .url = "https://example.org",
                                                             .own_urls = urls_of("example.org"),
                                                             .version = "0.1.0",
                                                             .test_enabled = test_enabled},
                                                 storage_.start(actors_), actors_.clock())} {
    region->describe = [this](const host_address& host) { return report_of(host); };
    region->change = [this](const host_address& host, std::string_view what) {
      if (what != "retry") // the board hears of it later
        run("UPDATE host SET paused = " + std::string{what == "pause" ? "1" : "0"} +
            " WHERE name = '" + host.name + "'");
    };
    services_->board = board;
    services_->dispatcher = actors_.spawn(books_of, books);
    admin_.next_id = [] { return caf::expected<std::int64_t>{1'000}; };
    services_->admin = &admin_;
    services_->hosts = actors_.spawn(region_of, region);
    const auto flavour = admin_flavour(test_enabled);
    handler_ = enter({actors_.spawn(gateway, services_, flavour)}, services_, flavour);
    add_token("r", 1);
    add_token("o", 2);
  }

  api_services& services() { return *services_; }
  admin_services& admin() { return admin_; }

  void run(const std::string& sql) { REQUIRE(storage_.db().run(sql)); }
  std::int64_t count(const std::string& rest) {
    return storage_.db().run("SELECT count(*) FROM " + rest)->rows[0][0].integer();
  }

  /// A host with a row, and its line.
  void add_host(int id, const std::string& name,
                const std::function<void(host_line&)>& change = {}) {
    auto line = host_line{};
    line.address = {.scheme = "https", .name = name};
    line.health.facts.id = host_id{id};
    if (change)
      change(line);
    add_row(id, line.address);
    board->load(std::move(line));
  }

  void add_row(int id, const host_address& host) {
    run("INSERT INTO host(id, scheme, name, port) VALUES (" + std::to_string(id) + ", '" +
        host.scheme + "', '" + host.name + "', " + std::to_string(host.port) + ")");
  }

  /// What an actor says that is as the board has it.
  host_report report_of(const host_address& host) const {
    const auto line = board->find(host).value_or(host_line{});
    const auto& facts = line.health.facts;
    return {.host = host,
            .state = std::string{to_string(facts.state)},
            .paused = facts.paused,
            .waiting = line.sums.pending,
            .oldest_at = line.oldest_at,
            .window = facts.window,
            .dead = line.dead_letters,
            .next_try_at = facts.next_try_at,
            .last_ok_at = facts.last_ok_at};
  }

  http_response ask(http_method method, const std::string& path, const std::string& body = "",
                    const std::string& token = "o", const std::string& key = "") {
    auto answered = std::make_shared<std::optional<http_response>>();
    const auto mark = path.find('?');
    auto request =
        http_request{.method = method,
                     .path = path.substr(0, mark),
                     .query = mark == std::string::npos ? "" : path.substr(mark + 1),
                     .headers = {{"Host", "127.0.0.1:1"}, {"Content-Type", "application/json"}},
                     .body = body,
                     .peer = "192.0.2.1",
                     .is_passed_on = is_passed_on};
    if (!token.empty())
      request.headers.emplace_back("Authorization", "Bearer " + token);
    if (!key.empty())
      request.headers.emplace_back("Idempotency-Key", key);
    handler_(std::move(request), http_reply{[answered](http_response response) {
               answered->emplace(std::move(response));
             }});
    actors_.settle();
    if (!answered->has_value())
      actors_.advance(1s);
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }

  http_response get(const std::string& path) { return ask(http_method::get, path); }
  http_response post(const std::string& path, const std::string& body = "") {
    return ask(http_method::post, path, body);
  }

  std::shared_ptr<fake_region> region = std::make_shared<fake_region>();
  std::shared_ptr<fake_books> books = std::make_shared<fake_books>();
  std::shared_ptr<host_board> board = std::make_shared<host_board>();
  bool is_passed_on = false; ///< Requests come from another node.

  time_point now() const { return actors_.now(); }
  void advance(std::chrono::microseconds time) { actors_.advance(time); }

private:
  void add_token(const std::string& token, int scope) {
    REQUIRE(storage_.db().run("INSERT INTO admin_token(hash, scope, name, created_at)"
                              " VALUES ($1, $2, 'me', 0)",
                              {blob{sha256(token)}, scope}));
  }

  kit::deterministic_system actors_{5};
  kit::test_storage storage_;
  admin_services admin_;
  api_services_ptr services_;
  http_handler handler_;
};

inline json_value parsed(const http_response& response) {
  CAPTURE(response.body);
  REQUIRE(response.status == 200);
  return *parse_json(response.body);
}

inline std::string text(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  REQUIRE(member);
  return member->as_string() ? *member->as_string() : to_json(*member);
}

inline words names(const json_value& page, const char* list, const char* key) {
  auto all = words{};
  for (const auto& item : *page.find(list)->as_array())
    all.push_back(text(item, key));
  return all;
}

/// Follows the Link of each page.
inline words walk(admin_world& world, std::string path, const char* list, const char* key) {
  auto all = words{};
  for (auto pages = 0; !path.empty() && pages < 20; ++pages) {
    const auto response = world.get(path);
    for (const auto& name : names(parsed(response), list, key))
      all.push_back(name);
    const auto link = std::string{find_header(response.headers, "Link")};
    path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  return all;
}

inline void check_problem(const http_response& response, int status, const std::string& part) {
  CAPTURE(response.body, part);
  CHECK(response.status == status);
  CHECK(response.content_type == "application/problem+json");
  CHECK(response.body.find(part) != std::string::npos);
}

} // namespace trunkline::kit
