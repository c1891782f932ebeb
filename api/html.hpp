/// The frame of the few pages that the node serves itself: plain HTML without scripts.
#pragma once

#include "net/http_types.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// Returns a page with `body`, which is HTML already, under `title`, which is text. Nothing on it
/// runs, nothing may frame it.
http_response html_page(int status, const std::string& title, const std::string& body);

/// Returns a page that names a problem.
http_response html_problem(int status, const std::string& problem);

/// Returns `<input type="hidden">` with the value escaped.
std::string hidden_field(std::string_view name, const std::string& value);

/// The style of the pages.
extern const std::string_view page_style;

} // namespace trunkline
