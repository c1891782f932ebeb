#include "net/body_coding.hpp"

#include "net/request_rules.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <array>

#include <zlib.h>

namespace trunkline {

namespace {

constexpr std::size_t step_bytes = 16 * 1024;

// What zlib wants to hear as "window bits".
constexpr int gzip_window = 15 + 16;
constexpr int zlib_window = 15;
constexpr int bare_window = -15;

class inflater {
public:
  explicit inflater(int window) { ready_ = inflateInit2(&stream_, window) == Z_OK; }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  ~inflater() {
    if (ready_)
      inflateEnd(&stream_);
  }

  caf::expected<std::string> run(std::string& body, std::size_t bytes_max) {
    if (!ready_)
      return make_error(errc::unavailable, "body: no memory to inflate it");
    stream_.next_in = reinterpret_cast<Bytef*>(body.data());
    stream_.avail_in = static_cast<uInt>(body.size());
    std::string result;
    std::array<char, step_bytes> part;
    for (auto code = Z_OK; code != Z_STREAM_END;) {
      stream_.next_out = reinterpret_cast<Bytef*>(part.data());
      stream_.avail_out = static_cast<uInt>(part.size());
      code = inflate(&stream_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END)
        return make_error(errc::malformed, "body: cannot be inflated");
      const auto bytes = part.size() - stream_.avail_out;
      if (bytes > bytes_max - result.size())
        return make_error(errc::too_large, "body: too large when inflated");
      result.append(part.data(), bytes);
    }
    if (stream_.avail_in > 0)
      return make_error(errc::malformed, "body: bytes behind its compressed end");
    return result;
  }

private:
  z_stream stream_{};
  bool ready_ = false;
};

/// Senders of "deflate" disagree about whether zlib's header belongs to it.
bool has_zlib_header(std::string_view body) {
  if (body.size() < 2)
    return false;
  const auto first = static_cast<unsigned char>(body[0]);
  const auto second = static_cast<unsigned char>(body[1]);
  return (first & 0x0f) == Z_DEFLATED && (first << 8 | second) % 31 == 0;
}

} // namespace

caf::expected<std::string> decode_body(std::string_view coding, std::string body,
                                       std::size_t bytes_max) {
  if (body.empty() || coding.empty() || equal_ignoring_case(coding, "identity"))
    return body;
  if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip"))
    return inflater{gzip_window}.run(body, bytes_max);
  if (equal_ignoring_case(coding, "deflate"))
    return inflater{has_zlib_header(body) ? zlib_window : bare_window}.run(body, bytes_max);
  return make_error(errc::invalid, "body: unknown Content-Encoding");
}

} // namespace trunkline
