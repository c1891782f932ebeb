/// Requests as a connection reads them, cut where the first byte says: the cut changes nothing, and
/// what is accepted holds to the limits.
#include "net/http_worker.hpp"
#include "net/request_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace trunkline;

namespace {

struct outcome {
  int status = 0; ///< 0: wants more; 200: complete; else the fault.
  http_request request;
  std::string leftover;
};

http_server_shared& shared() {
  static http_server_shared state{
      {.header_bytes_max = 1024, .headers_max = 10, .target_bytes_max = 64, .body_bytes_max = 256},
      {},
      {}};
  return state;
}

void feed(request_reader& exchange, std::string_view text) {
  while (!text.empty()) {
    const auto room = exchange.prepare();
    const auto bytes = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), bytes);
    exchange.commit(bytes);
    text.remove_prefix(bytes);
  }
}

outcome read(std::string_view text, std::size_t step) {
  request_reader exchange{shared(), {}};
  for (;;) {
    switch (exchange.advance()) {
    case http_progress::refused:
      return {exchange.fault().status, {}, {}};
    case http_progress::complete: {
      auto request = exchange.take_request();
      return {200, std::move(request), exchange.take_leftover() + std::string{text}};
    }
    case http_progress::body_begins:
      continue;
    case http_progress::more:
      if (text.empty())
        return {};
      feed(exchange, text.substr(0, step));
      text.remove_prefix(std::min(step, text.size()));
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
  const auto whole = read(text, text.size());
  const auto cut = read(text, bytes[0] % 16U + 1);
  if (shared().bodies_bytes != 0)
    std::abort();
  if ((whole.status == 200) != (cut.status == 200))
    std::abort();
  if (whole.status != 200)
    return 0;
  if (whole.request.path != cut.request.path || whole.request.query != cut.request.query ||
      whole.request.body != cut.request.body || whole.request.headers != cut.request.headers ||
      whole.leftover != cut.leftover)
    std::abort();
  if (!whole.request.path.starts_with('/') || whole.request.body.size() > 256 ||
      whole.request.headers.size() > 10)
    std::abort();
  return 0;
}
