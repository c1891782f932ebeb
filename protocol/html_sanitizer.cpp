#include "protocol/html_sanitizer.hpp"

#include "protocol/html_bounds.hpp"
#include "protocol/names.hpp"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace trunkline {

namespace {

/// What becomes of an element.
enum class treatment {
  drop,    ///< With all that is in it.
  unwrap,  ///< Its content stays.
  block,   ///< Likewise, on a line of its own.
  keep,    ///< As it is, without attributes but for those of its own rule.
  heading, ///< A paragraph in strong letters.
  link,
};

struct element_rule {
  GumboTag tag;
  treatment how;
};

constexpr auto rules = std::to_array<element_rule>({
    {GUMBO_TAG_P, treatment::keep},          {GUMBO_TAG_BR, treatment::keep},
    {GUMBO_TAG_SPAN, treatment::keep},       {GUMBO_TAG_DEL, treatment::keep},
    {GUMBO_TAG_S, treatment::keep},          {GUMBO_TAG_PRE, treatment::keep},
    {GUMBO_TAG_BLOCKQUOTE, treatment::keep}, {GUMBO_TAG_CODE, treatment::keep},
    {GUMBO_TAG_B, treatment::keep},          {GUMBO_TAG_STRONG, treatment::keep},
    {GUMBO_TAG_U, treatment::keep},          {GUMBO_TAG_I, treatment::keep},
    {GUMBO_TAG_EM, treatment::keep},         {GUMBO_TAG_UL, treatment::keep},
    {GUMBO_TAG_OL, treatment::keep},         {GUMBO_TAG_LI, treatment::keep},
    {GUMBO_TAG_RUBY, treatment::keep},       {GUMBO_TAG_RT, treatment::keep},
    {GUMBO_TAG_RP, treatment::keep},         {GUMBO_TAG_A, treatment::link},
    {GUMBO_TAG_H1, treatment::heading},      {GUMBO_TAG_H2, treatment::heading},
    {GUMBO_TAG_H3, treatment::heading},      {GUMBO_TAG_H4, treatment::heading},
    {GUMBO_TAG_H5, treatment::heading},      {GUMBO_TAG_H6, treatment::heading},
    {GUMBO_TAG_DIV, treatment::block},       {GUMBO_TAG_SECTION, treatment::block},
    {GUMBO_TAG_ARTICLE, treatment::block},   {GUMBO_TAG_HEADER, treatment::block},
    {GUMBO_TAG_FOOTER, treatment::block},    {GUMBO_TAG_TR, treatment::block},
    {GUMBO_TAG_DT, treatment::block},        {GUMBO_TAG_DD, treatment::block},
    {GUMBO_TAG_FIGURE, treatment::block},    {GUMBO_TAG_SCRIPT, treatment::drop},
    {GUMBO_TAG_STYLE, treatment::drop},      {GUMBO_TAG_IFRAME, treatment::drop},
    {GUMBO_TAG_OBJECT, treatment::drop},     {GUMBO_TAG_EMBED, treatment::drop},
    {GUMBO_TAG_NOSCRIPT, treatment::drop},   {GUMBO_TAG_TEMPLATE, treatment::drop},
    {GUMBO_TAG_TITLE, treatment::drop},      {GUMBO_TAG_XMP, treatment::drop},
    {GUMBO_TAG_NOEMBED, treatment::drop},    {GUMBO_TAG_NOFRAMES, treatment::drop},
    {GUMBO_TAG_PLAINTEXT, treatment::drop},  {GUMBO_TAG_TEXTAREA, treatment::drop},
    {GUMBO_TAG_SELECT, treatment::drop},     {GUMBO_TAG_HEAD, treatment::drop},
    {GUMBO_TAG_MATH, treatment::drop},       {GUMBO_TAG_SVG, treatment::drop},
});

constexpr auto schemes = std::to_array<std::string_view>(
    {"http", "https", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "xmpp", "magnet", "gemini"});
constexpr auto class_beginnings = std::to_array<std::string_view>({"h-", "p-", "u-", "dt-", "e-"});
constexpr auto class_names =
    std::to_array<std::string_view>({"mention", "hashtag", "ellipsis", "quote-inline"});

constexpr std::size_t host_bytes_max = 255;

/// Text that is looked at for hosts it may hide; past this, nothing is hidden.
constexpr std::size_t hidden_bytes_max = 4 * html_bytes_max;

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void append_escaped(std::string& out, std::string_view text) {
  for (const auto letter : text) {
    if (letter == '&')
      out += "&amp;";
    else if (letter == '<')
      out += "&lt;";
    else if (letter == '>')
      out += "&gt;";
    else if (letter == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(letter) >= 0x20 || is_space(letter))
      out += letter;
  }
}

struct parsed_html {
  explicit parsed_html(std::string_view html) : options{kGumboDefaultOptions} {
    options.max_errors = 0;
    output = gumbo_parse_with_options(&options, html.data(), html.size());
  }
  ~parsed_html() { gumbo_destroy_output(&options, output); }
  parsed_html(const parsed_html&) = delete;
  parsed_html& operator=(const parsed_html&) = delete;

