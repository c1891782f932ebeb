#include "net/http_answer.hpp"
#include "net/http_worker.hpp"
#include "net/request_reader.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace trunkline {

namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using error_code = boost::system::error_code;
using std::chrono::steady_clock;

/// Bytes thrown away at most before a close, so that the client can read why.
constexpr std::size_t linger_bytes_max = 4 * 1024 * 1024;
/// A body up to this size is copied behind its head and leaves in one write.
constexpr std::size_t joined_body_bytes_max = 16 * 1024;

struct client {
  bool over_unix_socket = false;
  ip_bytes ip{};
  std::uint32_t uid = UINT32_MAX;
};

enum class phase : std::uint8_t {
  handshaking,
  idle,     ///< Between requests; holds no buffer.
  reading,  ///< A head or a body.
  handling, ///< The handler has it.
  writing,
  lingering, ///< The last answer is out; reads on until the client closes.
  closed,
};

template <class Stream>
constexpr bool is_tls = !std::is_same_v<Stream, stream_protocol::socket>;

template <class Stream>
class connection final : public http_connection,
                         public std::enable_shared_from_this<connection<Stream>> {
public:
  connection(http_worker& worker, Stream stream, client peer)
      : worker_{worker}, shared_{*worker.shared}, stream_{std::move(stream)}, timer_{worker.loop},
        client_{peer} {}

  ~connection() override { leave(); }

  void start() override {
    if constexpr (is_tls<Stream>) {
      enter(phase::handshaking, shared_.options.handshake_limit);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code failure) {
                                if (failure)
                                  return self->close();
                                self->await_request(self->shared_.options.header_limit);
                              });
    } else {
      await_request(shared_.options.header_limit);
    }
  }

  void drain() override {
    if (phase_ != phase::idle)
      return;
    // A request that is already here is served; a client that never asked gets a moment to.
    if (socket().available(ignored_) > 0 || !served_)
      return enter(phase::idle, shared_.options.linger_limit);
    finish();
  }

  void abort() override { close(); }

