#include "engine/raw_terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>

namespace trunkline {

namespace {

volatile std::sig_atomic_t ended_by_signal = 0;

void note_signal(int) {
  ended_by_signal = 1;
}

constexpr auto other_screen = std::string_view{"\x1b[?1049h\x1b[?25l"};
constexpr auto own_screen = std::string_view{"\x1b[?25h\x1b[?1049l"};

winsize window_size() {
  auto size = winsize{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  return size;
}

pressed_key key_of(std::string_view bytes) {
  if (bytes == "\x1b[A" || bytes == "\x1bOA")
    return {terminal_key::up};
  if (bytes == "\x1b[B" || bytes == "\x1bOB")
    return {terminal_key::down};
  switch (bytes.front()) {
  case '\r':
  case '\n':
    return {terminal_key::enter};
  case 0x7f:
  case '\b':
    return {terminal_key::erase};
  case 3: // Ctrl-C
  case 4: // Ctrl-D
    return {terminal_key::end};
  case 0x1b:
    return {terminal_key::escape};
  default:
    return {terminal_key::letter, bytes.front()};
  }
}

} // namespace

raw_terminal::raw_terminal() {
  tcgetattr(STDIN_FILENO, &before_);
  auto raw = before_;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
  std::cout << other_screen << std::flush;
}

raw_terminal::~raw_terminal() {
  std::cout << own_screen << std::flush;
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::size_t raw_terminal::width() const {
  return window_size().ws_col;
}

std::size_t raw_terminal::height() const {
  return window_size().ws_row;
}

/// One write, so that nothing flickers.
void raw_terminal::show(const std::vector<top_line>& lines) {
  auto frame = std::string{"\x1b[H"};
  for (auto index = std::size_t{0}; index < lines.size(); ++index) {
    const auto& line = lines[index];
    frame += line.is_selected ? "\x1b[7m" : line.is_title ? "\x1b[1m" : "";
    frame += line.text + "\x1b[0m\x1b[K";
    if (index + 1 < lines.size())
      frame += '\n';
  }
  std::cout << frame << "\x1b[J" << std::flush;
}

/// An arrow is three bytes that come together.
pressed_key raw_terminal::take_key() {
  const auto is_arrow =
      typed_.size() >= 3 && typed_[0] == 0x1b && (typed_[1] == '[' || typed_[1] == 'O');
  const auto length = is_arrow ? 3U : 1U;
  const auto key = key_of(std::string_view{typed_}.substr(0, length));
  typed_.erase(0, length);
  return key;
}

std::optional<pressed_key> raw_terminal::wait_for_key(std::chrono::milliseconds patience) {
  if (!typed_.empty())
    return take_key();
  auto input = pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  const auto ready = poll(&input, 1, static_cast<int>(patience.count()));
  if (ended_by_signal)
    return pressed_key{terminal_key::end};
  if (ready <= 0)
    return std::nullopt;
  auto bytes = std::array<char, 64>{};
  const auto count = read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count <= 0)
    return pressed_key{terminal_key::end};
  typed_.assign(bytes.data(), static_cast<std::size_t>(count));
  return take_key();
}

} // namespace trunkline
