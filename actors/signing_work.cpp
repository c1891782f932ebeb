#include "actors/signing_work.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace trunkline {

namespace {

caf::expected<private_key> open_key(const std::string& secret, const std::string& sealed) {
  const auto pem = unseal(secret, sealed);
  if (!pem)
    return pem.error();
  return private_key::parse(*pem);
}

} // namespace

made_key make_key(const std::string& secret) {
  auto key = private_key::generate();
  auto pair = key_pair_row{key.public_pem(), seal(secret, key.to_pem())};
  return {.key = std::move(key), .pair = std::move(pair)};
}

caf::expected<own_key_ptr> read_key(const std::string& secret, const own_key_row& row,
                                    std::string key_id) {
  auto current = open_key(secret, row.pair.sealed_private);
  if (!current)
    return make_error(errc::storage_broken,
                      "key " + key_id +
                          ": secrets.key_file is not the one that it was stored with");
  auto key = own_key{.key_id = std::move(key_id),
                     .public_pem = row.pair.public_pem,
                     .current = std::move(*current),
                     .previous = std::nullopt,
                     .previous_until = row.previous_until};
  if (!row.sealed_previous.empty())
    if (auto previous = open_key(secret, row.sealed_previous))
      key.previous = std::move(*previous);
  return own_key_ptr{std::make_shared<const own_key>(std::move(key))};
}

http_headers sign_headers(const sign_request& wish, const own_key& key, time_point now) {
  auto prepared = prepare_signature({.method = to_string(wish.method),
                                     .url = wish.url,
                                     .body = wish.body ? std::string_view{*wish.body} : "",
                                     .has_body = wish.body != nullptr,
                                     .body_sha256 = wish.body_sha256,
                                     .key_id = key.key_id,
                                     .at = now},
                                    wish.scheme);
  const auto signature = key.key_at(now, wish.with_previous_key).sign(prepared.base);
  return add_signature(std::move(prepared), signature);
}

void sign_and_hand_on(sign_and_send& order, const own_key& key, time_point now) {
  auto headers = sign_headers(order.wish, key, now);
  std::ranges::move(order.request.headers, std::back_inserter(headers));
  order.request.headers = std::move(headers);
  order.unsent.let_go();
  order.sender->send(std::move(order.request), std::move(order.done));
}

signing_worker_handle::behavior_type signing_worker(signing_worker_handle::pointer,
                                                    std::shared_ptr<work_box> box,
                                                    caf::weak_actor_ptr pool) {
  return {[box = std::move(box), pool = std::move(pool)](signing_done) {
    for (auto& run : std::exchange(box->run, {}))
      run();
    box->is_done = true;
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(pool))
      caf::anon_send(caf::actor_cast<signing_handle>(alive), signing_done{});
  }};
}

} // namespace trunkline
