#include "tests/kit/signed_message.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "protocol/http_date.hpp"

#include <algorithm>
#include <cctype>

namespace trunkline::kit {

namespace {

const private_key& remote_key() {
  static const auto key = private_key::generate();
  return key;
}

std::string cavage_base(message& request, const cavage_words& words) {
  auto base = std::string{};
  auto names = words.names + " ";
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(' '));
    names.erase(0, name.size() + 1);
    base += (base.empty() ? "" : "\n") + name + ": ";
    if (name == "(request-target)")
      base += lower(request.method) + " " + (words.target.empty() ? request.target : words.target);
    else if (name == "(created)")
      base += words.created;
    else if (name == "(expires)")
      base += words.expires;
    else
      for (const auto& [key, value] : request.fields)
        if (lower(key) == name)
          base += value;
  }
  return base;
}

std::string component(message& request, const std::string& name) {
  const auto question = request.target.find('?');
  if (name == "@method")
    return request.method;
  if (name == "@target-uri")
    return "https://local.example" + request.target;
  if (name == "@authority")
    return "local.example";
  if (name == "@scheme")
    return "https";
  if (name == "@request-target")
    return request.target;
  if (name == "@path")
    return request.target.substr(0, question);
  if (name == "@query")
    return question == std::string::npos ? "?" : request.target.substr(question);
  for (const auto& [key, value] : request.fields)
    if (lower(key) == name)
      return value;
  return "";
}

} // namespace

const public_key& remote_public_key() {
  static const auto key = *public_key::parse(remote_key().public_pem());
  return key;
}

std::string remote_public_pem() {
  return remote_key().public_pem();
}

std::string& message::field(const std::string& name) {
  for (auto& [key, value] : fields)
    if (key == name)
      return value;
  return fields.emplace_back(name, "").second;
}

message get_message(std::string target) {
  return {.method = "GET", .target = std::move(target), .body = "", .has_body = false};
}

bool is_true(const signature_claim& claim) {
  const auto& key = remote_public_key();
  if (claim.algorithm == "rsa-pss-sha512")
    return key.verifies_pss(claim.base, claim.signature);
  return key.verifies(claim.base, claim.signature) ||
         (!claim.base_without_query.empty() &&
          key.verifies(claim.base_without_query, claim.signature));
}

int status_of(const message& request, signature_policy policy) {
  const auto claim = read_signature(request.view(), policy, now);
  if (!claim)
    return code_of(claim.error()) == errc::malformed         ? 400
           : code_of(claim.error()) == errc::unauthenticated ? 401
                                                             : 500;
  return claim->key_id == key_id && is_true(*claim) ? 202 : 401;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return text;
}

std::string seconds_text(std::chrono::seconds offset) {
  return std::to_string(
      std::chrono::floor<std::chrono::seconds>((now + offset).time_since_epoch()).count());
}

message cavage(message request, const cavage_words& words) {
  if (request.fields.size() == 1)
    request.field("Date") = to_http_date(now);
  if (request.has_body && words.names.find("digest") != std::string::npos &&
      request.field("Digest").empty())
    request.field("Digest") = "SHA-256=" + to_base64(sha256(request.body));
  const auto signature = remote_key().sign(cavage_base(request, words));
  auto text = "keyId=\"" + words.key + "\"";
  if (!words.algorithm.empty())
    text += ",algorithm=\"" + words.algorithm + "\"";
  if (!words.created.empty())
    text += ",created=" + words.created;
  if (!words.expires.empty())
    text += ",expires=" + words.expires;
  text += "," + words.more + "headers=\"" + words.names + "\",signature=\"" + to_base64(signature) +
          "\"";
  request.fields.emplace_back("Signature", text);
  return request;
}

std::string usual_parameters(std::chrono::seconds created) {
  return ";created=" + seconds_text(created) + ";keyid=\"" + key_id + "\"";
}

message rfc9421(message request, const std::string& names, const std::string& parameters,
                const std::string& label) {
  if (request.has_body && names.find("content-digest") != std::string::npos &&
      request.field("Content-Digest").empty())
    request.field("Content-Digest") = "sha-256=:" + to_base64(sha256(request.body)) + ":";
  auto base = std::string{};
  auto left = names.empty() ? "" : names + " ";
  while (!left.empty()) {
    const auto name = left.substr(0, left.find(' '));
    left.erase(0, name.size() + 1);
    base += name + ": " + component(request, name.substr(1, name.size() - 2)) + "\n";
  }
  const auto input = "(" + names + ")" + parameters;
  base += "\"@signature-params\": " + input;
  auto& inputs = request.field("Signature-Input");
  inputs += (inputs.empty() ? "" : ", ") + label + "=" + input;
  auto& signatures = request.field("Signature");
  signatures +=
      (signatures.empty() ? "" : ", ") + label + "=:" + to_base64(remote_key().sign(base)) + ":";
  return request;
}

message ours(message request, signature_scheme scheme) {
  auto prepared = prepare_signature({.method = request.method,
                                     .url = "https://local.example" + request.target,
                                     .body = request.body,
                                     .has_body = request.has_body,
                                     .key_id = key_id,
                                     .at = now},
                                    scheme);
  const auto signature = remote_key().sign(prepared.base);
  for (auto& field : add_signature(std::move(prepared), signature))
    request.fields.push_back(std::move(field));
  return request;
}

} // namespace trunkline::kit
