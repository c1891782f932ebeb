/// A body is split within its limits, and no part holds the delimiter.
#include "protocol/media_type.hpp"
#include "protocol/request_params.hpp"

#include <cstdlib>

using namespace trunkline;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  const auto line = text.substr(0, text.find('\n'));
  (void)parse_media_type(line);
  const auto form = parse_multipart(text, "b");
  (void)parse_params("", "multipart/form-data; boundary=b", text);
  if (!form)
    return 0;
  if (form->fields.size() + form->files.size() > form_pairs_max)
    std::abort();
  for (const auto& field : form->fields)
    if (field.name.empty() || field.value.find("\r\n--b") != std::string::npos)
      std::abort();
  for (const auto& file : form->files)
    if (file.name.empty() || file.bytes.find("\r\n--b") != std::string::npos)
      std::abort();
  return 0;
}
