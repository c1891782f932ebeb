/// What is decoded, is text without NUL and within the limits, and encodes to what decodes to it.
#include "protocol/query_string.hpp"
#include "protocol/utf8.hpp"

#include <cstdlib>

using namespace trunkline;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto pairs = parse_query_string({reinterpret_cast<const char*>(bytes), size});
  if (!pairs)
    return 0;
  std::string text;
  for (const auto& [name, value] : *pairs) {
    if (!is_utf8(name + value) || (name + value).find('\0') != std::string::npos)
      std::abort();
    text += "&" + encode_percent(name) + "=" + encode_percent(value);
  }
  const auto again = parse_query_string(text);
  if (pairs->size() > form_pairs_max || !again || again->size() != pairs->size())
    std::abort();
  for (std::size_t i = 0; i < pairs->size(); ++i)
    if ((*pairs)[i].name != (*again)[i].name || (*pairs)[i].value != (*again)[i].value)
      std::abort();
  return 0;
}
