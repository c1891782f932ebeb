#include "actors/queries_audit.hpp"
#include "api/admin_handlers.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

json_object render(const audit_entry& entry) {
  return {{"id", std::to_string(entry.id)}, {"at", to_iso8601(entry.at)}, {"who", entry.who},
          {"action", entry.action},         {"target", entry.target},     {"reason", entry.reason},
          {"detail", entry.detail}};
}

} // namespace

void show_audit(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto limit = read_limit(request);
  const auto after = query_value(request, "after");
  const auto before = after.empty() ? caf::expected<std::int64_t>{0} : parse_id(after);
  if (!limit)
    return refuse(gateway, reply, limit.error());
  if (!before)
    return refuse(gateway, reply,
                  make_error(errc::invalid, "after: must be what the last page's link says"));
  ask(gateway, ask_audit(*before, static_cast<std::size_t>(*limit), query_value(request, "target")),
      reply,
      [reply, limit = *limit, link = link_to_next(request)](const std::vector<audit_entry>& found) {
        auto list = json_array{};
        for (const auto& entry : found)
          list.emplace_back(render(entry));
        auto response = admin_answer_of(200, {{"audit", std::move(list)}});
        if (std::ssize(found) == limit)
          add_next_page(response, link, std::to_string(found.back().id));
        reply(std::move(response));
      });
}

} // namespace trunkline
