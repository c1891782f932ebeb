/// What a watch of answers does to a socket whose server is silent.
#pragma once

#include <sys/socket.h>

namespace trunkline::kit {

inline void hang_up(int socket) {
  ::shutdown(socket, SHUT_RDWR);
}

} // namespace trunkline::kit
