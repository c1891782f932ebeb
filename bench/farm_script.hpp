/// How a fake host behaves, as one word: `fast`, `slow:5000`, `black_hole` ...
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace trunkline::bench {

enum class host_mode : std::uint8_t {
  fast,        ///< 202 at once
  slow,        ///< slow:MS, 202 after MS
  black_hole,  ///< accepts and reads, never answers
  refuse,      ///< nothing listens
  drip,        ///< the answer comes at a byte a second
  retry_after, ///< retry_after:S, 429 with Retry-After in seconds
  retry_date,  ///< retry_date:S, 429 with Retry-After as the date in S seconds
  status,      ///< status:CODE, that status
  reset,       ///< reads the request, then resets the connection
  tls_broken,  ///< answers a hello, or anything, with what is neither TLS nor HTTP
  flapping,    ///< flapping:MS, answers for MS, then resets everything for MS, by turns
  recovering,  ///< recovering:N, 503 for N requests, then 202
  gets_hang,   ///< GETs are never answered, POSTs at once
  random       ///< random:P:Q, of 1,000 requests P get 503, Q are taken without an answer
};

struct host_script {
  host_mode mode = host_mode::fast;
  std::uint32_t first = 0;  ///< The number after the word.
  std::uint32_t second = 0; ///< The one after that.
  std::uint32_t latency_ms = 0;
};

/// Reads "WORD[:NUMBER[:NUMBER]][@LATENCY_MS]"; nothing when it is none.
std::optional<host_script> read_script(std::string_view text);

/// Writes what `read_script` reads.
std::string to_text(const host_script& script);

enum class reaction : std::uint8_t { answer, silence, drip, reset, garbage };

/// What is done about one request.
struct script_turn {
  reaction how = reaction::answer;
  int status = 202;
  std::uint32_t delay_ms = 0;
  std::uint32_t retry_after = 0;
  bool retry_as_date = false;
  bool is_handled = true; ///< What was delivered counts as received by the peer.
};

/// What a host remembers while it follows a script.
struct script_state {
  std::int64_t began_ns = 0; ///< Of the script.
  std::uint32_t requests = 0;
};

/// Decides about one request that has come in whole at `now_ns`, and counts it.
script_turn next_turn(const host_script& script, script_state& state, bool is_get,
                      std::int64_t now_ns, std::minstd_rand& random);

} // namespace trunkline::bench
