/// What is parsed, is written as text that parses to the same.
#include "protocol/json.hpp"
#include "protocol/utf8.hpp"

#include <cstdlib>

using namespace trunkline;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto value = parse_json({reinterpret_cast<const char*>(bytes), size});
  if (!value)
    return 0;
  const auto text = to_json(*value);
  const auto again = parse_json(text);
  if (!is_utf8(text) || !again || to_json(*again) != text)
    std::abort();
  return 0;
}
