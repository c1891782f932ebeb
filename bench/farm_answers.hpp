/// What fake hosts answer: HTTP heads, actor documents, WebFinger.
#pragma once

#include "bench/farm_script.hpp"

#include <string>
#include <string_view>

namespace trunkline::bench {

inline constexpr std::string_view accepted_answer =
    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

/// Returns a whole answer.
std::string http_answer(int status, std::string_view type, std::string_view body,
                        std::string_view more = {});

/// Answers a GET of `document`, "" for none, as the script wants it.
std::string answer_of_get(const script_turn& turn, const std::string& document);

/// Answers a delivery as the script wants it.
std::string answer_of_post(const script_turn& turn);

/// Reads a PEM as it stands in a JSON text; "" without a file.
std::string read_public_key(const std::string& file);

/// Returns the document at `target` of a host, by the name in the request's Host header: the actor
/// `/users/u`, its collections, a note, WebFinger; "" for nothing.
std::string document_of(std::string_view host, std::string_view target,
                        std::string_view public_key);

} // namespace trunkline::bench