private:
  auto& socket() {
    if constexpr (is_tls<Stream>)
      return stream_.next_layer();
    else
      return stream_;
  }

  // --- deadlines: one timer, moved lazily, because most deadlines never come ---

  void enter(phase next, std::chrono::nanoseconds limit) {
    phase_ = next;
    deadline_ = steady_clock::now() + limit;
    if (!armed_ || deadline_ < timer_.expiry())
      arm();
  }

  void arm() {
    armed_ = true;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = this->weak_from_this()](error_code failure) {
      const auto self = weak.lock();
      if (self && !failure && self->phase_ != phase::closed)
        self->on_timer();
    });
  }

  void on_timer() {
    if (steady_clock::now() < deadline_)
      return arm();
    armed_ = false;
    switch (phase_) {
    case phase::idle:
      if (!served_ && !worker_.draining)
        ++shared_.timeouts;
      return finish();
    case phase::reading:
      ++shared_.timeouts;
      timed_out_ = true; // the read in flight ends with an error and answers
      socket().cancel(ignored_);
      return;
    case phase::handling:
      ++shared_.timeouts;
      return respond(error_answer(503, "The request took too long"), true);
    case phase::handshaking:
      ++shared_.timeouts;
      return close();
    case phase::writing:
      ++shared_.timeouts;
      // Without this the kernel would go on offering the rest, in memory of its own.
      socket().set_option(asio::socket_base::linger{true, 0}, ignored_);
      return close();
    case phase::lingering:
    case phase::closed:
      return close();
    }
  }

  // --- reading ---

  /// Waits for the first byte of a request without holding a buffer.
  void await_request(std::chrono::nanoseconds limit) {
    reader_.reset();
    enter(phase::idle, worker_.draining ? shared_.options.linger_limit : limit);
    if constexpr (is_tls<Stream>) {
      stream_.async_read_some(asio::buffer(first_byte_),
                              [self = this->shared_from_this()](error_code failure, std::size_t n) {
                                self->on_first_byte(failure, n);
                              });
    } else {
      stream_.async_wait(asio::socket_base::wait_read,
                         [self = this->shared_from_this()](error_code failure) {
                           self->on_first_byte(failure, 0);
                         });
    }
  }

  void on_first_byte(error_code failure, std::size_t bytes) {
    if (phase_ != phase::idle)
      return;
    if (failure)
      return close();
    const auto until = deadline_;
    begin_exchange({first_byte_.data(), bytes});
    if (!served_)
      deadline_ = until; // the limit of the first head runs from the connect
    read_more();
  }

  void begin_exchange(std::string_view leftover) {
    reader_ = std::make_unique<request_reader>(shared_, leftover);
    enter(phase::reading, shared_.options.header_limit);
  }

  void read_more() {
    const auto space = reader_->prepare();
    stream_.async_read_some(asio::buffer(space.data(), space.size()),
                            [self = this->shared_from_this()](error_code failure, std::size_t n) {
                              self->on_read(failure, n);
                            });
  }

  void on_read(error_code failure, std::size_t bytes) {
    if (phase_ != phase::reading)
      return;
    if (timed_out_) // also when the read ended well just before it was cancelled
      return respond(error_answer(408, "The request took too long to arrive"), true);
    if (failure) {
      if (reader_->began())
        ++shared_.bad_requests; // the client went away in the middle of a request
      return close();
    }
    reader_->commit(bytes);
    advance();
  }

  void advance() {
    switch (reader_->advance()) {
    case http_progress::more:
      return read_more();
    case http_progress::body_begins:
      enter(phase::reading, shared_.options.body_limit);
      return reader_->expects_continue() ? send_continue() : advance();
    case http_progress::complete:
      return handle();
    case http_progress::refused:
      ++shared_.bad_requests;
      return respond(error_answer(reader_->fault().status, reader_->fault().message), true);
    }
  }

  void send_continue() {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(interim),
                      [self = this->shared_from_this()](error_code failure, std::size_t) {
                        if (self->phase_ != phase::reading)
                          return;
                        if (failure || self->timed_out_)
                          return self->close();
                        self->advance();
                      });
  }

  // --- handling ---

  void handle() {
    auto request = reader_->take_request();
    request.over_unix_socket = client_.over_unix_socket;
    request.peer_uid = client_.uid;
    if (!client_.over_unix_socket)
      request.peer = peer_of(shared_.proxies, client_.ip, request.headers);
    ++shared_.requests;
    served_ = true;
    enter(phase::handling, shared_.options.answer_limit);
    shared_.handler(std::move(request), make_reply());
  }

  http_reply make_reply() {
    return http_reply{[worker = worker_.weak_from_this(), weak = this->weak_from_this(),
                       turn = ++turn_](http_response response) {
      const auto alive = worker.lock();
      if (!alive)
        return;
      asio::dispatch(alive->loop, [weak, turn, response = std::move(response)]() mutable {
        const auto self = weak.lock();
        if (self && self->phase_ == phase::handling && self->turn_ == turn)
          self->respond(std::move(response), false);
      });
    }};
  }

  void respond(http_response response, bool fault) {
    closing_ = fault || response.close || worker_.draining || !reader_->keep_alive();
    enter(phase::writing, shared_.options.write_limit);
    head_ = answer_head(response, {worker_.date(), closing_});
    if (!reader_->is_head() && !is_bodiless(response.status))
      body_ = std::move(response.body);
    if (body_.size() <= joined_body_bytes_max) {
      head_ += body_;
      body_.clear();
    }
    const std::array buffers{asio::buffer(std::as_const(head_)),
                             asio::buffer(std::as_const(body_))};
    asio::async_write(stream_, buffers,
                      [self = this->shared_from_this()](error_code failure, std::size_t) {
                        self->on_written(failure);
                      });
  }

  void on_written(error_code failure) {
    if (phase_ != phase::writing)
      return;
    if (failure)
      return close();
    head_ = {};
    body_ = {};
    if (closing_ || worker_.draining)
      return finish();
    const auto leftover = reader_->take_leftover();
    if (leftover.empty())
      return await_request(shared_.options.idle_limit);
    begin_exchange(leftover);
    advance();
  }

  // --- closing ---

  /// Says goodbye and reads on for a while: closing with unread bytes would reset the connection
  /// and could take the last answer from the client.
  void finish() {
    reader_.reset();
    enter(phase::lingering, shared_.options.linger_limit);
    if constexpr (is_tls<Stream>) {
      socket().cancel(ignored_);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->linger(); });
    } else {
      linger();
    }
  }

  void linger() {
    if (phase_ != phase::lingering)
      return;
    socket().shutdown(asio::socket_base::shutdown_send, ignored_);
    socket().async_wait(
        asio::socket_base::wait_read,
        [self = this->shared_from_this()](error_code failure) { self->throw_away(failure); });
  }

  void throw_away(error_code failure) {
    if (phase_ != phase::lingering)
      return;
    std::array<char, 4096> bin;
    while (!failure && thrown_away_ < linger_bytes_max) {
      const auto bytes = socket().read_some(asio::buffer(bin), failure);
      thrown_away_ += bytes;
    }
    if (failure == asio::error::would_block && thrown_away_ < linger_bytes_max)
      return linger();
    close();
  }

  void close() {
    if (phase_ == phase::closed)
      return;
    phase_ = phase::closed;
    timer_.cancel();
    socket().close(ignored_);
    reader_.reset();
    const auto self = this->shared_from_this(); // `open` may hold the last owner
    worker_.open.erase(this);
    leave();
  }

  void leave() {
    if (std::exchange(counted_, false))
      shared_.census.leave(
          client_.over_unix_socket || shared_.proxies.covers(client_.ip) ? nullptr : &client_.ip);
  }

  http_worker& worker_;
  http_server_shared& shared_;
  Stream stream_;
  asio::steady_timer timer_;
  client client_;
  steady_clock::time_point deadline_;
  std::unique_ptr<request_reader> reader_;
  std::string head_;
  std::string body_;
  std::size_t thrown_away_ = 0;
  std::uint64_t turn_ = 0;
  error_code ignored_;
  std::array<char, is_tls<Stream> ? 1 : 0> first_byte_;
  phase phase_ = phase::idle;
  bool armed_ = false;
  bool timed_out_ = false;
  bool served_ = false;
  bool closing_ = false;
  bool counted_ = true;
};

template <class Stream>
void enter_connection(http_worker& worker, Stream stream, client peer) {
  const auto made = std::make_shared<connection<Stream>>(worker, std::move(stream), peer);
  worker.open.emplace(made.get(), made);
  made->start();
}

} // namespace

void open_connection(http_worker& worker, int descriptor, int family, const ip_bytes* peer,
                     std::uint32_t peer_uid) {
  auto socket = stream_protocol::socket{worker.loop, stream_protocol{family, 0}, descriptor};
  error_code ignored;
  socket.non_blocking(true, ignored);
  const auto who = client{peer == nullptr, peer ? *peer : ip_bytes{}, peer_uid};
  if (!worker.shared->tls || who.over_unix_socket)
    return enter_connection(worker, std::move(socket), who);
  enter_connection(
      worker, asio::ssl::stream<stream_protocol::socket>{std::move(socket), *worker.shared->tls},
      who);
}

} // namespace trunkline
