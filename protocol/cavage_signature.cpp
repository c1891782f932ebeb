#include "protocol/crypto.hpp"
#include "protocol/http_date.hpp"
#include "protocol/signature_parts.hpp"

#include <algorithm>
#include <charconv>

namespace trunkline {

namespace {

constexpr std::size_t parameters_max = 16;

constexpr auto request_target_name = std::string_view{"(request-target)"};

using signature_parameters = std::vector<std::pair<std::string, std::string>>;

bool is_name_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

/// Walks over `name="value",name=number`.
class parameter_reader {
public:
  explicit parameter_reader(std::string_view text) : text_{text} {}

  std::optional<signature_parameters> read() {
    auto parameters = signature_parameters{};
    do {
      skip_spaces();
      auto name = take_while(is_name_letter);
      if (name.empty() || !take('=') || find(parameters, name) ||
          parameters.size() == parameters_max)
        return std::nullopt;
      auto value = read_value();
      if (!value)
        return std::nullopt;
      parameters.emplace_back(name, std::move(*value));
      skip_spaces();
    } while (take(','));
    return text_.empty() ? std::optional{std::move(parameters)} : std::nullopt;
  }

  static const std::string* find(const signature_parameters& parameters, std::string_view name) {
    const auto at = std::ranges::find(parameters, name, &signature_parameters::value_type::first);
    return at == parameters.end() ? nullptr : &at->second;
  }

private:
  bool take(char letter) {
    const auto found = !text_.empty() && text_.front() == letter;
    if (found)
      text_.remove_prefix(1);
    return found;
  }

  void skip_spaces() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size()));
  }

  template <class Belongs>
  std::string_view take_while(const Belongs& belongs) {
    const auto end = std::ranges::find_if_not(text_, belongs);
    const auto taken = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(taken.size());
    return taken;
  }

  std::optional<std::string> read_value() {
    if (take('"'))
      return read_quoted();
    const auto digits = take_while([](char letter) { return letter >= '0' && letter <= '9'; });
    return digits.empty() ? std::nullopt : std::optional<std::string>{digits};
  }

  std::optional<std::string> read_quoted() {
    auto value = std::string{};
    while (!take('"')) {
      take('\\');
      if (text_.empty())
        return std::nullopt;
      value += text_.front();
      text_.remove_prefix(1);
    }
    return value;
  }

  std::string_view text_;
};

/// One signature as it is read piece by piece.
struct cavage_reading {
  const signed_request& request;
  signature_parameters parameters;
  std::vector<std::string> names; ///< Of what is signed, in lower case.

  std::string parameter(std::string_view name) const {
    const auto* value = parameter_reader::find(parameters, name);
    return value ? *value : std::string{};
  }

  bool has(std::string_view name) const {
    return parameter_reader::find(parameters, name) != nullptr;
  }

  bool covers(std::string_view name) const { return std::ranges::find(names, name) != names.end(); }
};

std::string to_lower(std::string_view text) {
  auto lower = std::string{text};
  for (auto& letter : lower)
    if (letter >= 'A' && letter <= 'Z')
      letter = static_cast<char>(letter - 'A' + 'a');
  return lower;
}

/// Splits at single spaces. Nothing when a name is there twice, or there are too many.
std::optional<std::vector<std::string>> split_names(std::string_view text) {
  auto names = std::vector<std::string>{};
  for (;;) {
    const auto end = std::min(text.find(' '), text.size());
    auto name = to_lower(text.substr(0, end));
    if (name.empty() || names.size() == signed_components_max ||
        std::ranges::find(names, name) != names.end())
      return std::nullopt;
    names.push_back(std::move(name));
    if (end == text.size())
      return names;
    text.remove_prefix(end + 1);
  }
}

/// The key decides what a signature is made with, so that only what RSA keys make is taken;
/// old names of algorithms do not know the times inside.
caf::error check_algorithm(const cavage_reading& reading) {
  const auto algorithm = reading.parameter("algorithm");
  if (reading.has("algorithm") && algorithm != "rsa-sha256" && algorithm != "hs2019")
    return refuse_signature("algorithm must be rsa-sha256 or hs2019");
  if (algorithm == "rsa-sha256" && (reading.covers("(created)") || reading.covers("(expires)")))
    return refuse_signature("algorithm rsa-sha256 has no (created) and no (expires)");
  return {};
}

caf::error check_strength(const cavage_reading& reading) {
  if (!reading.covers(request_target_name))
    return refuse_signature("(request-target) must be signed");
  if (!reading.covers("host"))
    return refuse_signature("Host must be signed");
  if (!reading.covers("date") && !reading.covers("(created)"))
    return refuse_signature("Date or (created) must be signed");
  if (needs_digest(reading.request) && !reading.covers("digest"))
    return refuse_signature("Digest must be signed");
  return {};
}

/// Reads a parameter of seconds that may be missing; one that is no number is wrong.
struct moment_reading {
  std::optional<time_point> at;
  bool wrong = false;
};

