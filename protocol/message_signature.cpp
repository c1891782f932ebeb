#include "protocol/crypto.hpp"
#include "protocol/signature_parts.hpp"
#include "protocol/structured_fields.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// Signatures of one request: proxies may add theirs. The first that holds to the rules counts.
constexpr std::size_t labels_max = 4;

/// Returns the authority without the port that the scheme has anyway.
std::string_view normal_authority(const signed_request& request) {
  auto authority = request.authority;
  const auto port = request.scheme == "http" ? std::string_view{":80"} : std::string_view{":443"};
  if (authority.ends_with(port))
    authority.remove_suffix(port.size());
  return authority;
}

std::string lower_authority(const signed_request& request) {
  auto authority = std::string{normal_authority(request)};
  for (auto& letter : authority)
    if (letter >= 'A' && letter <= 'Z')
      letter = static_cast<char>(letter - 'A' + 'a');
  return authority;
}

/// Returns the value of a component that is no header, or nothing when there is no such component.
std::optional<std::string> derive(const signed_request& request, std::string_view name) {
  const auto question = std::min(request.target.find('?'), request.target.size());
  if (name == "@method")
    return std::string{request.method};
  if (name == "@target-uri")
    return std::string{request.scheme} + "://" + lower_authority(request) +
           std::string{request.target};
  if (name == "@authority")
    return lower_authority(request);
  if (name == "@scheme")
    return std::string{request.scheme};
  if (name == "@request-target")
    return std::string{request.target};
  if (name == "@path")
    return std::string{request.target.substr(0, question)};
  if (name == "@query")
    return question == request.target.size() ? "?" : std::string{request.target.substr(question)};
  return std::nullopt;
}

/// One signature as it is read piece by piece.
struct message_reading {
  const signed_request& request;
  const inner_list& input;
  std::vector<std::string_view> names; ///< Of what is covered.

  bool covers(std::string_view name) const { return std::ranges::find(names, name) != names.end(); }

  /// Null when the parameter is missing or of another type.
  template <class Value>
  const Value* parameter(std::string_view name) const {
    const auto* value = find_parameter(input.parameters, name);
    return value ? std::get_if<Value>(value) : nullptr;
  }

  bool has(std::string_view name) const {
    return find_parameter(input.parameters, name) != nullptr;
  }
};

/// Names alone are understood: what a parameter makes of a component would be a guess.
caf::expected<std::vector<std::string_view>> names_of(const inner_list& input) {
  auto names = std::vector<std::string_view>{};
  if (input.items.size() > signed_components_max)
    return malformed_signature("covers more than 32 components");
  for (const auto& item : input.items) {
    const auto* name = std::get_if<std::string>(&item.value);
    if (!name || !item.parameters.empty())
      return malformed_signature("a component is not a plain name");
    if (std::ranges::find(names, *name) != names.end())
      return malformed_signature("a component is there twice");
    const auto is_upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    if (name->empty() || std::ranges::any_of(*name, is_upper))
      return malformed_signature("the name of a component is not in lower case");
    names.push_back(*name);
  }
  return names;
}

/// What is signed must say which resource on which host is asked, its query included.
bool covers_target(const message_reading& reading) {
  if (reading.covers("@target-uri"))
    return true;
  const auto covers_query =
      reading.covers("@query") || reading.request.target.find('?') == std::string_view::npos;
  const auto covers_path =
      reading.covers("@request-target") || (reading.covers("@path") && covers_query);
  return covers_path && (reading.covers("@authority") || reading.covers("host"));
}

caf::error check_strength(const message_reading& reading) {
  if (!reading.covers("@method") || !covers_target(reading))
    return refuse_signature("@method and @target-uri must be signed");
  if (needs_digest(reading.request) && !reading.covers("content-digest"))
    return refuse_signature("Content-Digest must be signed");
  if (!reading.parameter<std::int64_t>("created"))
    return refuse_signature("has no created");
  const auto* key_id = reading.parameter<std::string>("keyid");
  return check_key_id(key_id ? *key_id : "");
}

caf::error check_algorithm(const message_reading& reading) {
  if (!reading.has("alg"))
    return {};
  const auto* name = reading.parameter<std::string>("alg");
  if (!name || (*name != "rsa-v1_5-sha256" && *name != "rsa-pss-sha512"))
    return refuse_signature("alg must be rsa-v1_5-sha256 or rsa-pss-sha512");
  return {};
}