  GumboOptions options;
  GumboOutput* output;
};

treatment treatment_of(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT || node.v.element.tag_namespace != GUMBO_NAMESPACE_HTML)
    return treatment::drop;
  const auto found = std::ranges::find(rules, node.v.element.tag, &element_rule::tag);
  return found == rules.end() ? treatment::unwrap : found->how;
}

std::string_view attribute(const GumboNode& node, const char* name) {
  const auto* found = gumbo_get_attribute(&node.v.element.attributes, name);
  return found ? std::string_view{found->value} : std::string_view{};
}

std::span<GumboNode* const> children_of(const GumboNode& node) {
  const auto& children = node.v.element.children;
  return {reinterpret_cast<GumboNode* const*>(children.data), children.length};
}

/// Returns the address of a link that may be followed, or "".
std::string safe_address(std::string_view href) {
  auto address = std::string{};
  for (const auto letter : href)
    if (static_cast<unsigned char>(letter) > 0x20)
      address += letter;
  const auto scheme = fold_name(std::string_view{address}.substr(0, address.find(':')));
  const auto is_known =
      address.find(':') != std::string::npos && std::ranges::find(schemes, scheme) != schemes.end();
  return is_known ? address : std::string{};
}

/// Returns the host in an http address, folded; "" for other addresses, and for what is no host.
std::string host_in(std::string_view address) {
  const auto begin = address.find("://");
  if (begin == std::string_view::npos)
    return {};
  address.remove_prefix(begin + 3);
  address = address.substr(0, address.find_first_of("/?#"));
  if (const auto user = address.rfind('@'); user != std::string_view::npos)
    address.remove_prefix(user + 1);
  address = address.substr(0, address.find(':'));
  return address.size() <= host_bytes_max ? fold_name(address) : std::string{};
}

/// What is written of an element.
struct element_tags {
  std::string open;
  std::string close;
  std::string link_host; ///< Of a link, for what is inside it.
};

/// Returns the text of a node and all below it; nothing when that is more than `left_to_read`,
/// which is lowered by the nodes and bytes that were looked at.
std::optional<std::string> text_below(const GumboNode& node, std::size_t& left_to_read) {
  auto text = std::string{};
  auto left = std::vector<const GumboNode*>{&node};
  while (!left.empty()) {
    const auto* next = left.back();
    left.pop_back();
    const auto is_text = next->type == GUMBO_NODE_TEXT || next->type == GUMBO_NODE_WHITESPACE;
    const auto part = is_text ? std::string_view{next->v.text.text} : std::string_view{};
    if (left_to_read < part.size() + 1)
      return std::nullopt;
    left_to_read -= part.size() + 1;
    text += part;
    if (next->type != GUMBO_NODE_ELEMENT)
      continue;
    const auto children = children_of(*next);
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      left.push_back(*child);
  }
  return text;
}

/// Tells whether a reader still sees where a link leads when this is not shown.
bool hides_nothing(const GumboNode& node, const std::string& link_host, std::size_t& left_to_read) {
  if (link_host.empty())
    return false;
  const auto text = text_below(node, left_to_read);
  return text && fold_name(*text).find(link_host) == std::string::npos;
}