moment_reading read_moment(const cavage_reading& reading, std::string_view name) {
  if (!reading.has(name))
    return {std::nullopt, reading.covers("(" + std::string{name} + ")")};
  const auto text = reading.parameter(name);
  auto seconds = std::int64_t{0};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size())
    return {std::nullopt, true};
  const auto at = to_moment(seconds);
  return {at, !at};
}

/// `created` and `expires` can make a signature worse even where they are not signed, never better.
caf::error check_cavage_times(const cavage_reading& reading, const signature_policy& policy,
                              time_point now) {
  const auto created = read_moment(reading, "created");
  const auto expires = read_moment(reading, "expires");
  if (created.wrong || expires.wrong)
    return refuse_signature("created or expires are missing or no seconds since 1970");
  auto times = signature_times{.created = created.at, .expires = expires.at};
  if (reading.covers("date")) {
    times.date = parse_http_date(find_signed_field(reading.request, "date").value_or(""));
    if (!times.date)
      return refuse_signature("Date is signed, but missing or no date");
  }
  return check_times(times, policy, now);
}

/// Every SHA-256 must be right and there must be one; what else is there is not looked at.
caf::error check_digest(const signed_request& request) {
  const auto field = find_signed_field(request, "digest");
  if (!field)
    return refuse_signature("Digest is signed, but missing");
  const auto right = to_base64(sha256(request.body));
  auto found = false;
  for (auto digests = std::string_view{*field}; !digests.empty();) {
    const auto end = std::min(digests.find(','), digests.size());
    auto digest = digests.substr(0, end);
    digests.remove_prefix(std::min(end + 1, digests.size()));
    digest.remove_prefix(std::min(digest.find_first_not_of(" \t"), digest.size()));
    const auto equals = std::min(digest.find('='), digest.size());
    if (to_lower(digest.substr(0, equals)) != "sha-256")
      continue;
    found = true;
    if (equals == digest.size() || digest.substr(equals + 1) != right)
      return refuse_signature("Digest is not that of the body");
  }
  return found ? caf::error{} : refuse_signature("Digest has no SHA-256");
}

/// Returns what was signed, with `target` as the request's, or nothing where a header is missing.
std::optional<std::string> base_of(const cavage_reading& reading, std::string_view target) {
  auto base = std::string{};
  for (const auto& name : reading.names) {
    if (!base.empty())
      base += '\n';
    base += name + ": ";
    if (name == request_target_name) {
      base.append(to_lower(reading.request.method)).append(" ").append(target);
      continue;
    }
    if (name == "(created)" || name == "(expires)") {
      base += reading.parameter(std::string_view{name}.substr(1, name.size() - 2));
      continue;
    }
    const auto value = find_signed_field(reading.request, name);
    if (!value)
      return std::nullopt;
    base += *value;
  }
  return base;
}

caf::error check(const cavage_reading& reading, const signature_policy& policy, time_point now) {
  if (auto failure = check_key_id(reading.parameter("keyId")))
    return failure;
  if (auto failure = check_algorithm(reading))
    return failure;
  if (auto failure = check_strength(reading))
    return failure;
  if (auto failure = check_host(reading.request))
    return failure;
  if (auto failure = check_cavage_times(reading, policy, now))
    return failure;
  return reading.covers("digest") ? check_digest(reading.request) : caf::error{};
}

} // namespace

caf::expected<signature_claim> read_cavage_signature(const signed_request& request,
                                                     const signature_policy& policy,
                                                     time_point now) {
  auto parameters = parameter_reader{find_signed_field(request, "signature").value_or("")}.read();
  if (!parameters)
    return malformed_signature("is no list of parameters, or has one twice");
  auto reading = cavage_reading{request, std::move(*parameters), {}};
  if (!reading.has("headers"))
    return refuse_signature("does not say which headers are signed");
  auto names = split_names(reading.parameter("headers"));
  if (!names)
    return malformed_signature("the list of signed headers cannot be read");
  reading.names = std::move(*names);
  const auto letters = reading.parameter("signature");
  auto bytes = from_base64(letters);
  if (bytes.empty() || to_base64(bytes) != letters)
    return malformed_signature("is not base64");
  if (auto failure = check(reading, policy, now))
    return failure;
  auto base = base_of(reading, request.target);
  if (!base)
    return refuse_signature("a header that is signed is missing");
  auto claim = signature_claim{.scheme = signature_scheme::cavage,
                               .key_id = reading.parameter("keyId"),
                               .algorithm = reading.parameter("algorithm"),
                               .signature = std::move(bytes),
                               .base = std::move(*base)};
  const auto question = request.target.find('?');
  if (policy.allow_missing_query && request.method == "GET" && question != std::string_view::npos)
    claim.base_without_query = base_of(reading, request.target.substr(0, question)).value_or("");
  return claim;
}

} // namespace trunkline
