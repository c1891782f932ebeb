#include "protocol/webfinger.hpp"

#include "protocol/document_rules.hpp"
#include "protocol/errc.hpp"
#include "protocol/json.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/names.hpp"
#include "protocol/remote_text.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr auto account_scheme = std::string_view{"acct:"};

caf::error bad_answer(std::string_view why) {
  return make_error(errc::malformed, "webfinger: " + std::string{why});
}

/// Returns the ids of actors among the links, in their order.
std::vector<std::string> selves_in(const json_value& document, url_rules rules) {
  auto selves = std::vector<std::string>{};
  for (const auto& link : items_of(document.find("links"))) {
    if (selves.size() == webfinger_selves_max)
      break;
    if (text_of(link.find("rel")) != "self" || !is_activity_type(text_of(link.find("type"))))
      continue;
    auto id = text_of(link.find("href"));
    if (parse_remote_url(id, rules))
      selves.push_back(std::move(id));
  }
  return selves;
}

} // namespace

std::string to_text(const webfinger_address& address) {
  return address.name + "@" + to_name(address.host);
}

bool is_same_address(const webfinger_address& one, const webfinger_address& other) {
  return fold_name(one.name) == fold_name(other.name) && one.host == other.host;
}

caf::expected<webfinger_address> parse_address_text(std::string_view text,
                                                    std::string_view scheme) {
  if (text.starts_with(account_scheme))
    text.remove_prefix(account_scheme.size());
  if (text.starts_with('@'))
    text.remove_prefix(1);
  const auto at = text.find('@');
  if (at == std::string_view::npos || !is_remote_name(text.substr(0, at)))
    return make_error(errc::invalid, "address: has no name that an account may have");
  auto host = parse_host_name(text.substr(at + 1), scheme);
  if (!host)
    return std::move(host.error());
  return webfinger_address{.name = std::string{text.substr(0, at)}, .host = std::move(*host)};
}

std::string webfinger_url(const webfinger_address& address) {
  return address.host.scheme + "://" + to_name(address.host) +
         "/.well-known/webfinger?resource=acct:" + to_text(address);
}

caf::expected<webfinger_answer> read_webfinger(std::string_view body, std::string_view scheme,
                                               url_rules rules) {
  const auto document = parse_json(body);
  if (!document)
    return bad_answer(context_of(document.error()));
  const auto subject = text_of(document->find("subject"));
  auto address = parse_address_text(subject, scheme);
  if (!subject.starts_with(account_scheme) || !address)
    return bad_answer("subject: is no account");
  auto selves = selves_in(*document, rules);
  if (selves.empty())
    return bad_answer("links: none leads to an actor");
  return webfinger_answer{.subject = std::move(*address), .selves = std::move(selves)};
}

bool names_actor(const webfinger_answer& answer, std::string_view id) {
  return std::ranges::find(answer.selves, id) != answer.selves.end();
}

} // namespace trunkline