/// Returns those classes that mean something; "invisible" once, and only where it hides no host of
/// a link.
std::string kept_classes(const GumboNode& node, const std::string& link_host,
                         std::size_t& left_to_read) {
  auto kept = std::string{};
  auto may_hide = true;
  auto names = attribute(node, "class");
  while (!names.empty()) {
    const auto end = std::ranges::find_if(names, is_space) - names.begin();
    const auto name = names.substr(0, static_cast<std::size_t>(end));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const auto begins = [name](std::string_view start) { return name.starts_with(start); };
    const auto is_plain = std::ranges::all_of(name, [](char c) {
      return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    const auto is_hidden = name == "invisible" && std::exchange(may_hide, false) &&
                           hides_nothing(node, link_host, left_to_read);
    if (!is_plain || !(is_hidden || std::ranges::any_of(class_beginnings, begins) ||
                       std::ranges::find(class_names, name) != class_names.end()))
      continue;
    kept += (kept.empty() ? "" : " ") + std::string{name};
  }
  return kept;
}

void append_number(std::string& open, const GumboNode& node, const char* name) {
  const auto value = attribute(node, name);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!value.empty() && value.size() < 10 && std::ranges::all_of(value, is_digit))
    open.append(" ").append(name).append("=\"").append(value).append("\"");
}

element_tags tags_of_link(const GumboNode& node, const std::string& link_host,
                          std::size_t& left_to_read) {
  const auto address = safe_address(attribute(node, "href"));
  if (address.empty())
    return {};
  auto tags = element_tags{"<a href=\"", "</a>", host_in(address)};
  append_escaped(tags.open, address);
  tags.open += '"';
  if (const auto classes = kept_classes(node, link_host, left_to_read); !classes.empty())
    tags.open += " class=\"" + classes + "\"";
  tags.open += " rel=\"nofollow noopener noreferrer\" target=\"_blank\">";
  return tags;
}

element_tags tags_of_kept(const GumboNode& node, const std::string& link_host,
                          std::size_t& left_to_read) {
  const auto tag = node.v.element.tag;
  const auto name = std::string{gumbo_normalized_tagname(tag)};
  auto tags = element_tags{"<" + name, "</" + name + ">", link_host};
  if (tag == GUMBO_TAG_SPAN || tag == GUMBO_TAG_P)
    if (const auto classes = kept_classes(node, link_host, left_to_read); !classes.empty())
      tags.open += " class=\"" + classes + "\"";
  if (tag == GUMBO_TAG_OL)
    append_number(tags.open, node, "start");
  if (tag == GUMBO_TAG_LI)
    append_number(tags.open, node, "value");
  tags.open += '>';
  if (tag == GUMBO_TAG_BR)
    return {"<br>", "", link_host};
  return tags;
}

/// Walks without recursion: nesting is the sender's choice.
class html_writer {
public:
  std::string write(const GumboNode& root) {
    enter(root, {});
    while (!open_.empty()) {
      auto& top = open_.back();
      const auto children = children_of(*top.node);
      if (top.next == children.size()) {
        out_ += top.close;
        open_.pop_back();
        continue;
      }
      const auto& child = *children[top.next++];
      const auto host = top.link_host;
      take(child, host);
    }
    return std::move(out_);
  }

private:
  struct open_element {
    const GumboNode* node;
    std::size_t next = 0;
    std::string close;
    std::string link_host;
  };

  void enter(const GumboNode& node, element_tags tags) {
    out_ += tags.open;
    open_.push_back({&node, 0, std::move(tags.close), std::move(tags.link_host)});
  }

  void take(const GumboNode& node, const std::string& link_host) {
    if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE ||
        node.type == GUMBO_NODE_CDATA)
      return append_escaped(out_, node.v.text.text);
    switch (treatment_of(node)) {
    case treatment::drop:
      return;
    case treatment::unwrap:
      return enter(node, {{}, {}, link_host});
    case treatment::block:
      if (!out_.empty() && !out_.ends_with('>'))
        out_ += "<br>";
      return enter(node, {{}, {}, link_host});
    case treatment::keep:
      return enter(node, tags_of_kept(node, link_host, left_to_read_));
    case treatment::heading:
      return enter(node, {"<p><strong>", "</strong></p>", link_host});
    case treatment::link:
      return enter(node, tags_of_link(node, link_host, left_to_read_));
    }
  }

  std::string out_;
  std::vector<open_element> open_;
  std::size_t left_to_read_ = hidden_bytes_max;
};

/// Tells whether what a reader sees goes on in another line after the element.
bool ends_line(GumboTag tag) {
  return tag == GUMBO_TAG_P || tag == GUMBO_TAG_BR || tag == GUMBO_TAG_LI || tag == GUMBO_TAG_DIV ||
         tag == GUMBO_TAG_BLOCKQUOTE || tag == GUMBO_TAG_PRE;
}

} // namespace

std::string sanitize_html(std::string_view html) {
  if (!is_bounded_html(html)) {
    auto text = std::string{};
    append_escaped(text, html.substr(0, html_bytes_max));
    return text;
  }
  const auto parsed = parsed_html{html};
  return html_writer{}.write(*parsed.output->root);
}

std::string html_to_text(std::string_view html) {
  if (!is_bounded_html(html))
    return std::string{html.substr(0, html_bytes_max)};
  const auto parsed = parsed_html{html};
  auto text = std::string{};
  auto left = std::vector<std::pair<const GumboNode*, bool>>{{parsed.output->root, false}};
  while (!left.empty()) {
    const auto [node, is_over] = left.back();
    left.pop_back();
    if (is_over) {
      text += '\n';
      continue;
    }
    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE)
      text += node->v.text.text;
    if (treatment_of(*node) == treatment::drop)
      continue;
    if (ends_line(node->v.element.tag))
      left.emplace_back(node, true);
    const auto children = children_of(*node);
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      left.emplace_back(*child, false);
  }
  while (!text.empty() && is_space(text.back()))
    text.pop_back();
  return text;
}

} // namespace trunkline
