#include "protocol/status_text.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <optional>

namespace trunkline {

namespace {

using kind_of = text_entity::kind_of;

constexpr std::size_t shown_url_characters = 30;

struct code_point {
  std::int32_t value = 0;
  std::size_t bytes = 1;
};

code_point read_at(std::string_view text, std::size_t at) {
  auto value = utf8proc_int32_t{0};
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &value);
  return size > 0 ? code_point{value, static_cast<std::size_t>(size)} : code_point{0xfffd, 1};
}

constexpr bool is_ascii_word(std::int32_t letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

bool is_word(std::int32_t letter) {
  if (letter < 0x80)
    return is_ascii_word(letter);
  const auto category = utf8proc_category(letter);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_PC;
}
// Letters, marks, numbers and connectors stand side by side in the enumeration.
static_assert(UTF8PROC_CATEGORY_LU == 1 && UTF8PROC_CATEGORY_PC == 12);

bool is_digit(std::int32_t letter) {
  return letter < 0x80 ? letter >= '0' && letter <= '9'
                       : utf8proc_category(letter) == UTF8PROC_CATEGORY_ND;
}

bool is_space(std::int32_t letter) {
  if (letter <= ' ' || letter == 0x7f)
    return true;
  const auto category = letter < 0x80 ? UTF8PROC_CATEGORY_PO : utf8proc_category(letter);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

/// Walks over a text once and collects what it names.
class entity_scanner {
public:
  explicit entity_scanner(std::string_view text) : text_{text} {}

  std::vector<text_entity> scan() {
    while (at_ < text_.size() && found_.size() < entities_max)
      step();
    return std::move(found_);
  }

private:
  void step() {
    const auto here = read_at(text_, at_);
    const auto free = !is_word(previous_) && previous_ != '/' && previous_ != '=';
    if (free && here.value == '@')
      return skip_to(mention(at_ + 1));
    if (free && previous_ != ')' && (here.value == '#' || here.value == 0xff03))
      return skip_to(tag(at_ + here.bytes));
    if (free && previous_ != '@' && previous_ != '#' && starts_url())
      return skip_to(url());
    previous_ = here.value;
    at_ += here.bytes;
  }

  /// Goes on at `end`, which lies after `at_`: nothing is looked at twice.
  void skip_to(std::size_t end) {
    previous_ = static_cast<unsigned char>(text_[end - 1]);
    if (previous_ >= 0x80)
      previous_ = 'x'; // the end of a longer letter
    at_ = end;
  }

  /// Returns the end of the run of letters, dots and hyphens that begins at `begin`.
  template <class Letter>
  std::size_t run_of(std::size_t begin, Letter is_letter) const {
    auto end = begin;
    while (end < text_.size()) {
      const auto next = read_at(text_, end);
      if (!is_letter(next.value) && next.value != '.' && next.value != '-')
        break;
      end += next.bytes;
    }
    return end;
  }

  /// A name neither begins nor ends with a dot or hyphen.
  std::size_t trim(std::size_t begin, std::size_t end) const {
    while (end > begin && (text_[end - 1] == '.' || text_[end - 1] == '-'))
      --end;
    return end;
  }

  std::size_t mention(std::size_t begin) {
    const auto run = run_of(begin, is_ascii_word);
    const auto end = trim(begin, run);
    if (end == begin || !is_ascii_word(text_[begin]))
      return std::max(run, begin);
    const auto name = text_.substr(begin, end - begin);
    if (end == run && end < text_.size() && text_[end] == '@')
      return mention_at(name, end + 1);
    add({kind_of::mention, at_, end, std::string{name}, {}});
    return run;
  }

  std::size_t mention_at(std::string_view name, std::size_t begin) {
    const auto run = run_of(begin, is_word);
    const auto end = trim(begin, run);
    const auto domain = text_.substr(begin, end - begin);
    if (domain.empty() || domain.front() == '.' || domain.front() == '-') {
      add({kind_of::mention, at_, begin - 1, std::string{name}, {}});
      return std::max(run, begin);
    }
    add({kind_of::mention, at_, end, std::string{name}, std::string{domain}});
    return run;
  }

  std::size_t tag(std::size_t begin) {
    auto end = begin;
    auto has_letter = false;
    while (end < text_.size()) {
      const auto next = read_at(text_, end);
      if (!is_word(next.value))
        break;
      has_letter = has_letter || !is_digit(next.value);
      end += next.bytes;
    }
    const auto name = text_.substr(begin, end - begin);
    if (has_letter && name.find_first_not_of('_') != std::string_view::npos)
      add({kind_of::tag, at_, end, std::string{name}, {}});
    return end;
  }

  bool starts_url() const {
    if (text_[at_] != 'h' && text_[at_] != 'H')
      return false;
    return fold_name(text_.substr(at_, 7)) == "http://" ||
           fold_name(text_.substr(at_, 8)) == "https://";
  }

  std::size_t url() {
    const auto host = text_.find("//", at_) + 2;
    auto end = run_of(host, is_word);
    // A name before the host would pass for the host.
    const auto is_host = end > host && is_word(read_at(text_, host).value) &&
                         (end == text_.size() || text_[end] != '@');
    auto opened = 0;
    auto closed = 0;
    while (end < text_.size()) {
      const auto next = read_at(text_, end);
      if (is_space(next.value) || next.value == '<' || next.value == '>' || next.value == '"')
        break;
      opened += next.value == '(';
      closed += next.value == ')';
      end += next.bytes;
    }
    if (!is_host)
      return end;
    const auto last = without_punctuation(host, end, opened, closed);
    add({kind_of::url, at_, last, {}, {}});
    return last;
  }

  /// Leaves out what ends the sentence around a link rather than the link.
  std::size_t without_punctuation(std::size_t begin, std::size_t end, int opened,
                                  int closed) const {
    while (end > begin) {
      const auto last = text_[end - 1];
      if (last == ')' && closed > opened)
        --closed;
      else if (std::string_view{".,:;!?'*_~"}.find(last) == std::string_view::npos)
        break;
      --end;
    }
    return end;
  }

  void add(text_entity entity) {
    if (entity.end - entity.begin <= entity_bytes_max)
      found_.push_back(std::move(entity));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::int32_t previous_ = ' ';
  std::vector<text_entity> found_;
};

/// Counts grapheme clusters of letters that come one by one.
class cluster_counter {
public:
  void add(std::string_view text) {
    for (auto at = std::size_t{0}; at < text.size();) {
      const auto next = read_at(text, at);
      add(next.value);
      at += next.bytes;
    }
  }
  void add(std::int32_t letter) {
    if (!previous_ || utf8proc_grapheme_break_stateful(*previous_, letter, &state_))
      ++count_;
    previous_ = letter;
  }
  std::size_t count() const { return count_; }

private:
  std::optional<std::int32_t> previous_;
  std::int32_t state_ = 0;
  std::size_t count_ = 0;
};

void append_escaped(std::string& out, std::string_view text) {
  for (const auto letter : text) {
    switch (letter) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&#39;";
      break;
    case '\r':
      break; // half of a line break
    default:
      out += letter;
    }
  }
}

/// Returns how many bytes the first `characters` code points take, or all.
std::size_t prefix_bytes(std::string_view text, std::size_t characters) {
  auto at = std::size_t{0};
  while (characters-- > 0 && at < text.size())
    at += read_at(text, at).bytes;
  return at;
}

/// Writes plain text as paragraphs, and the links between.
class html_writer {
public:
  html_writer() { out_ = "<p>"; }

  /// A line feed waits until it is known how many there are, and whether anything follows.
  void text(std::string_view plain) {
    while (!plain.empty()) {
      const auto line = plain.substr(0, plain.find('\n'));
      if (!line.empty()) {
        flush_lines();
        append_escaped(out_, line);
      }
      plain.remove_prefix(line.size());
      if (!plain.empty()) {
        ++line_feeds_;
        plain.remove_prefix(1);
      }
    }
  }

  void mention(std::string_view href, std::string_view name) {
    flush_lines();
    out_ += R"(<span class="h-card" translate="no"><a href=")";
    append_escaped(out_, href);
    out_ += R"(" class="u-url mention">@<span>)";
    append_escaped(out_, name);
    out_ += "</span></a></span>";
  }

  void tag(std::string_view href, std::string_view name) {
    flush_lines();
    out_ += R"(<a href=")";
    append_escaped(out_, href);
    out_ += R"(" class="mention hashtag" rel="tag">#<span>)";
    append_escaped(out_, name);
    out_ += "</span></a>";
  }

