#include "api/documents.hpp"
#include "api/handlers.hpp"

#include <utility>

namespace trunkline {

namespace {

/// Something was here: so says a Tombstone. Whatever else failed is refused.
void refuse_post(const document_exchange& exchange, const item_address& at,
                 const caf::error& failure) {
  if (code_of(failure) != errc::gone)
    return exchange.refuse(failure);
  exchange.gateway->services->counters.refused(errc::gone);
  exchange.reply({.status = 410,
                  .body = render_tombstone(exchange.urls().post(at.name, at.id)),
                  .content_type = activity_media_type});
}

/// Finds the post in the path and hands it to `then`, as far as whoever asks may see it.
template <class Then>
void with_item(gateway_state& gateway, const matched_request& request, http_reply reply,
               Then then) {
  const auto id = parse_id(request.segments[1]);
  if (!id)
    return refuse(gateway, varying(std::move(reply)),
                  make_error(errc::not_found, "Record not found"));
  const auto at = item_address{.name = request.segment(), .id = {*id}};
  begin_known(gateway, request, std::move(reply), [at, then](const document_exchange& exchange) {
    exchange.ask(
        ask_item(at, exchange.reader, exchange.viewing()),
        [exchange, then](const outgoing_item& item) { then(exchange, item); },
        [exchange, at](const caf::error& failure) { refuse_post(exchange, at, failure); });
  });
}

/// A boost has no document of its own but its Announce: its address leads to what it boosts.
void answer_note(const document_exchange& exchange, const outgoing_item& item) {
  if (const auto* note = std::get_if<outgoing_note>(&item))
    return exchange.answer(to_note(*note, exchange.urls(), false));
  auto response = http_response{.status = 302, .content_type = "text/plain; charset=utf-8"};
  response.headers.emplace_back("Location", std::get<plain_activity>(item).object);
  exchange.reply(std::move(response));
}

void answer_activity(const document_exchange& exchange, const outgoing_item& item) {
  const auto* note = std::get_if<outgoing_note>(&item);
  exchange.answer(note ? render_create(*note, exchange.urls())
                       : render(std::get<plain_activity>(item)));
}

} // namespace

void show_post(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (!wants_document(request))
    return lead_to_post_page(gateway, request, varying(std::move(reply)));
  with_item(gateway, request, std::move(reply), answer_note);
}

void show_post_or_page(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (!wants_document(request))
    return show_post_page(gateway, request, varying(std::move(reply)));
  with_item(gateway, request, std::move(reply), answer_note);
}

void show_post_activity(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (!wants_document(request))
    return lead_to_post_page(gateway, request, varying(std::move(reply)));
  with_item(gateway, request, std::move(reply), answer_activity);
}

} // namespace trunkline
