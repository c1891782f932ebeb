#include "net/outgoing_exchange.hpp"

#include "net/request_head.hpp"
#include "protocol/address_rules.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>

namespace trunkline {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t joined_body_bytes_max = 16 * 1024;
constexpr int reads_in_a_row_max = 4;

std::string words_of(int failure) {
  return std::generic_category().message(failure);
}

bool is_want_of_room(int failure) {
  return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM ||
         failure == EADDRNOTAVAIL;
}

std::string_view without_brackets(std::string_view name) {
  return name.starts_with('[') ? name.substr(1, name.size() - 2) : name;
}

std::chrono::microseconds micros(std::chrono::nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span);
}

} // namespace

outgoing_exchange::outgoing_exchange(client_shared& shared, outgoing_request request,
                                     std::shared_ptr<const remote_url> url, exchange_end done)
    : shared_{shared}, request_{std::move(request)}, url_{std::move(url)}, done_{std::move(done)},
      begun_at_{steady_clock::now()}, step_at_{begun_at_} {}

void outgoing_exchange::start() {
  shared_.pool->acquire(url_->host, *this);
  if (step_ == step::waiting)
    enter(step::waiting);
}

void outgoing_exchange::abort(std::string reason) {
  fail_here(std::move(reason));
}

void outgoing_exchange::cancel() {
  fail_here("ended early", true);
}

void outgoing_exchange::on_turn(std::shared_ptr<client_connection> kept) {
  has_turn_ = true;
  if (!kept)
    return find_addresses();
  ++shared_.counts.reused;
  is_reused_ = true;
  connection_ = std::move(kept);
  connection_->belongs_to(this);
  begin_request();
}

// --- where to ---

void outgoing_exchange::find_addresses() {
  enter(step::name);
  if (const auto ip = parse_ip(without_brackets(url_->host.name)))
    return on_name({.addresses = {*ip}});
  if (const auto* known = shared_.names->find(url_->host.name))
    return on_name(*known);
  shared_.names->look_up(url_->host.name, weak_from_this());
}

void outgoing_exchange::on_name(const name_answer& answer) {
  if (step_ != step::name)
    return;
  if (answer.addresses.empty())
    return fail({.phase = exchange_phase::name,
                 .timed_out = answer.timed_out,
                 .name_unknown = answer.is_unknown,
                 .reason = std::string{answer.reason}});
  addresses_.clear();
  tried_ = 0;
  std::ranges::copy_if(answer.addresses, std::back_inserter(addresses_), [&](const ip_bytes& ip) {
    return is_allowed_address(ip, shared_.allowed_addresses);
  });
  if (addresses_.empty())
    return fail({.phase = exchange_phase::refused,
                 .reason = "the address " + to_text(answer.addresses.front()) + " is not allowed"});
  enter(step::connect);
  connection_ = std::make_shared<client_connection>(shared_, url_->host);
  connection_->belongs_to(this);
  connect_next();
}

void outgoing_exchange::connect_next() {
  auto failure = 0;
  while (tried_ < addresses_.size()) {
    const auto left = static_cast<std::int64_t>(addresses_.size() - tried_);
    const auto until = step_at_ + shared_.options.connect_limit;
    // Each address has its share of the time: a dead one does not cost the others theirs.
    const auto now = steady_clock::now();
    deadline_ = std::min(now + (until - now) / left, begun_at_ + shared_.options.total_limit);
    auto state = connection_->connect(addresses_[tried_++]);
    failure = errno;
    while (state == io_state::failed && is_want_of_room(failure) && shared_.pool->evict_one()) {
      state = connection_->connect(addresses_[tried_ - 1]);
      failure = errno;
    }
    if (state == io_state::done)
      return on_connected();
    if (state == io_state::waits)
      return shared_.limits.set_at_most(*this, deadline_);
  }
  if (is_want_of_room(failure))
    return fail({.phase = exchange_phase::refused, .reason = words_of(failure)});
  fail_here(words_of(failure));
}

