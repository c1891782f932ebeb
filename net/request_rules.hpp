/// What a request must look like before anything reads meaning into it: strict framing of HTTP/1.
///
/// Pure code over bytes. Everything here is stricter than the library's parser, because a request
/// that a proxy in front reads in another way is how requests are smuggled.
#pragma once

#include "net/http_types.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// Why a request is refused; the connection is closed after the answer.
struct http_fault {
  int status = 400;
  std::string_view message; ///< Static text.
};

inline constexpr http_fault bad_request_line{400, "Malformed request line"};
inline constexpr http_fault bad_header{400, "Malformed header"};
inline constexpr http_fault headers_too_large{431, "Request headers too large"};
inline constexpr http_fault target_too_long{414, "Request target too long"};
inline constexpr http_fault body_too_large{413, "Request body too large"};

struct head_limits {
  std::size_t header_bytes_max = 0;
  std::size_t headers_max = 0;
  std::size_t target_bytes_max = 0;
};

/// Finds the end of a head that arrives in pieces, looking at each byte once.
class head_scanner {
public:
  explicit head_scanner(head_limits limits) : limits_{limits} {}

  /// Looks at `text`, which begins where the head does and only ever grows. Sets `size` to the
  /// bytes of the head, its last empty line included, once it is whole. Returns a fault for a bare
  /// CR or LF, a NUL, or a limit that is passed.
  std::optional<http_fault> scan(std::string_view text, std::size_t& size);

private:
  std::optional<http_fault> take_line(std::string_view line);

  head_limits limits_;
  std::size_t line_begin_ = 0;
  std::size_t seen_ = 0;
  std::size_t lines_ = 0;
};

/// Judges each line of a whole head: no control characters, no folded or nameless header, no space
/// before the colon, one space between the parts of the request line.
std::optional<http_fault> check_lines(std::string_view head);

/// Judges Host, Content-Length, Transfer-Encoding and Expect. `minor` is the x of HTTP/1.x.
std::optional<http_fault> check_framing(const http_headers& headers, int minor);

/// Splits `target` into `request.path` and `request.query`. The absolute form must name the host
/// of the Host header. Refuses other forms, a path with a NUL or a broken percent escape.
std::optional<http_fault> take_target(std::string_view target, http_request& request);

/// Tells whether `left` and `right` are equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view left, std::string_view right);

} // namespace trunkline
