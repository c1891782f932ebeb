#include "actors/messages.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_known_host.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

json_object render(const queue_item& item) {
  return {{"unit", to_text(item.unit)},        {"inbox", item.inbox},
          {"author", to_string(item.author)},  {"kind", to_string(item.kind)},
          {"object", to_string(item.object)},  {"class", word_of(item.cls)},
          {"at", to_iso8601(item.at)},         {"in_flight", item.in_flight},
          {"exception", item.is_exception},    {"attempts", item.attempts},
          {"error", text_or_null(item.error)}, {"next_try_at", time_or_null(item.next_try_at)}};
}

} // namespace

void list_host_queue(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto wish = read_unit_page<list_queue>(request);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  with_known_host(
      gateway, {.http = request.http, .name = request.segment(), .reply = reply},
      [&gateway, reply, wish = *wish, link = link_to_next(request)](const host_line& host) mutable {
        wish.host = host.address;
        ask_region<host_queue>(
            gateway, gateway.services->hosts, wish, reply,
            [&gateway, reply, link, name = to_name(host.address)](const host_queue& queue) {
              auto list = json_array{};
              for (const auto& item : queue.items)
                list.emplace_back(render(item));
              auto response =
                  admin_answer_of(200, {{"host", name},
                                        {"queue", std::move(list)},
                                        {"as_of", to_iso8601(gateway.services->clock())}});
              if (!queue.is_end && !queue.items.empty())
                add_next_page(response, link, to_text(queue.items.back().unit));
              reply(std::move(response));
            });
      });
}

} // namespace trunkline
