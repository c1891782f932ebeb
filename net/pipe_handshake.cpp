#include "net/pipe_handshake.hpp"

#include "protocol/errc.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <utility>

#include <unistd.h>

namespace trunkline {

namespace {

using boost::system::error_code;
using wait_kind = boost::asio::posix::descriptor_base;

/// The word of welcome, and with it the version of what follows.
constexpr char welcome = 1;

} // namespace

pipe_handshake::pipe_handshake(boost::asio::io_context& loop,
                               std::shared_ptr<const node_credentials> credentials,
                               peer_question question)
    : loop_{loop}, timer_{loop}, credentials_{std::move(credentials)},
      question_{std::move(question)}, judge_{[this](const std::optional<std::string>& name) {
        return judge(name);
      }} {}

void pipe_handshake::start(int descriptor, pipe_side side, time_point now,
                           std::chrono::steady_clock::time_point until, end_handler ended) {
  side_ = side;
  ended_ = std::move(ended);
  if (auto* ssl = credentials_->open(side, judge_, now))
    stream_ = std::make_unique<pipe_stream>(loop_, descriptor, ssl);
  else
    ::close(descriptor);
  timer_.expires_at(until);
  timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (!failure)
      self->fail(make_error(errc::timed_out, "the handshake took too long"));
  });
  boost::asio::post(loop_, [self = shared_from_this()] { self->go_on(); });
}

void pipe_handshake::fail(caf::error why) {
  if (step_ != step::over)
    end(std::move(why));
}

void pipe_handshake::stop() {
  step_ = step::over;
  timer_.cancel();
  ended_ = nullptr;
  stream_.reset();
}

bool pipe_handshake::judge(const std::optional<std::string>& name) {
  if (!name) {
    refusal_ = "its certificate names no node";
    return false;
  }
  peer_ = *name;
  refusal_ = question_(peer_).value_or("");
  return refusal_.empty();
}

void pipe_handshake::go_on() {
  if (step_ == step::over)
    return;
  if (!stream_)
    return fail(make_error(errc::unavailable, "no memory for TLS"));
  auto done = take_step();
  if (done.state == io_state::done && std::exchange(step_, step::welcome) == step::tls)
    done = take_step();
  if (step_ == step::over)
    return;
  if (done.state == io_state::done)
    return end(proven_peer{std::move(peer_), std::move(stream_), credentials_});
  if (done.state != io_state::waits)
    return refuse();
  stream_->socket().async_wait(done.wants_write ? wait_kind::wait_write : wait_kind::wait_read,
                               [self = shared_from_this()](error_code failure) {
                                 if (!failure)
                                   self->go_on();
                               });
}

stream_result pipe_handshake::take_step() {
  if (step_ == step::tls)
    return stream_->shake_hands();
  if (side_ == pipe_side::accepts)
    return stream_->write({&welcome, 1});
  std::array<char, 1> word{};
  const auto got = stream_->read(word);
  if (got.state != io_state::done || word[0] == welcome)
    return got;
  refusal_ = "the peer is a node of another version";
  return {};
}

void pipe_handshake::refuse() {
  auto words = refusal_;
  if (words.empty())
    words = stream_->failure().empty() ? "the connection was closed" : stream_->failure();
  if (refusal_.empty() && step_ == step::welcome)
    words = "the peer did not let this node in: " + words;
  fail(make_error(errc::forbidden, std::move(words)));
}

void pipe_handshake::end(caf::expected<proven_peer> outcome) {
  const auto self = shared_from_this();
  step_ = step::over;
  timer_.cancel();
  const auto handler = std::exchange(ended_, nullptr);
  stream_.reset();
  if (handler)
    handler(std::move(outcome));
}

} // namespace trunkline
