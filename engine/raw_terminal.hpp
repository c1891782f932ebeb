/// A terminal that hands out keys one by one and shows whole frames; as it was when it goes.
#pragma once

#include "engine/top_view.hpp"

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

enum class terminal_key : unsigned char { letter, up, down, enter, escape, erase, end };

struct pressed_key {
  terminal_key key = terminal_key::letter;
  char letter = 0; ///< Of `letter`.
};

/// Uses standard input and output, which must be terminals. SIGINT, SIGTERM and the end of input
/// are the key `end`.
class raw_terminal {
public:
  raw_terminal();
  raw_terminal(const raw_terminal&) = delete;
  raw_terminal& operator=(const raw_terminal&) = delete;
  ~raw_terminal();

  std::size_t width() const;
  std::size_t height() const;

  void show(const std::vector<top_line>& lines);

  /// Waits for a key, at most for `patience`.
  std::optional<pressed_key> wait_for_key(std::chrono::milliseconds patience);

private:
  pressed_key take_key();

  termios before_{};
  std::string typed_; ///< Read, and not handed out yet.
};

} // namespace trunkline
