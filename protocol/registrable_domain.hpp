/// Who owns a host name, as far as names tell: the domain that somebody registered.
#pragma once

#include <string>
#include <string_view>

namespace trunkline {

/// Returns the registrable domain of a canonical host name by the public suffix list: that of
/// "a.b.example.co.uk" is "example.co.uk". A name without one is its own. Of an address it is the
/// network that one owner has as a rule: "192.0.2.0/24", "2001:db8::/48".
std::string registrable_domain(std::string_view host_name);

} // namespace trunkline
