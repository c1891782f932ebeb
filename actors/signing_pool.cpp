#include "actors/signing_pool.hpp"

#include "actors/messages.hpp"
#include "actors/own_thread.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace trunkline {

namespace {

caf::error too_many() {
  return make_error(errc::unavailable, "signing: too many requests wait");
}

caf::error no_such_account(account_id owner) {
  return make_error(errc::not_found, "signing: no account of ours is " + to_string(owner));
}

/// The origin in a URL of a request, by which hosts take turns; any text will do.
std::string host_of(std::string_view url) {
  constexpr auto mark = std::string_view{"://"};
  const auto scheme = url.find(mark);
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + mark.size();
  return std::string{url.substr(0, url.find('/', begin))};
}

} // namespace

signing_pool_state::~signing_pool_state() {
  const auto ending = make_error(errc::unavailable, "signing: shutting down");
  for (auto& [id, answer] : signs_)
    answer.deliver(ending);
  for (auto& [id, answer] : asks_)
    answer.deliver(ending);
}

signing_handle::behavior_type
signing_pool_state::make_behavior(signing_pool_dependencies dependencies,
                                  signing_pool_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  queue_ = signing_queue<question>{options_.direct_share};
  start_workers();
  return {
      [this](const sign_request& wish) { return sign(wish); },
      [this](sign_and_send& order) { send(order); },
      [this](const ask_public_key& wish) { return tell_key(wish); },
      [this](signing_done) { collect(); },
  };
}

/// Workers are linked: they end with the pool, and the pool with a worker that fails.
void signing_pool_state::start_workers() {
  const auto me = caf::actor_cast<caf::weak_actor_ptr>(signing_handle{self_});
  for (auto count = std::max<std::size_t>(1, options_.workers); count > 0; --count) {
    auto box = std::make_shared<work_box>();
    auto handle =
        options_.detached
            ? on_own_thread(self_->spawn<caf::linked + caf::detached>(signing_worker, box, me))
            : self_->spawn<caf::linked>(signing_worker, box, me);
    workers_.push_back({.handle = std::move(handle), .box = std::move(box), .finish = {}});
  }
}

caf::result<signed_headers> signing_pool_state::sign(const sign_request& wish) {
  if (is_full())
    return too_many();
  const auto id = ++last_question_;
  auto answer = self_->make_response_promise<signed_headers>();
  signs_.emplace(id, answer);
  queue_.put(wish.cls, host_of(wish.url),
             {.id = id,
              .owner = wish.signer,
              .wish = std::make_shared<const sign_request>(wish),
              .order = nullptr});
  pump();
  return answer;
}

void signing_pool_state::send(sign_and_send& order) {
  if (is_full())
    return order.unsent.fail(too_many());
  ++orders_;
  const auto kept = std::make_shared<sign_and_send>(std::move(order));
  queue_.put(kept->wish.cls, host_of(kept->wish.url),
             {.id = 0,
              .owner = kept->wish.signer,
              .wish = std::shared_ptr<const sign_request>{kept, &kept->wish},
              .order = kept});
  pump();
}

caf::result<public_key_text> signing_pool_state::tell_key(const ask_public_key& wish) {
  if (const auto key = has_.keys->find(wish.owner, self_->clock().now()))
    return public_key_text{key->public_pem};
  if (is_full())
    return too_many();
  const auto id = ++last_question_;
  auto answer = self_->make_response_promise<public_key_text>();
  asks_.emplace(id, answer);
  queue_.put(delivery_class::direct, {},
             {.id = id, .owner = wish.owner, .wish = nullptr, .order = nullptr});
  pump();
  return answer;
}

/// Ends what the workers have done.
void signing_pool_state::collect() {
  for (auto& each : workers_)
    if (each.box->is_done.exchange(false))
      for (auto& finish : std::exchange(each.finish, {}))
        finish();
  pump();
}

void signing_pool_state::pump() {
  for (auto& each : workers_) {
    if (!each.finish.empty())
      continue;
    auto next = next_job();
    if (!next)
      return;
    employ(each, std::move(*next));
  }
}