caf::error check_message_times(const message_reading& reading, const signature_policy& policy,
                               time_point now) {
  const auto created = to_moment(*reading.parameter<std::int64_t>("created"));
  if (!created)
    return refuse_signature("created is no moment");
  auto times = signature_times{.created = created};
  if (reading.has("expires")) {
    const auto* expires = reading.parameter<std::int64_t>("expires");
    times.expires = expires ? to_moment(*expires) : std::nullopt;
    if (!times.expires)
      return refuse_signature("expires is no moment");
  }
  return check_times(times, policy, now);
}

/// Every digest that is understood must be right, and there must be one.
caf::error check_content_digest(const signed_request& request) {
  const auto field = find_signed_field(request, "content-digest");
  if (!field)
    return refuse_signature("Content-Digest is signed, but missing");
  const auto digests = parse_structured_dictionary(*field);
  if (!digests)
    return malformed_signature("Content-Digest is no dictionary");
  auto found = false;
  for (const auto& [name, member] : *digests) {
    if (name != "sha-256" && name != "sha-512")
      continue;
    found = true;
    const auto* item = std::get_if<structured_item>(&member);
    const auto* digest = item ? std::get_if<structured_bytes>(&item->value) : nullptr;
    if (!digest ||
        digest->bytes != (name == "sha-256" ? sha256(request.body) : sha512(request.body)))
      return refuse_signature("Content-Digest is not that of the body");
  }
  return found ? caf::error{} : refuse_signature("Content-Digest has neither sha-256 nor sha-512");
}

/// Returns what was signed.
caf::expected<std::string> base_of(const message_reading& reading) {
  auto base = std::string{};
  for (const auto& name : reading.names) {
    const auto is_derived = name.starts_with('@');
    const auto value =
        is_derived ? derive(reading.request, name) : find_signed_field(reading.request, name);
    if (!value && is_derived)
      return malformed_signature("covers a component that no request has");
    if (!value)
      return refuse_signature("a header that is signed is missing");
    base.append("\"").append(name).append("\": ").append(*value).append("\n");
  }
  auto parameters = write_structured(reading.input);
  if (!parameters)
    return malformed_signature("its parameters cannot be written");
  return base + "\"@signature-params\": " + *parameters;
}

caf::error check(const message_reading& reading, const signature_policy& policy, time_point now) {
  if (auto failure = check_strength(reading))
    return failure;
  if (auto failure = check_algorithm(reading))
    return failure;
  if (auto failure = check_host(reading.request))
    return failure;
  if (auto failure = check_message_times(reading, policy, now))
    return failure;
  return reading.covers("content-digest") ? check_content_digest(reading.request) : caf::error{};
}

/// What a request says under one label: its input and its signature.
struct labelled_signature {
  const structured_member& input;
  const structured_member* signature;
};

caf::expected<signature_claim> read_labelled(const signed_request& request,
                                             const labelled_signature& labelled,
                                             const signature_policy& policy, time_point now) {
  const auto* input = std::get_if<inner_list>(&labelled.input);
  if (!input)
    return malformed_signature("Signature-Input is no list of components");
  const auto* item =
      labelled.signature ? std::get_if<structured_item>(labelled.signature) : nullptr;
  const auto* signature = item ? std::get_if<structured_bytes>(&item->value) : nullptr;
  if (!signature || signature->bytes.empty())
    return refuse_signature("Signature-Input has a label that Signature has not");
  auto names = names_of(*input);
  if (!names)
    return names.error();
  const auto reading = message_reading{request, *input, std::move(*names)};
  auto base = base_of(reading);
  if (!base)
    return base.error();
  if (auto failure = check(reading, policy, now))
    return failure;
  const auto* algorithm = reading.parameter<std::string>("alg");
  return signature_claim{.scheme = signature_scheme::rfc9421,
                         .key_id = *reading.parameter<std::string>("keyid"),
                         .algorithm = algorithm ? *algorithm : "",
                         .signature = signature->bytes,
                         .base = std::move(*base)};
}

} // namespace

caf::expected<signature_claim> read_message_signature(const signed_request& request,
                                                      const signature_policy& policy,
                                                      time_point now) {
  const auto inputs =
      parse_structured_dictionary(find_signed_field(request, "signature-input").value_or(""));
  const auto signatures =
      parse_structured_dictionary(find_signed_field(request, "signature").value_or(""));
  if (!inputs || !signatures)
    return malformed_signature("Signature-Input or Signature is no dictionary");
  if (inputs->empty() || inputs->size() > labels_max)
    return malformed_signature("Signature-Input must have one to four labels");
  auto first_failure = caf::error{};
  for (const auto& [label, input] : *inputs) {
    auto claim = read_labelled(request, {input, find_member(*signatures, label)}, policy, now);
    if (claim)
      return claim;
    if (!first_failure)
      first_failure = claim.error();
  }
  return first_failure;
}

} // namespace trunkline
