#include "engine/config.hpp"
#include "trunkline/version.hpp"

#include <iostream>
#include <string_view>

int main(int count, char** arguments) {
  if (count == 2 && std::string_view{arguments[1]} == "configuration-page") {
    std::cout << trunkline::configuration_page();
    return 0;
  }
  std::cout << "trunkline " << trunkline::version() << '\n';
}