/// When many wait a worker gets a few signatures at once: a hand-over takes as long as a tenth of
/// one.
void signing_pool_state::employ(worker& free, job first) {
  const auto share = std::min(options_.turn_max, queue_.size() / workers_.size() + 1);
  auto next = std::optional{std::move(first)};
  while (next) {
    const auto ends_turn = !next->is_short || free.finish.size() + 1 >= share;
    free.finish.push_back(std::move(next->finish));
    free.box->run.push_back(std::move(next->run));
    next = ends_turn || may_make() ? std::nullopt : next_job();
  }
  self_->send(free.handle, signing_done{});
}

std::optional<signing_pool_state::job> signing_pool_state::next_job() {
  if (may_make()) {
    const auto owner = makings_.front();
    makings_.pop_front();
    return make_job(owner);
  }
  made_last_ = false;
  if (!urgent_.empty()) {
    auto next = std::move(urgent_.front());
    urgent_.pop_front();
    return next;
  }
  while (loading_ < options_.loads_max) {
    auto asked = queue_.take();
    if (!asked)
      return std::nullopt;
    if (auto work = take_question(std::move(*asked)))
      return work;
  }
  return std::nullopt;
}

/// Returns what is to be done for a question whose key is known.
std::optional<signing_pool_state::job> signing_pool_state::take_question(question asked) {
  auto key = has_.keys->find(asked.owner, self_->clock().now());
  if (!key)
    park(std::move(asked));
  else if (asked.wish)
    return sign_job(asked, std::move(key));
  else
    answer_key(asked.id, key->public_pem);
  return std::nullopt;
}

/// One key at a time, and something else after each.
bool signing_pool_state::may_make() const {
  const auto has_other = !urgent_.empty() || queue_.size() > 0;
  return !makings_.empty() && !is_making_ && !(made_last_ && has_other);
}

signing_pool_state::job signing_pool_state::sign_job(const question& asked, own_key_ptr key) {
  if (asked.order)
    return {.run = [order = asked.order, key = std::move(key),
                    now = has_.clock()] { sign_and_hand_on(*order, *key, now); },
            .finish = [this] { --orders_; },
            .is_short = true};
  auto made = std::make_shared<http_headers>();
  return {.run = [made, wish = asked.wish, key = std::move(key),
                  now = has_.clock()] { *made = sign_headers(*wish, *key, now); },
          .finish = [this, made, id = asked.id] { answer_signed(id, std::move(*made)); },
          .is_short = true};
}

signing_pool_state::job signing_pool_state::parse_job(account_id owner, std::uint64_t version,
                                                      own_key_row row) {
  auto key = std::make_shared<std::optional<caf::expected<own_key_ptr>>>();
  auto key_id = key_id_of(owner, row.name);
  return {.run = [key, secret = has_.secret_key, row = std::move(row),
                  key_id = std::move(key_id)] { key->emplace(read_key(secret, row, key_id)); },
          .finish = [this, key, owner, version] { take_key(owner, version, std::move(**key)); }};
}

signing_pool_state::job signing_pool_state::make_job(account_id owner) {
  is_making_ = true;
  made_last_ = true;
  auto made = std::make_shared<made_key>();
  return {.run = [made, secret = has_.secret_key] { *made = make_key(secret); },
          .finish =
              [this, made, owner] {
                is_making_ = false;
                store(owner, made);
              }};
}

/// Lets a question wait for the key of its owner, which is read unless it is on its way.
void signing_pool_state::park(question asked) {
  const auto owner = asked.owner;
  const auto [found, is_first] = parked_.try_emplace(owner);
  found->second.late.push_back(std::move(asked));
  if (is_first)
    read(owner);
}

/// Lets what storage is about to be asked count for everybody who waits by now.
void signing_pool_state::admit(account_id owner) {
  auto& [waiting, late] = parked_.at(owner);
  std::ranges::move(late, std::back_inserter(waiting));
  late.clear();
}

void signing_pool_state::read(account_id owner) {
  admit(owner);
  ++loading_;
  const auto version = has_.keys->version();
  ask_storage(self_, has_.storage, query<std::optional<own_key_row>>{[owner](database& db) {
                return find_own_key(db, owner);
              }},
              [this, owner, version](const caf::expected<std::optional<own_key_row>>& found) {
                take_row(owner, version, found);
                pump();
              });
}

void signing_pool_state::take_row(account_id owner, std::uint64_t version,
                                  const caf::expected<std::optional<own_key_row>>& found) {
  --loading_;
  if (!found)
    return refuse(owner, found.error());
  if (!*found)
    return refuse(owner, no_such_account(owner));
  if ((*found)->has_key())
    return use_row(owner, version, **found);
  if (makings_.size() >= options_.makings_max)
    return refuse(owner, too_many());
  makings_.push_back(owner);
}

