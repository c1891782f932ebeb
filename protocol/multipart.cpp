#include "protocol/multipart.hpp"

#include "protocol/errc.hpp"
#include "protocol/media_type.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t boundary_bytes_max = 70;

struct part_head {
  std::string name;
  std::string filename;
  std::string content_type;
  bool is_file = false;
};

bool is_text(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix,
                            [&](char a, char b) { return lower(a) == lower(b); });
}

/// Returns the value of a header line if its name is `name` (lower case, with colon).
std::string_view value_of(std::string_view line, std::string_view name) {
  if (!starts_ignoring_case(line, name))
    return {};
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line;
}

bool take_disposition(std::string_view value, part_head& head) {
  static constexpr std::string_view kind = "form-data";
  if (!starts_ignoring_case(value, kind))
    return false;
  std::vector<std::pair<std::string, std::string>> parameters;
  if (!parse_parameters(value.substr(kind.size()), parameters))
    return false;
  for (auto& [name, text] : parameters) {
    if (name == "name")
      head.name = std::move(text);
    if (name == "filename") {
      head.filename = std::move(text);
      head.is_file = true;
    }
  }
  return !head.name.empty() && is_text(head.name) && is_text(head.filename);
}

caf::expected<part_head> parse_head(std::string_view text) {
  part_head head{.content_type = "application/octet-stream"};
  auto disposed = false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(line.size() + 2, text.size()));
    if (const auto value = value_of(line, "content-disposition:"); !value.empty()) {
      if (disposed || !take_disposition(value, head))
        return make_error(errc::malformed, "multipart: malformed Content-Disposition");
      disposed = true;
    }
    if (const auto value = value_of(line, "content-type:"); !value.empty() && is_text(value))
      head.content_type = value;
  }
  if (!disposed)
    return make_error(errc::malformed, "multipart: a part without Content-Disposition");
  return head;
}

caf::error add_part(multipart_form& form, std::string_view part) {
  if (form.fields.size() + form.files.size() == form_pairs_max)
    return make_error(errc::too_large, "form_pairs_max: more than 1000 parameters");
  const auto end = part.substr(0, part_header_bytes_max).find("\r\n\r\n");
  if (end == std::string_view::npos && part.size() > part_header_bytes_max)
    return make_error(errc::too_large, "part_header_bytes_max: a part's headers are too long");
  if (end == std::string_view::npos)
    return make_error(errc::malformed, "multipart: a part without an end of its headers");
  auto head = parse_head(part.substr(0, end));
  if (!head)
    return head.error();
  const auto content = part.substr(end + 4);
  if (head->is_file) {
    form.files.push_back({std::move(head->name), std::move(head->filename),
                          std::move(head->content_type), std::string{content}});
    return caf::none;
  }
  if (!is_text(content))
    return make_error(errc::malformed, head->name + ": NUL or no UTF-8");
  form.fields.push_back({std::move(head->name), std::string{content}});
  return caf::none;
}

} // namespace

caf::expected<multipart_form> parse_multipart(std::string_view body, std::string_view boundary) {
  const auto broken = [] { return make_error(errc::malformed, "multipart: broken delimiter"); };
  if (boundary.empty() || boundary.size() > boundary_bytes_max)
    return make_error(errc::malformed, "multipart: boundary of 1 to 70 bytes missing");
  const auto delimiter = "\r\n--" + std::string{boundary};
  // The first delimiter needs no line break before it; what comes before counts for nothing.
  const auto first = std::string_view{delimiter}.substr(2);
  if (body.starts_with(first)) {
    body.remove_prefix(first.size());
  } else {
    const auto found = body.find(delimiter);
    if (found == std::string_view::npos)
      return broken();
    body.remove_prefix(found + delimiter.size());
  }
  multipart_form form;
  for (;;) {
    if (body.starts_with("--"))
      return form;
    body.remove_prefix(std::min(body.find_first_not_of(" \t"), body.size()));
    const auto end = body.find(delimiter);
    if (!body.starts_with("\r\n") || end == std::string_view::npos)
      return broken();
    // A part without headers begins with the empty line that its delimiter's line break is part of.
    if (auto failure = add_part(form, body.substr(2, end < 2 ? 0 : end - 2)))
      return failure;
    body.remove_prefix(end + delimiter.size());
  }
}

} // namespace trunkline
