#include "actors/host_gate.hpp"

#include "actors/host_records.hpp"
#include "actors/messages.hpp"
#include "protocol/errc.hpp"
#include "protocol/shard.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace trunkline {

namespace {

std::uint8_t shard_of_host(const host_address& host) {
  return host_shard(host.scheme, host.name, static_cast<std::uint16_t>(host.port));
}

caf::error on_its_way(const host_address& host) {
  return make_error(errc::unavailable,
                    "host " + to_name(host) + ": is on its way to another node; ask again");
}

caf::error elsewhere(const host_address& host) {
  return make_error(errc::conflict, "host " + to_name(host) + ": is not on this node");
}

} // namespace

host_gate_state::~host_gate_state() {
  const auto ending = make_error(errc::unavailable, "hosts: shutting down");
  for (auto& [number, fetch] : asked_)
    fetch.reply.deliver(ending);
  for (auto& fetch : waiting_)
    fetch.reply.deliver(ending);
}

/// What is for one host goes to the region of this node's, unless it is said otherwise.
template <class In, class Out>
auto host_gate_state::handler(caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>*) {
  if constexpr (std::is_same_v<In, fetch_document>)
    return [this](fetch_document& wanted) { return take(wanted); };
  else if constexpr (std::is_same_v<In, note_sign_of_life>)
    return [this](const note_sign_of_life& life) { tell(life); };
  else if constexpr (std::is_same_v<In, serve_peer_fetch> ||
                     std::is_same_v<In, serve_peer_sign_of_life>)
    return [this](const In& asked) { serve(asked); };
  else if constexpr (std::is_same_v<In, peer_has_fetched>)
    return [this](const In& news) { take(news); };
  else if constexpr (std::is_same_v<In, look_for_hosts>)
    return [this](const In&) { look(); };
  else if constexpr (requires(In message) { message.host; })
    return [this](In& message) -> caf::result<Out> {
      return self_->delegate(has_.region, std::move(message));
    };
  else // what an actor sends to itself is nothing to a gate
    return [](const In&) {};
}

template <class... Signatures>
host_gate_handle::behavior_type
host_gate_state::behavior_of(caf::detail::type_list<Signatures...>*) {
  return {handler(static_cast<Signatures*>(nullptr))...};
}

host_gate_handle::behavior_type host_gate_state::make_behavior(host_gate_dependencies dependencies,
                                                               host_gate_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  return behavior_of(static_cast<host_gate_handle::signatures*>(nullptr));
}

bool host_gate_state::is_here(const host_address& host) const {
  return has_.is_here(shard_of_host(host));
}

caf::result<fetched_document> host_gate_state::take(fetch_document& wanted) {
  if (is_here(wanted.host))
    return self_->delegate(has_.region, std::move(wanted));
  auto reply = self_->make_response_promise<fetched_document>();
  bring({.wanted = std::move(wanted),
         .reply = reply,
         .give_up_at = self_->clock().now() + options_.wait_max});
  return reply;
}

void host_gate_state::bring(open_fetch fetch) {
  if (is_here(fetch.wanted.host))
    return void(fetch.reply.delegate(has_.region, std::move(fetch.wanted)));
  const auto node = has_.routes->node_of(fetch.wanted.host);
  if (node.empty() || node == has_.own_name) // nobody has it yet, or it is not here any more
    return wait(std::move(fetch));
  ask(node, std::move(fetch));
}

void host_gate_state::ask(const std::string& node, open_fetch fetch) {
  const auto number = ++next_fetch_;
  auto body = encode(fetch.wanted);
  asked_.emplace(number, std::move(fetch));
  has_.ask(node,
           {.topic = link_topic::fetch,
            .body = std::move(body),
            .limit = options_.ask_limit,
            .reply = peer_reply{[to = caf::actor_cast<host_gate_handle>(self_),
                                 number](caf::expected<std::string> given) {
              caf::anon_send(
                  to, peer_has_fetched{.fetch = number,
                                       .answer = std::make_shared<const caf::expected<std::string>>(
                                           std::move(given))});
            }}});
}

/// A node that has it no longer, or not yet, has done nothing: where it is will be known soon. So
/// it is with one that cannot be asked.
void host_gate_state::take(const peer_has_fetched& news) {
  const auto found = asked_.find(news.fetch);
  if (found == asked_.end())
    return;
  auto fetch = std::move(found->second);
  asked_.erase(found);
  const auto& given = *news.answer;
  if (!given) {
    const auto code = code_of(given.error());
    if (code == errc::conflict || code == errc::unavailable)
      return wait(std::move(fetch));
    return void(fetch.reply.deliver(given.error()));
  }
  auto document = decode_fetched(*given);
  if (document)
    fetch.reply.deliver(std::move(*document));
  else
    fetch.reply.deliver(std::move(document.error()));
}

void host_gate_state::wait(open_fetch fetch) {
  auto& waiting = waiting_of_[shard_of_host(fetch.wanted.host)];
  if (waiting >= options_.waiting_per_shard || self_->clock().now() >= fetch.give_up_at)
    return void(fetch.reply.deliver(on_its_way(fetch.wanted.host)));
  ++waiting;
  waiting_.push_back(std::move(fetch));
  if (!std::exchange(is_looking_, true))
    self_->delayed_send(self_, options_.look_interval, look_for_hosts{});
}

void host_gate_state::look() {
  is_looking_ = false;
  waiting_of_.fill(0);
  for (auto& fetch : std::exchange(waiting_, {}))
    bring(std::move(fetch));
}

/// A hint: where it does not arrive, the host's own back-off goes on.
void host_gate_state::tell(const note_sign_of_life& life) {
  if (is_here(life.host))
    return self_->send(has_.region, life);
  const auto node = has_.routes->node_of(life.host);
  if (!node.empty() && node != has_.own_name)
    has_.ask(node, {.topic = link_topic::sign_of_life,
                    .body = encode(life.host),
                    .limit = options_.wait_max,
                    .reply = peer_reply{[](const caf::expected<std::string>&) {}}});
}

void host_gate_state::serve(const serve_peer_fetch& asked) {
  auto wanted = decode_fetch(asked.body);
  if (!wanted)
    return asked.reply(wanted.error());
  if (!is_here(wanted->host))
    return asked.reply(elsewhere(wanted->host));
  self_->request(has_.region, options_.ask_limit, std::move(*wanted))
      .then(
          [reply = asked.reply](fetched_document& found) {
            reply(encode(caf::expected<fetched_document>{std::move(found)}));
          },
          [reply = asked.reply](const caf::error& failure) {
            reply(encode(caf::expected<fetched_document>{failure}));
          });
}

void host_gate_state::serve(const serve_peer_sign_of_life& told) {
  if (is_here(told.host))
    self_->send(has_.region, note_sign_of_life{told.host});
}

host_gate_handle::behavior_type host_gate(watched_pointer<host_gate_handle, host_gate_state> self,
                                          host_gate_dependencies dependencies,
                                          host_gate_options options) {
  self->set_label("host_gate");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