  void url(std::string_view href) {
    flush_lines();
    auto prefix = href.find("//") + 2;
    if (fold_name(href.substr(prefix, 4)) == "www.")
      prefix += 4;
    const auto rest = href.substr(prefix);
    const auto shown = prefix_bytes(rest, shown_url_characters);
    out_ += R"(<a href=")";
    append_escaped(out_, href);
    out_ += R"(" target="_blank" rel="nofollow noopener" translate="no"><span class="invisible">)";
    append_escaped(out_, href.substr(0, prefix));
    out_ += shown < rest.size() ? R"(</span><span class="ellipsis">)" : R"(</span><span class="">)";
    append_escaped(out_, rest.substr(0, shown));
    out_ += R"(</span><span class="invisible">)";
    append_escaped(out_, rest.substr(shown));
    out_ += "</span></a>";
  }

  std::string finish() && { return std::move(out_ += "</p>"); }

private:
  void flush_lines() {
    if (line_feeds_ > 0 && out_.size() > opening)
      out_ += line_feeds_ == 1 ? "<br />" : "</p><p>";
    line_feeds_ = 0;
  }

  static constexpr std::size_t opening = 3; ///< Bytes of the first "<p>".
  std::string out_;
  std::size_t line_feeds_ = 0;
};

} // namespace

