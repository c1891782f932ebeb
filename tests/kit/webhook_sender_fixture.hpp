/// The sender of one webhook on a real store, and a receiver that follows a script.
#pragma once

#include "actors/webhook_sender.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit::webhook_scene {

using namespace std::chrono_literals;

inline constexpr auto secret = std::string_view{"0123456789abcdef0123456789abcdef"};

inline exchange_outcome answer(int status, http_headers headers = {}) {
  return {.result = incoming_response{.status = status, .headers = std::move(headers)}};
}

/// A receiver that answers as it is told, or later.
struct scripted_receiver final : http_sender {
  struct got {
    std::string id;
    time_point at;
    outgoing_request request;
  };

  void send(outgoing_request request, exchange_handler done) override {
    requests.push_back(
        {std::string{find_header(request.headers, "webhook-id")}, clock(), std::move(request)});
    if (stalls)
      return held.push_back(std::move(done));
    done(rule ? rule(requests.back().request) : answer(status));
  }

  std::vector<std::string> ids() const {
    auto all = std::vector<std::string>{};
    for (const auto& one : requests)
      all.push_back(one.id);
    return all;
  }

  wall_clock clock;
  int status = 200;
  bool stalls = false;
  std::function<exchange_outcome(const outgoing_request&)> rule;
  std::vector<got> requests;
  std::vector<exchange_handler> held;
};

struct sender_fixture {
  kit::deterministic_system actors{7};
  kit::test_storage storage;
  std::shared_ptr<scripted_receiver> receiver = std::make_shared<scripted_receiver>();
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<webhook_status> status;
  std::shared_ptr<webhook_outbox> outbox;
  std::vector<std::string> lines;
  event_kinds kinds = event_kinds::all();
  storage_handles handles;
  webhook_sender_handle sender;
  log_seq newest = 0;

  sender_fixture() : sender_fixture{kit::test_storage{}} {}

  explicit sender_fixture(kit::test_storage with) : storage{std::move(with)} {
    receiver->clock = actors.clock();
    storage.position = position;
  }

  ~sender_fixture() { receiver->held.clear(); }

  void start() {
    handles = storage.start(actors);
    status = std::make_shared<webhook_status>("alerts");
    outbox = std::make_shared<webhook_outbox>(event_kinds::all(), source(), nullptr);
    sender = actors.spawn(
        webhook_sender,
        webhook_target{.name = "alerts",
                       .url = "https://hooks.example/in",
                       .secret = std::string{secret},
                       .kinds = kinds},
        webhook_sender_dependencies{.storage = handles,
                                    .sender = receiver,
                                    .position = position,
                                    .outbox = outbox,
                                    .status = status,
                                    .clock = actors.clock(),
                                    .urls = urls_of("a.example"),
                                    .source = source(),
                                    .log = [this](std::string line) { lines.push_back(line); }},
        webhook_sender_options{});
    actors.settle();
  }

  /// Ends every actor at once, as a kill does, and starts them anew.
  void kill() {
    receiver->held.clear();
    sender = webhook_sender_handle{};
    handles = storage_handles{};
    actors.restart();
    start();
  }

  static std::string source() { return webhook_source("a.example"); }

  /// Commits rows of new posts, each of which is an activity and a post.
  void write(int rows = 1, log_kind kind = log_kind::create) {
    auto writer = storage.open_writer();
    for (auto count = 0; count < rows; ++count) {
      ++newest;
      kit::must(writer->run("INSERT INTO log(seq, at, kind, author, object_key, class, public)"
                            " VALUES ($1, $2, $3, 1, $4, 2, 1)",
                            {newest, actors.now(), static_cast<int>(kind),
                             to_string(object_key{object_kind::post, 0, newest})}));
    }
    position->commit(newest);
  }

  /// Puts an event into the outbox, as the dispatcher's checkpoint does.
  void tell(const std::string& host) {
    outbox->add(host_state_event{.at = actors.now(), .host = host, .state = "failing"});
    store();
  }
  void store(std::int64_t rows_max = outbox_rows_max) {
    auto writer = storage.open_writer();
    outbox->stored(kit::must(add_to_outbox(*writer, outbox->take(), rows_max)));
  }

  std::vector<std::string> expected_ids(log_seq first, log_seq last) const {
    auto ids = std::vector<std::string>{};
    for (auto seq = first; seq <= last; ++seq)
      for (const auto* kind : {"-activity-Create", "-post-created"})
        ids.push_back(source() + "-" + std::to_string(seq) + kind);
    return ids;
  }

  webhook_report report() const { return status->read(actors.now()).report; }

  webhook_marks stored_marks() {
    const auto found =
        kit::must(storage.db().run("SELECT mark, told FROM webhook WHERE name = 'alerts'"));
    REQUIRE(found.rows.size() == 1);
    return {found.rows[0][0].integer(),
            found.rows[0][1].is_null() ? std::nullopt : std::optional{found.rows[0][1].integer()}};
  }
};

/// Each id once, in the order of its first request.
inline std::vector<std::string> first_times(const std::vector<std::string>& ids) {
  auto seen = std::set<std::string>{};
  auto kept = std::vector<std::string>{};
  for (const auto& id : ids)
    if (seen.insert(id).second)
      kept.push_back(id);
  return kept;
}

} // namespace trunkline::kit::webhook_scene
