/// Passwords, stored as argon2id in the PHC text form.
///
/// Hashing and checking cost about 20 ms and 19 MiB on purpose: never on an actor's thread, see
/// `actors/password_worker.hpp`.
#pragma once

#include <caf/expected.hpp>

#include <string>
#include <string_view>

namespace trunkline {

/// Longer ones are refused: the cost must not grow with what a stranger sends.
inline constexpr std::size_t password_bytes_max = 256;

/// Returns "$argon2id$v=19$m=19456,t=2,p=1$…" with a salt of 16 random bytes. Fails with
/// `errc::invalid` when the password is empty or longer than `password_bytes_max`, and with
/// `errc::unavailable` when there is no memory for it.
caf::expected<std::string> hash_password(std::string_view password);

/// Tells whether `password` is the one that `hash` was made of. An empty or broken hash is
/// nobody's, and takes as long as a good one, so that the time does not tell which names exist.
bool verify_password(std::string_view password, const std::string& hash);

} // namespace trunkline
