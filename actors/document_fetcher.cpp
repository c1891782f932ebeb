#include "actors/document_fetcher.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

namespace trunkline {

namespace {

/// The URL as it is sent: canonical host, without fragment.
std::string sent_url(const remote_url& url) {
  return url.host.scheme + "://" + to_name(url.host) + url.target;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

errc code_of_status(int status) {
  if (status == 410)
    return errc::gone;
  if (status == 401 || status == 403)
    return errc::forbidden;
  if (status == 408 || status == 429 || status >= 500)
    return errc::unavailable;
  return errc::not_found;
}

caf::error refused(errc code, const std::string& url, const std::string& reason) {
  return make_error(code, "document " + url + ": " + reason);
}

} // namespace

caf::expected<fetch_document> document_walk::request_of(const std::string& text) {
  auto url = parse_remote_url(text, services_.rules);
  if (!url)
    return std::move(url.error());
  if (url->host.name == services_.own.name && url->host.port == services_.own.port)
    return refused(errc::invalid, text, "is of this server");
  host_ = url->host;
  url_ = sent_url(*url);
  if (first_url_.empty())
    first_url_ = url_;
  return fetch_document{.host = std::move(url->host),
                        .url = url_,
                        .accept = accept_,
                        .bytes_max = wish_.bytes_max,
                        .is_signed = wish_.is_signed};
}

caf::expected<fetch_document> document_walk::follow(const fetched_document& answer) {
  if (++redirects_ > redirects_max)
    return refused(errc::invalid, first_url_,
                   "more than " + std::to_string(redirects_max) + " redirects");
  const auto location = find_header(answer.headers, "Location");
  if (location.empty())
    return refused(errc::invalid, url_, "a redirect without Location");
  const auto before = host_;
  auto next = request_of(resolve_reference(url_, location));
  if (!next || host_ == before)
    return next;
  if (wish_.same_origin)
    return refused(errc::invalid, first_url_, "redirected to another host, " + to_name(host_));
  changed_origin_ = true;
  return next;
}

caf::expected<std::variant<fetch_document, plain_document>>
document_walk::take(fetched_document& answer) {
  using step = std::variant<fetch_document, plain_document>;
  if (is_redirect(answer.status)) {
    auto next = follow(answer);
    if (!next)
      return std::move(next.error());
    return step{std::move(*next)};
  }
  if (answer.status != 200)
    return refused(code_of_status(answer.status), url_,
                   "answered " + std::to_string(answer.status));
  if (answer.body.size() > wish_.bytes_max)
    return refused(errc::too_large, url_,
                   "more than " + std::to_string(wish_.bytes_max) + " bytes");
  return step{
      plain_document{.body = std::move(answer.body),
                     .content_type = std::string{find_header(answer.headers, "Content-Type")},
                     .url = url_,
                     .status = answer.status,
                     .first_url = first_url_,
                     .changed_origin = changed_origin_}};
}

caf::expected<std::variant<activity_document, std::string>>
judge_document(plain_document& document, url_rules rules, bool may_refetch) {
  using verdict = std::variant<activity_document, std::string>;
  if (!is_activity_type(document.content_type))
    return refused(errc::malformed, document.url,
                   "its type is \"" + document.content_type + "\", none of ActivityPub");
  auto body = parse_json(document.body);
  if (!body)
    return refused(errc::malformed, document.url, context_of(body.error()));
  if (!body->as_object())
    return refused(errc::malformed, document.url, "is no object");
  const auto* id = body->find("id");
  if (id && !id->is_null()) {
    if (!id->as_string())
      return refused(errc::malformed, document.url, "its id is no text");
    const auto own = parse_remote_url(*id->as_string(), rules);
    if (!own || !is_same_origin(*id->as_string(), document.url, rules))
      return refused(errc::invalid, document.url, "its id is of another server");
    // A server that redirects within itself still says what is there.
    const auto named = sent_url(*own);
    const auto is_named =
        named == document.url || (named == document.first_url && !document.changed_origin);
    if (!is_named && !may_refetch)
      return refused(errc::invalid, document.url, "its id names another document");
    if (!is_named)
      return verdict{*id->as_string()};
  }
  return verdict{activity_document{
      .body = std::move(*body), .url = std::move(document.url), .status = document.status}};
}

} // namespace trunkline
