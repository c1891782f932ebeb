#include "protocol/crypto.hpp"
#include "protocol/host_address.hpp"
#include "protocol/http_date.hpp"
#include "protocol/http_signature.hpp"

namespace trunkline {

namespace {

/// A request of ours as the server that gets it will see it.
struct seen_request {
  std::string method;
  std::string scheme;
  std::string authority;
  std::string target;
};

/// The client sends no request to a URL that cannot be read: what is signed for one is never seen.
seen_request seen(const request_to_sign& request) {
  auto url = parse_remote_url(request.url, {.allow_http = true});
  if (!url)
    return {};
  return {std::string{request.method}, url->host.scheme, to_name(url->host),
          std::move(url->target)};
}

std::string body_digest(const request_to_sign& request) {
  return request.body_sha256.empty() ? sha256(request.body) : std::string{request.body_sha256};
}

std::string to_lower(std::string text) {
  for (auto& letter : text)
    if (letter >= 'A' && letter <= 'Z')
      letter = static_cast<char>(letter - 'A' + 'a');
  return text;
}

unsigned_headers prepare_cavage(const request_to_sign& request) {
  const auto view = seen(request);
  auto date = to_http_date(request.at);
  auto prepared = unsigned_headers{.scheme = signature_scheme::cavage};
  prepared.base = "(request-target): " + to_lower(view.method) + " " + view.target +
                  "\nhost: " + view.authority + "\ndate: " + date;
  prepared.headers.emplace_back("Date", std::move(date));
  prepared.parameters = "keyId=\"" + request.key_id +
                        "\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date";
  if (request.has_body) {
    auto digest = "SHA-256=" + to_base64(body_digest(request));
    prepared.base += "\ndigest: " + digest;
    prepared.headers.emplace_back("Digest", std::move(digest));
    prepared.parameters += " digest";
  }
  prepared.parameters += '"';
  return prepared;
}

unsigned_headers prepare_message(const request_to_sign& request) {
  const auto view = seen(request);
  auto prepared = unsigned_headers{.scheme = signature_scheme::rfc9421};
  prepared.base = "\"@method\": " + view.method + "\n\"@target-uri\": " + view.scheme + "://" +
                  view.authority + view.target + "\n";
  prepared.parameters = "(\"@method\" \"@target-uri\"";
  if (request.has_body) {
    auto digest = "sha-256=:" + to_base64(body_digest(request)) + ":";
    prepared.base += "\"content-digest\": " + digest + "\n";
    prepared.headers.emplace_back("Content-Digest", std::move(digest));
    prepared.parameters += " \"content-digest\"";
  }
  const auto created = std::chrono::floor<std::chrono::seconds>(request.at.time_since_epoch());
  prepared.parameters += ");created=" + std::to_string(created.count()) + ";keyid=\"" +
                         request.key_id + "\";alg=\"rsa-v1_5-sha256\"";
  prepared.base += "\"@signature-params\": " + prepared.parameters;
  return prepared;
}

} // namespace

unsigned_headers prepare_signature(const request_to_sign& request, signature_scheme scheme) {
  return scheme == signature_scheme::rfc9421 ? prepare_message(request) : prepare_cavage(request);
}

std::vector<std::pair<std::string, std::string>> add_signature(unsigned_headers prepared,
                                                               std::string_view signature) {
  const auto letters = to_base64(signature);
  if (prepared.scheme == signature_scheme::rfc9421) {
    prepared.headers.emplace_back("Signature-Input", "sig1=" + prepared.parameters);
    prepared.headers.emplace_back("Signature", "sig1=:" + letters + ":");
  } else {
    prepared.headers.emplace_back("Signature",
                                  prepared.parameters + ",signature=\"" + letters + "\"");
  }
  return std::move(prepared.headers);
}

} // namespace trunkline