void outgoing_exchange::on_connected() {
  if (url_->host.scheme != "https")
    return begin_request();
  enter(step::tls);
  shake_hands();
}

void outgoing_exchange::shake_hands() {
  const auto state = connection_->shake_hands();
  if (state == io_state::failed)
    return fail_here(connection_->failure());
  if (state == io_state::done)
    begin_request();
}

// --- the request and its answer ---

void outgoing_exchange::on_ready() {
  const auto self = shared_from_this();
  if (step_ == step::tls)
    return shake_hands();
  if (step_ != step::connect)
    return exchange_bytes();
  const auto failure = connection_->connect_failure();
  if (failure == 0)
    return on_connected();
  if (tried_ < addresses_.size())
    return connect_next();
  fail_here(words_of(failure));
}

void outgoing_exchange::begin_request() {
  enter(step::write);
  written_ = 0;
  head_ = make_request_head(request_, *url_, shared_.options.user_agent);
  if (request_.body && request_.body->size() <= joined_body_bytes_max)
    head_ += *request_.body;
  reader_.emplace(answer_limits{.header_bytes_max = shared_.options.header_bytes_max,
                                .body_bytes_max = request_.response_bytes_max,
                                .interim_max = shared_.options.interim_answers_max},
                  request_.method == http_method::head);
  exchange_bytes();
}

void outgoing_exchange::exchange_bytes() {
  const auto used = connection_; // a retry takes another one
  const auto was_writing = step_ == step::write;
  const auto is_intact = !was_writing || write_some();
  used->await_read();
  if (was_writing && step_ == step::first_byte)
    return; // no answer can be there yet: a read would be for nothing
  read_some();
  // An answer to half a request may lie there; without one the request is lost.
  if (!is_intact && step_ == step::write && used == connection_)
    on_lost("the connection was closed while the request was sent");
}

/// Returns false when the connection is broken.
bool outgoing_exchange::write_some() {
  const auto joined = !request_.body || request_.body->size() <= joined_body_bytes_max;
  const auto rest = joined ? std::string_view{} : std::string_view{*request_.body};
  while (written_ < head_.size() + rest.size()) {
    const auto result =
        connection_->write(written_ < head_.size() ? std::string_view{head_}.substr(written_)
                                                   : rest.substr(written_ - head_.size()));
    if (result.state == io_state::waits)
      return true;
    if (result.state != io_state::done)
      return false;
    written_ += result.bytes;
  }
  enter(step::first_byte);
  return true;
}

void outgoing_exchange::read_some() {
  for (auto reads = 0; reads < reads_in_a_row_max; ++reads) {
    const auto result = connection_->read(reader_->prepare());
    if (result.state == io_state::waits)
      return;
    on_read(result);
    if (step_ == step::done || result.state != io_state::done)
      return;
  }
  // More may lie in TLS than in the socket: come back when the others had their turn.
  boost::asio::post(shared_.loop, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->step_ >= step::write && self->step_ != step::done)
      self->read_some();
  });
}

void outgoing_exchange::on_read(io_result result) {
  if (result.state == io_state::done) {
    const auto progress = reader_->advance(result.bytes);
    count_body();
    return step_ == step::done ? void() : on_progress(progress);
  }
  if (result.state == io_state::closed && reader_->in_body())
    return on_progress(reader_->finish());
  on_lost(reader_->began() ? "the answer broke off"
                           : "the connection was closed without an answer");
}

void outgoing_exchange::on_progress(answer_progress progress) {
  if (reader_->in_body() && step_ != step::body) {
    is_early_ = step_ == step::write;
    enter(step::body);
  }
  if (progress == answer_progress::broken)
    return fail_here(reader_->fault());
  if (progress == answer_progress::complete)
    end(reader_->take());
}

void outgoing_exchange::on_lost(std::string reason) {
  if (may_retry())
    return retry();
  fail_here(std::move(reason));
}

