#include "engine/embedding/failures.hpp"
#include "net/http_types.hpp"
#include "protocol/webhook_signature.hpp"
#include "trunkline/webhook.hpp"

namespace trunkline {

result<bool> v0::verify_webhook(const web_headers& headers, std::string_view body,
                                std::string_view secret,
                                std::chrono::system_clock::time_point now) {
  const auto sent = webhook_headers{.id = find_header(headers, "webhook-id"),
                                    .timestamp = find_header(headers, "webhook-timestamp"),
                                    .signature = find_header(headers, "webhook-signature")};
  const auto at = std::chrono::floor<std::chrono::microseconds>(now);
  if (const auto wrong = check_webhook(sent, body, secret, at))
    return to_failure(wrong);
  return true;
}

} // namespace trunkline
