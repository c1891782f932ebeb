#include "actors/domain_blocks.hpp"
#include "actors/messages.hpp"
#include "actors/queries_hosts.hpp"
#include "api/admin_actions.hpp"
#include "api/admin_handlers.hpp"
#include "api/handling.hpp"
#include "protocol/names.hpp"

namespace trunkline {

namespace {

std::string_view word_of(domain_severity severity) {
  return severity == domain_severity::silence ? "silence" : "suspend";
}

json_object render(const domain_block_row& block) {
  return {{"domain", block.host}, {"severity", word_of(block.severity)}, {"comment", block.reason}};
}

caf::expected<domain_severity> read_severity(const json_object& body) {
  const auto text = text_member(body, "severity");
  if (!text)
    return text.error();
  if (text->empty() || *text == "suspend")
    return domain_severity::suspend;
  if (*text == "silence")
    return domain_severity::silence;
  return make_error(errc::invalid, "severity: must be suspend or silence");
}

caf::expected<std::string> read_domain(const std::string& text, const std::string& own_domain) {
  auto name = canonical_host(text);
  if (!name)
    return make_error(errc::invalid, "domain: '" + text + "' is no host name");
  if (*name == own_domain)
    return make_error(errc::invalid, "domain: is this server's own");
  return name;
}

caf::expected<domain_block_row> read_block(const matched_request& request,
                                           const api_services& services) {
  const auto body = read_body(request);
  if (!body)
    return body.error();
  const auto wanted = text_member(*body, "domain");
  const auto comment = text_member(*body, "comment");
  if (!wanted || !comment)
    return (wanted ? comment : wanted).error();
  const auto severity = read_severity(*body);
  if (!severity)
    return severity.error();
  auto domain = read_domain(*wanted, services.options.domain);
  if (!domain)
    return std::move(domain.error());
  return domain_block_row{.owner = whole_server,
                          .host = std::move(*domain),
                          .severity = *severity,
                          .reason = *comment,
                          .at = services.clock()};
}

/// Blocks, and ends the follows a round at a time; the first round makes the block and the entry of
/// the audit, and the last one is answered. Whoever was not answered asks again.
void run_round(gateway_state& gateway, const domain_block_row& block, command<bool> round,
               const http_reply& reply) {
  ask(gateway, std::move(round), reply, [&gateway, block, reply](bool is_more) {
    if (is_more)
      return run_round(gateway, block, block_domain_for_all(block), reply);
    reply(admin_answer_of(200, render(block)));
  });
}

/// Returns why; a comment is a reason as well.
audit_entry entry_of(audit_entry entry, const domain_block_row& block) {
  entry.target = block.host;
  entry.detail = word_of(block.severity);
  if (entry.reason.empty())
    entry.reason = block.reason;
  return entry;
}

} // namespace

void list_server_blocks(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto limit = read_limit(request);
  if (!limit)
    return refuse(gateway, reply, limit.error());
  ask(gateway, ask_server_blocks(query_value(request, "after"), *limit), reply,
      [reply, limit = *limit,
       link = link_to_next(request)](const std::vector<domain_block_row>& blocks) {
        auto list = json_array{};
        for (const auto& block : blocks) {
          auto shown = render(block);
          shown["created_at"] = to_iso8601(block.at);
          list.emplace_back(std::move(shown));
        }
        auto response = admin_answer_of(200, {{"domain_blocks", std::move(list)}});
        if (std::ssize(blocks) == limit)
          add_next_page(response, link, blocks.back().host);
        reply(std::move(response));
      });
}

void block_for_all(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto block = read_block(request, *gateway.services);
  if (!block)
    return refuse(gateway, reply, block.error());
  const auto entry = entry_of(request, "block-domain");
  if (!entry)
    return refuse(gateway, reply, entry.error());
  run_round(gateway, *block, audited(block_domain_for_all(*block), entry_of(*entry, *block)),
            reply);
}

void unblock_for_all(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto domain = canonical_host(request.segment());
  const auto missing = make_error(errc::not_found, "domain '" + request.segment() +
                                                       "': is not blocked by the server");
  if (!domain)
    return refuse(gateway, reply, missing);
  auto entry = entry_of(request, "unblock-domain");
  if (!entry)
    return refuse(gateway, reply, entry.error());
  entry->target = *domain;
  const auto was_there = [](const bool& was_blocked) { return was_blocked; };
  ask(gateway, audited<bool>(unblock_domain_for_all(*domain), *entry, was_there), reply,
      [&gateway, domain = *domain, missing, reply](bool was_blocked) {
        if (!was_blocked)
          return refuse(gateway, reply, missing);
        reply(admin_answer_of(200, {{"domain", domain}}));
      });
}

} // namespace trunkline