/// A kept connection may have been closed before the request arrived. What may change something
/// over there is sent again only when no byte of it left.
bool outgoing_exchange::may_retry() const {
  if (!is_reused_ || is_retried_ || reader_->began())
    return false;
  return request_.method == http_method::get || request_.method == http_method::head ||
         written_ == 0;
}

void outgoing_exchange::retry() {
  ++shared_.counts.retries;
  is_retried_ = true;
  is_reused_ = false;
  connection_->belongs_to(nullptr);
  connection_->close();
  connection_.reset();
  timing_ = {};
  find_addresses();
}

// --- limits: moved lazily, because most of them never come ---

void outgoing_exchange::enter(step next) {
  const auto now = steady_clock::now();
  if (step_ != step::waiting)
    timing_of(step_) += micros(now - step_at_);
  step_ = next;
  step_at_ = now;
  deadline_ = std::min(now + limit_of(next), begun_at_ + shared_.options.total_limit);
  if (next != step::done)
    shared_.limits.set_at_most(*this, deadline_);
}

/// May be that of a step before.
void outgoing_exchange::on_deadline() {
  if (steady_clock::now() < deadline_)
    return shared_.limits.set_at_most(*this, deadline_);
  if (step_ == step::connect && tried_ < addresses_.size())
    return connect_next();
  fail_here(step_ == step::waiting ? "all connections to the host are in use" : "timed out", true);
}

std::chrono::nanoseconds outgoing_exchange::limit_of(step next) const {
  const auto& options = shared_.options;
  switch (next) {
  case step::name:
    return options.name_limit;
  case step::connect:
    return options.connect_limit;
  case step::tls:
    return options.tls_limit;
  case step::write:
  case step::first_byte:
    return options.first_byte_limit;
  case step::waiting:
  case step::body:
  case step::done:
    break;
  }
  return options.total_limit;
}

std::chrono::microseconds& outgoing_exchange::timing_of(step of) {
  switch (of) {
  case step::name:
    return timing_.name;
  case step::connect:
    return timing_.connect;
  case step::tls:
    return timing_.tls;
  case step::first_byte:
    return timing_.first_byte;
  default:
    return timing_.total; // set at the end
  }
}

// --- the end ---

void outgoing_exchange::count_body() {
  const auto bytes = reader_->body_bytes();
  shared_.bodies_bytes += bytes - body_counted_;
  body_counted_ = bytes;
  if (shared_.bodies_bytes > shared_.options.bodies_bytes_max)
    fail({.phase = exchange_phase::body, .reason = "too many answers are being received"});
}

void outgoing_exchange::fail_here(std::string reason, bool timed_out) {
  const auto phase =
      step_ == step::waiting ? exchange_phase::refused : static_cast<exchange_phase>(step_);
  fail({.phase = phase, .timed_out = timed_out, .reason = std::move(reason)});
}

void outgoing_exchange::fail(exchange_failure failure) {
  end(std::move(failure));
}

void outgoing_exchange::end(std::variant<exchange_failure, incoming_response> result) {
  if (step_ == step::done)
    return;
  const auto self = shared_from_this();
  const auto is_answered = std::holds_alternative<incoming_response>(result);
  const auto is_whole =
      step_ == step::body && is_answered && reader_->keeps_connection() && written_ >= head_.size();
  enter(step::done);
  shared_.limits.drop(*this);
  shared_.bodies_bytes -= std::exchange(body_counted_, 0);
  timing_.total = micros(step_at_ - begun_at_);
  auto connection = std::move(connection_);
  if (connection) {
    connection->belongs_to(nullptr);
    if (!is_whole)
      connection->close();
  }
  if (has_turn_)
    shared_.pool->release(url_->host, is_whole ? std::move(connection) : nullptr);
  else
    shared_.pool->cancel(url_->host, *this);
  const auto done = std::exchange(done_, nullptr);
  done(*this, {std::move(result), timing_});
}

} // namespace trunkline
