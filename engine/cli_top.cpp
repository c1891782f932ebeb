#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/raw_terminal.hpp"
#include "engine/top_view.hpp"
#include "protocol/errc.hpp"
#include "protocol/query_string.hpp"

#include <unistd.h>

#include <iostream>
#include <utility>

namespace trunkline {

namespace {

constexpr auto frame_interval = std::chrono::seconds{2};
constexpr std::size_t search_bytes_max = 253;
constexpr std::size_t plain_width = 160;
constexpr std::size_t plain_height = 60;

time_point now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// What one frame is made of.
struct top_answers {
  json_value delivery;
  json_value hosts;
};

caf::expected<top_answers> ask_node(const std::string& socket, const top_choice& choice) {
  auto delivery = call_admin(socket, "GET", "/admin/v1/delivery", {});
  if (!delivery)
    return std::move(delivery.error());
  auto hosts = call_admin(socket, "GET",
                          "/admin/v1/hosts?limit=" + std::to_string(top_hosts_max) +
                              "&sort=" + choice.sort + "&q=" + encode_percent(choice.search),
                          {});
  if (!hosts)
    return std::move(hosts.error());
  return top_answers{std::move(*delivery), std::move(*hosts)};
}

int print_once(const std::string& socket, const top_choice& choice) {
  const auto answers = ask_node(socket, choice);
  if (!answers)
    return refuse(answers.error());
  for (const auto& line :
       draw_top(answers->delivery, answers->hosts, choice, now(), plain_width, plain_height - 1))
    if (!line.text.empty())
      std::cout << line.text << '\n';
  return 0;
}

/// The screen and the keys of one person.
class top_session {
public:
  top_session(std::string socket, top_choice choice)
      : socket_{std::move(socket)}, choice_{std::move(choice)} {}

  int run() {
    while (!is_over_) {
      refresh();
      terminal_.show(draw_top(answers_.delivery, answers_.hosts, choice_, now(), terminal_.width(),
                              terminal_.height()));
      if (const auto key = terminal_.wait_for_key(frame_interval))
        take(*key);
    }
    return 0;
  }

private:
  /// The last frame stays when the node does not answer; the last line says why.
  void refresh() {
    auto answers = ask_node(socket_, choice_);
    if (!answers) {
      choice_.said = context_of(answers.error());
      return;
    }
    answers_ = std::move(*answers);
    const auto rows = names_in(answers_.hosts).size();
    choice_.selected = rows ? std::min(choice_.selected, rows - 1) : 0;
  }

  void take(const pressed_key& key) {
    if (key.key == terminal_key::end) {
      is_over_ = true;
      return;
    }
    if (choice_.is_typing)
      return type(key);
    choice_.said.clear();
    if (key.key == terminal_key::up && choice_.selected > 0)
      --choice_.selected;
    if (key.key == terminal_key::down)
      ++choice_.selected; // the next frame bounds it
    if (key.key == terminal_key::letter)
      obey(key.letter);
  }

  void obey(char letter) {
    switch (letter) {
    case 'q':
      is_over_ = true;
      return;
    case 's':
      choice_.sort = next_sort(choice_.sort);
      return;
    case '/':
      choice_.is_typing = true;
      return;
    case 'p':
      return order(is_paused_in(answers_.hosts, choice_.selected) ? "resume" : "pause");
    case 'r':
      return order("retry-now");
    default:
      return;
    }
  }

  void type(const pressed_key& key) {
    if (key.key == terminal_key::enter || key.key == terminal_key::escape)
      choice_.is_typing = false;
    if (key.key == terminal_key::escape)
      choice_.search.clear();
    if (key.key == terminal_key::erase && !choice_.search.empty())
      choice_.search.pop_back();
    if (key.key == terminal_key::letter && choice_.search.size() < search_bytes_max)
      choice_.search += key.letter;
  }

  void order(const std::string& what) {
    const auto names = names_in(answers_.hosts);
    if (choice_.selected >= names.size())
      return;
    const auto& name = names[choice_.selected];
    const auto done =
        call_admin(socket_, "POST", "/admin/v1/hosts/" + encode_percent(name) + ":" + what, {});
    choice_.said = name + ": " + what + (done ? " done" : " refused: " + context_of(done.error()));
  }

  std::string socket_;
  top_choice choice_;
  top_answers answers_;
  bool is_over_ = false;
  raw_terminal terminal_;
};

} // namespace

int run(const top_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  auto choice = top_choice{.sort = command.sort, .search = command.search};
  if (command.once || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    return print_once(*socket, choice);
  if (const auto answers = ask_node(*socket, choice); !answers) // before the screen is taken
    return refuse(answers.error());
  return top_session{*socket, std::move(choice)}.run();
}

} // namespace trunkline
