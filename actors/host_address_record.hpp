/// INTERNAL: a host's address as a part of records.
#pragma once

#include "actors/records.hpp"
#include "protocol/host_address.hpp"

namespace trunkline {

/// A name of DNS has at most 253 bytes, and a port may stand behind it.
inline constexpr std::size_t host_name_bytes_max = 260;

template <class Archive, is_record<host_address> Address>
void carry(Archive& archive, Address& address) {
  archive(address.scheme, address.name, address.port);
}

inline void check(const host_address& address) {
  check_record(address.scheme == "https" || address.scheme == "http", "an unknown scheme");
  check_record(!address.name.empty() && address.name.size() <= host_name_bytes_max,
               "no name of a host");
  check_record(address.port >= 1 && address.port <= 65'535, "no port");
}

} // namespace trunkline
