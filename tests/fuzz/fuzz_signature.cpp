/// Signatures of requests, structured fields and public keys: what is accepted was signed over all
/// that must be, and what is read is written as text that reads to the same.
#include "protocol/crypto.hpp"
#include "protocol/http_signature.hpp"
#include "protocol/signing_key.hpp"
#include "protocol/structured_fields.hpp"

#include <algorithm>
#include <cstdlib>

using namespace trunkline;

namespace {

/// 2026-11-25T17:19:00Z: the day of the seeds.
const auto now = time_point{std::chrono::seconds{1'795'627'140}};

/// Cuts up to the next line end.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void require(bool holds) {
  if (!holds)
    std::abort();
}

bool has_line(std::string_view base, const std::string& begin) {
  return base.starts_with(begin) || base.find("\n" + begin) != std::string_view::npos;
}

void check_cavage(const signature_claim& claim, const signed_request& request) {
  auto method = std::string{request.method};
  for (auto& letter : method)
    letter = static_cast<char>(letter - 'A' + 'a');
  require(has_line(claim.base, "(request-target): " + method + " " + std::string{request.target}));
  require(has_line(claim.base, "host: "));
  require(has_line(claim.base, "date: ") || has_line(claim.base, "(created): "));
  if (request.method == "POST" || !request.body.empty())
    require(has_line(claim.base, "digest: ") &&
            claim.base.find(to_base64(sha256(request.body))) != std::string::npos);
}

void check_message(const signature_claim& claim, const signed_request& request) {
  require(has_line(claim.base, "\"@method\": " + std::string{request.method}));
  require(has_line(claim.base, "\"@signature-params\": ("));
  require(has_line(claim.base, "\"@target-uri\": ") || has_line(claim.base, "\"@authority\": ") ||
          has_line(claim.base, "\"host\": "));
  require(claim.base.find(request.target.substr(0, request.target.find('?'))) != std::string::npos);
  if (request.method == "POST" || !request.body.empty())
    require(has_line(claim.base, "\"content-digest\": ") &&
            (claim.base.find(to_base64(sha256(request.body))) != std::string::npos ||
             claim.base.find(to_base64(sha512(request.body))) != std::string::npos));
}

/// A request line "METHOD target", headers, an empty line and the body.
void read_request(std::string_view text) {
  const auto first = take_line(text);
  const auto space = std::min(first.find(' '), first.size());
  auto headers = std::vector<std::pair<std::string, std::string>>{};
  for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto colon = std::min(line.find(':'), line.size());
    headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const auto request = signed_request{.method = first.substr(0, space),
                                      .target = first.substr(std::min(space + 1, first.size())),
                                      .scheme = "https",
                                      .authority = "local.example",
                                      .headers = headers,
                                      .body = text,
                                      .has_body = !text.empty()};
  const auto claim = read_signature(request, {}, now);
  if (!claim)
    return;
  require(!claim->key_id.empty() && claim->key_id.size() <= 2'048 && !claim->signature.empty());
  if (claim->scheme == signature_scheme::cavage)
    check_cavage(*claim, request);
  else
    check_message(*claim, request);
}

template <class Value>
void check_round(const caf::expected<Value>& value,
                 caf::expected<Value> (*parse)(std::string_view)) {
  if (!value)
    return;
  const auto text = write_structured(*value);
  require(static_cast<bool>(text));
  const auto again = parse(*text);
  require(again && *again == *value);
}

void read_field(std::string_view text) {
  check_round(parse_structured_item(text), parse_structured_item);
  check_round(parse_structured_list(text), parse_structured_list);
  check_round(parse_structured_dictionary(text), parse_structured_dictionary);
}

/// A key that is taken verifies nothing by chance.
void read_key(std::string_view text) {
  const auto begin = std::string{"-----BEGIN PUBLIC KEY-----\n"};
  for (const auto& pem :
       {std::string{text}, begin + to_base64(text) + "\n-----END PUBLIC KEY-----"})
    if (const auto key = public_key::parse(pem))
      require(!key->verifies("message", text) && !key->verifies_pss("message", text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
  switch (bytes[0] % 4U) {
  case 0:
    read_field(text);
    break;
  case 1:
    read_key(text);
    break;
  default:
    read_request(text);
  }
  return 0;
}
