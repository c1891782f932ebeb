#include "net/pipe_pump.hpp"

#include "protocol/errc.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace trunkline {

namespace {

using boost::system::error_code;
using wait_kind = boost::asio::posix::descriptor_base;

/// Buffers moved before others have their turn.
constexpr int moves_in_a_row_max = 8;

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

caf::error ended(std::string words) {
  return make_error(errc::unavailable, std::move(words));
}

/// Tells whether the other side is gone, not merely has something urgent to say.
bool is_hung_up(int descriptor) {
  pollfd asked{descriptor, 0, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

std::string fault_of(int descriptor) {
  int fault = 0;
  socklen_t bytes = sizeof fault;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &bytes);
  return fault == 0 ? "the connection was cut" : std::generic_category().message(fault);
}

/// Lets the owner read what is there and then the end of it: without this the end is a reset
/// whenever something of the owner's was not taken.
void end_gently(int descriptor) {
  ::shutdown(descriptor, SHUT_RDWR);
  std::array<char, 16'384> ignored;
  while (::recv(descriptor, ignored.data(), ignored.size(), 0) > 0) {
  }
}

} // namespace

pipe_pump::pipe_pump(boost::asio::io_context& loop, std::unique_ptr<pipe_stream> stream, int local,
                     const node_pipe_limits& limits)
    : loop_{loop}, stream_{std::move(stream)}, local_{loop, local}, end_timer_{loop},
      end_limit_{limits.end_limit}, in_{limits.buffer_bytes}, out_{limits.buffer_bytes} {}

pipe_pump::~pipe_pump() = default;

void pipe_pump::start(pipe_guard guard, end_handler ended) {
  guard_ = std::move(guard);
  ended_ = std::move(ended);
  watch_local();
  watch_peer();
  drive(&pipe_pump::move_in); // before any wait: what came with the handshake wakes nobody up
  drive(&pipe_pump::move_out);
}

void pipe_pump::stop(caf::error why) {
  if (std::exchange(is_over_, true))
    return;
  const auto self = shared_from_this();
  end_timer_.cancel();
  end_gently(local_.native_handle());
  error_code ignored;
  local_.close(ignored);
  const auto handler = std::exchange(ended_, nullptr);
  handler(*this, why);
  guard_ = nullptr;
  stream_.reset();
}

/// Takes a step of one way, and the next one when what that waits for has come. A wait that was
/// cancelled is a reason to look again.
void pipe_pump::drive(step way) {
  if (is_over_)
    return;
  const auto next = (this->*way)();
  if (is_over_)
    return;
  auto go_on = [self = shared_from_this(), way](error_code = {}) { self->drive(way); };
  switch (next) {
  case wait::peer_read:
    return stream_->socket().async_wait(wait_kind::wait_read, std::move(go_on));
  case wait::peer_write:
    return stream_->socket().async_wait(wait_kind::wait_write, std::move(go_on));
  case wait::local_read:
    return local_.async_wait(wait_kind::wait_read, std::move(go_on));
  case wait::local_write:
    return local_.async_wait(wait_kind::wait_write, std::move(go_on));
  case wait::turn:
    return boost::asio::post(loop_, std::move(go_on));
  case wait::nothing:
    return;
  }
}

// --- from the peer ---

pipe_pump::wait pipe_pump::move_in() {
  for (int moves = 0; moves < moves_in_a_row_max; ++moves) {
    auto waits_for = in_.is_empty() ? fetch() : deliver();
    if (waits_for != wait::turn)
      return waits_for;
  }
  return wait::turn;
}

pipe_pump::wait pipe_pump::fetch() {
  const auto got = stream_->read(in_.room);
  if (got.state == io_state::waits)
    return got.wants_write ? wait::peer_write : wait::peer_read;
  if (got.state != io_state::done) {
    stop(ended(local_ended_                    ? "this node has ended it"
               : got.state == io_state::closed ? "the peer has ended it"
                                               : stream_->failure()));
    return wait::nothing;
  }
  if (local_ended_)
    return wait::turn;
  if (guard_ && !guard_({in_.room.data(), got.bytes})) {
    stop(make_error(errc::invalid, "the peer sent what no node sends"));
    return wait::nothing;
  }
  in_.begin = 0;
  in_.end = got.bytes;
  return wait::turn;
}

pipe_pump::wait pipe_pump::deliver() {
  const auto rest = in_.rest();
  const auto sent =
      local_ended_ ? -1 : ::send(local_.native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (sent < 0 && !local_ended_ && would_block())
    return wait::local_write;
  if (sent < 0) {
    in_.begin = in_.end; // nobody takes it any more
    begin_end();
    return wait::turn;
  }
  in_.begin += static_cast<std::size_t>(sent);
  return wait::turn;
}

// --- to the peer ---

pipe_pump::wait pipe_pump::move_out() {
  for (int moves = 0; moves < moves_in_a_row_max; ++moves) {
    const auto waits_for = out_.is_empty() ? collect() : send_on();
    if (waits_for != wait::turn)
      return waits_for;
  }
  return wait::turn;
}

pipe_pump::wait pipe_pump::collect() {
  const auto got = ::recv(local_.native_handle(), out_.room.data(), out_.room.size(), 0);
  if (got < 0 && would_block())
    return wait::local_read;
  if (got <= 0)
    return end_locally();
  out_.begin = 0;
  out_.end = static_cast<std::size_t>(got);
  return wait::turn;
}

pipe_pump::wait pipe_pump::send_on() {
  const auto sent = stream_->write(out_.rest());
  if (sent.state == io_state::waits)
    return sent.wants_write ? wait::peer_write : wait::peer_read;
  if (sent.state != io_state::done) {
    stop(ended(stream_->failure()));
    return wait::nothing;
  }
  out_.begin += sent.bytes;
  return wait::turn;
}

/// All is sent. The connection is closed only when the peer has closed it too: with bytes of the
/// peer's unread, closing it would be a reset, which takes back what was sent.
pipe_pump::wait pipe_pump::end_locally() {
  local_ended_ = true;
  begin_end();
  stream_->end_writing();
  local_.cancel(); // whoever waits for the owner to read waits in vain
  return wait::nothing;
}

// --- the end ---

/// What the owner wrote before has this long to be sent.
void pipe_pump::begin_end() {
  if (std::exchange(is_ending_, true))
    return;
  end_timer_.expires_after(end_limit_);
  end_timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (!failure)
      self->stop(ended(self->out_.is_empty()
                           ? "this node has ended it"
                           : "this node has ended it, and the peer did not take the rest"));
  });
}

/// The owner may close its end while nothing is read from it, because the peer takes nothing.
void pipe_pump::watch_local() {
  local_.async_wait(wait_kind::wait_error, [self = shared_from_this()](error_code failure) {
    if (!failure && !self->is_over_ && !self->local_ended_ &&
        is_hung_up(self->local_.native_handle()))
      self->begin_end();
  });
}

/// The connection may break while nothing is read from it, because the owner takes nothing. What
/// reads finds out by itself.
void pipe_pump::watch_peer() {
  stream_->socket().async_wait(wait_kind::wait_error,
                               [self = shared_from_this()](error_code failure) {
                                 if (failure || self->is_over_ || self->in_.is_empty())
                                   return;
                                 const auto socket = self->stream_->socket().native_handle();
                                 if (is_hung_up(socket))
                                   self->stop(ended(fault_of(socket)));
                               });
}

} // namespace trunkline
