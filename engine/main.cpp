#include "trunkline/version.hpp"

#include <iostream>

int main() {
  std::cout << "trunkline " << trunkline::version() << '\n';
}