std::vector<text_entity> find_entities(std::string_view text) {
  return entity_scanner{text}.scan();
}

std::size_t count_characters(std::string_view text, std::span<const text_entity> entities) {
  static const auto any_url = std::string(characters_per_url, 'x');
  auto counter = cluster_counter{};
  auto at = std::size_t{0};
  for (const auto& entity : entities) {
    counter.add(text.substr(at, entity.begin - at));
    if (entity.kind == kind_of::url)
      counter.add(any_url);
    else if (entity.kind == kind_of::mention)
      counter.add("@" + entity.name);
    else
      counter.add(text.substr(entity.begin, entity.end - entity.begin));
    at = entity.end;
  }
  counter.add(text.substr(at));
  return counter.count();
}

std::size_t count_characters(std::string_view text) {
  return count_characters(text, {});
}

bool is_blank(std::string_view text) {
  for (auto at = std::size_t{0}; at < text.size();) {
    const auto next = read_at(text, at);
    if (!is_space(next.value) && utf8proc_category(next.value) != UTF8PROC_CATEGORY_CF &&
        utf8proc_category(next.value) != UTF8PROC_CATEGORY_CC)
      return false;
    at += next.bytes;
  }
  return true;
}

std::string render_html(std::string_view text, std::span<const text_entity> entities,
                        std::span<const std::string> mention_links, const url_space& urls) {
  auto html = html_writer{};
  auto at = std::size_t{0};
  for (auto index = std::size_t{0}; index < entities.size(); ++index) {
    const auto& entity = entities[index];
    const auto whole = text.substr(entity.begin, entity.end - entity.begin);
    html.text(text.substr(at, entity.begin - at));
    at = entity.end;
    if (entity.kind == kind_of::url)
      html.url(whole);
    else if (entity.kind == kind_of::tag)
      html.tag(urls.tag_page(fold_tag(entity.name)), entity.name);
    else if (index < mention_links.size() && !mention_links[index].empty())
      html.mention(mention_links[index], entity.name);
    else
      html.text(whole);
  }
  html.text(text.substr(at));
  return std::move(html).finish();
}

} // namespace trunkline
