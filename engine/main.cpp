#include "engine/cli.hpp"

int main(int count, char** arguments) {
  return trunkline::run_command_line(count, arguments);
}