/// Answers whoever asks for the public key at once; only a signature needs the key to be read.
void signing_pool_state::use_row(account_id owner, std::uint64_t version, const own_key_row& row) {
  auto& waiting = parked_.at(owner).waiting;
  std::erase_if(waiting, [&](const question& asked) {
    if (!asked.wish)
      answer_key(asked.id, row.pair.public_pem);
    return !asked.wish;
  });
  if (waiting.empty()) {
    end_waiting(owner);
    return;
  }
  const auto known = has_.keys->last(owner);
  if (known && known->public_pem == row.pair.public_pem &&
      known->previous_until == row.previous_until)
    return take_key(owner, version, known);
  urgent_.push_back(parse_job(owner, version, row));
}

void signing_pool_state::store(account_id owner, const std::shared_ptr<const made_key>& made) {
  admit(owner);
  const auto version = has_.keys->version();
  ask_storage(
      self_, has_.storage,
      command<std::optional<own_key_row>>{[owner, made](write_context& context) {
        return store_first_key(context.db, owner, made->pair);
      }},
      [this, owner, made, version](const caf::expected<std::optional<own_key_row>>& stored) {
        take_stored(owner, version, *made, stored);
        pump();
      });
}

/// Whichever key came first counts.
void signing_pool_state::take_stored(account_id owner, std::uint64_t version, const made_key& made,
                                     const caf::expected<std::optional<own_key_row>>& stored) {
  if (!stored)
    return refuse(owner, stored.error());
  if (!*stored)
    return refuse(owner, no_such_account(owner));
  const auto& row = **stored;
  if (row.pair.public_pem != made.pair.public_pem)
    return use_row(owner, version, row);
  auto key = own_key{.key_id = key_id_of(owner, row.name),
                     .public_pem = row.pair.public_pem,
                     .current = made.key,
                     .previous = std::nullopt,
                     .previous_until = row.previous_until};
  take_key(owner, version, std::make_shared<const own_key>(std::move(key)));
}

void signing_pool_state::take_key(account_id owner, std::uint64_t version,
                                  caf::expected<own_key_ptr> key) {
  if (!key)
    return refuse(owner, key.error());
  has_.keys->keep(owner, *key, version);
  for (const auto& asked : end_waiting(owner)) {
    if (asked.wish)
      urgent_.push_back(sign_job(asked, *key));
    else
      answer_key(asked.id, (*key)->public_pem);
  }
}

void signing_pool_state::refuse(account_id owner, const caf::error& failure) {
  for (const auto& asked : end_waiting(owner))
    answer_failure(asked, failure);
}

/// Returns who waited for the key; who came too late for it is taken anew.
std::vector<signing_pool_state::question> signing_pool_state::end_waiting(account_id owner) {
  auto ended = parked_.extract(owner);
  for (auto& asked : ended.mapped().late)
    if (auto work = take_question(std::move(asked)))
      urgent_.push_back(std::move(*work));
  return std::move(ended.mapped().waiting);
}

void signing_pool_state::answer_signed(question_id id, http_headers headers) {
  if (auto answer = signs_.extract(id))
    answer.mapped().deliver(signed_headers{std::move(headers)});
}

void signing_pool_state::answer_key(question_id id, const std::string& pem) {
  if (auto answer = asks_.extract(id))
    answer.mapped().deliver(public_key_text{pem});
}

void signing_pool_state::answer_failure(const question& asked, const caf::error& failure) {
  if (asked.order) {
    --orders_;
    return asked.order->unsent.fail(failure);
  }
  if (auto answer = signs_.extract(asked.id))
    answer.mapped().deliver(failure);
  if (auto answer = asks_.extract(asked.id))
    answer.mapped().deliver(failure);
}

std::string signing_pool_state::key_id_of(account_id owner, const std::string& name) const {
  return owner == instance_actor ? has_.urls.instance_actor() + "#main-key"
                                 : has_.urls.main_key(name);
}

signing_handle::behavior_type signing_pool(watched_pointer<signing_handle, signing_pool_state> self,
                                           signing_pool_dependencies dependencies,
                                           signing_pool_options options) {
  self->set_label("signing_pool");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
