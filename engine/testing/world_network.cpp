#include "engine/testing/world_network.hpp"

#include "engine/testing/inner_world.hpp"
#include "protocol/host_address.hpp"

#include <cstdint>
#include <utility>

namespace trunkline {

namespace {

using testing::mood;

/// As the engine's own client has it for the first byte of an answer.
constexpr auto answer_limit = std::chrono::seconds{10};

constexpr auto url_rules_here = url_rules{.allow_http = true};

/// An address for those who count by it; every host has one.
std::string address_of(const std::string& host) {
  auto hash = std::uint32_t{2'166'136'261};
  for (const auto letter : host)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16'777'619;
  constexpr auto digits = "0123456789abcdef";
  auto text = std::string{"2001:db8:"};
  for (auto shift = 28; shift >= 0; shift -= 4) {
    text += digits[(hash >> shift) & 15U];
    if (shift == 16)
      text += ':';
  }
  return text + "::1";
}

http_request request_of(const std::string& from, const outgoing_request& sent,
                        const remote_url& url) {
  const auto question = url.target.find('?');
  auto request =
      http_request{.method = sent.method,
                   .path = url.target.substr(0, question),
                   .query = question == std::string::npos ? "" : url.target.substr(question + 1),
                   .headers = {{"Host", to_name(url.host)}},
                   .body = sent.body ? *sent.body : "",
                   .peer = address_of(from)};
  for (const auto& header : sent.headers)
    request.headers.push_back(header);
  if (sent.body)
    request.headers.emplace_back("Content-Length", std::to_string(sent.body->size()));
  return request;
}

exchange_outcome outcome_of(http_response answer, std::size_t bytes_max) {
  if (answer.body.size() > bytes_max)
    return exchange_failed(exchange_phase::body, "the answer is too large");
  if (!answer.content_type.empty())
    answer.headers.emplace_back("Content-Type", std::move(answer.content_type));
  return {.result = incoming_response{.status = answer.status,
                                      .headers = std::move(answer.headers),
                                      .body = std::move(answer.body)},
          .timing = {}};
}

http_response refusal_of(mood how) {
  if (how == mood::busy)
    return {.status = 429, .headers = {{"Retry-After", "60"}}};
  return {.status = how == mood::gone ? 410 : 500};
}

/// A node's way into the network. Requests end with it.
class network_sender final : public node_sender {
public:
  network_sender(world_network& network, std::string own_host)
      : network_{network}, own_host_{std::move(own_host)} {}
  ~network_sender() override { open_->stop(); }
  network_sender(const network_sender&) = delete;
  network_sender& operator=(const network_sender&) = delete;

  void send(outgoing_request request, exchange_handler done) override {
    const auto number = open_->begin(std::move(done), request.id);
    if (number != 0)
      network_.send(own_host_, std::move(request),
                    [open = open_, number](exchange_outcome outcome) {
                      open->end(number, std::move(outcome));
                    });
  }
  void cancel(std::uint64_t id) override {
    network_.later([open = open_, id] { open->cancel(id); });
  }
  void stop() override { open_->stop(); }
  http_client_counters counters() const override { return open_->counters(); }

private:
  world_network& network_;
  const std::string own_host_;
  const std::shared_ptr<open_requests> open_ = std::make_shared<open_requests>();
};

} // namespace

/// One request under way; whatever comes first ends it.
struct world_network::exchange {
  exchange_handler done;
  std::size_t bytes_max;

  void end(exchange_outcome outcome) {
    if (const auto call = std::exchange(done, nullptr))
      call(std::move(outcome));
  }
};

void world_network::attach(const std::string& host, http_handler handler) {
  engines_[host] = {.handler = std::move(handler), .mood = {}, .on_request = {}};
}

void world_network::detach(const std::string& host) {
  engines_.erase(host);
}

void world_network::place(const std::string& host, network_place one) {
  servers_[host] = std::move(one);
}

std::shared_ptr<node_sender> world_network::sender(const std::string& own_host) {
  return std::make_shared<network_sender>(*this, own_host);
}

void world_network::send(const std::string& from, outgoing_request request, exchange_handler done) {
  const auto bytes_max = request.response_bytes_max;
  const auto under_way = std::make_shared<exchange>(exchange{std::move(done), bytes_max});
  world_.later(
      [this, from, request = std::move(request), under_way] { arrive(from, request, under_way); });
}

void world_network::later(std::function<void()> turn) {
  world_.later(std::move(turn));
}

const network_place* world_network::find(const std::string& host) const {
  for (const auto* places : {&engines_, &servers_})
    if (const auto found = places->find(host); found != places->end())
      return &found->second;
  return nullptr;
}

void world_network::arrive(const std::string& from, const outgoing_request& request,
                           const std::shared_ptr<exchange>& under_way) {
  const auto url = parse_remote_url(request.url, url_rules_here);
  if (!url)
    return under_way->end(exchange_failed(exchange_phase::refused, "this URL is not allowed"));
  const auto host = to_name(url->host);
  if (host == from)
    return under_way->end(exchange_failed(exchange_phase::refused, "this server asks itself"));
  const auto* found = find(host);
  if (!found || (found->mood && found->mood() == mood::vanish))
    return under_way->end({.result = exchange_failure{.phase = exchange_phase::name,
                                                      .name_unknown = true,
                                                      .reason = "the name does not exist"},
                           .timing = {}});
  // A copy: whoever is called may attach and detach.
  meet(network_place{*found}, request_of(from, request, *url), under_way);
}

void world_network::meet(const network_place& one, http_request request,
                         const std::shared_ptr<exchange>& under_way) {
  const auto how = one.mood ? one.mood() : mood::answer;
  if (how == mood::refuse)
    return under_way->end(exchange_failed(exchange_phase::connect, "connection refused"));
  if (one.on_request)
    one.on_request();
  if (how == mood::stall)
    return time_out_later(under_way);
  if (how == mood::answer)
    return hand_over(one, std::move(request), under_way);
  under_way->end(outcome_of(refusal_of(how), under_way->bytes_max));
}

/// The answer may come within the call, from an actor, and whoever waits gets it in his turn; or
/// after the world has ended, of a handler that kept it.
void world_network::hand_over(const network_place& one, http_request request,
                              const std::shared_ptr<exchange>& under_way) {
  time_out_later(under_way);
  one.handler(std::move(request),
              http_reply{[held = world_.weak_from_this(), under_way](http_response answer) {
                const auto world = held.lock();
                if (!world)
                  return;
                world->later([under_way, answer = std::move(answer)] {
                  under_way->end(outcome_of(answer, under_way->bytes_max));
                });
              }});
}

void world_network::time_out_later(const std::shared_ptr<exchange>& under_way) {
  world_.after(answer_limit, [under_way] {
    under_way->end({.result = exchange_failure{.phase = exchange_phase::first_byte,
                                               .timed_out = true,
                                               .reason = "no answer in 10 s"},
                    .timing = {}});
  });
}

} // namespace trunkline
