#include "api/documents.hpp"
#include "api/handlers.hpp"

#include <utility>

namespace trunkline {

namespace {

/// Asks for the public key of `owner` (0: the server) and hands it to `then`.
template <class Then>
void ask_key(const document_exchange& exchange, account_id owner, Then then) {
  const auto& services = exchange.services();
  if (!services.signing)
    return exchange.refuse(make_error(errc::unavailable, "there are no keys yet"));
  exchange.gateway->self
      ->request(services.signing, services.options.deadline, ask_public_key{.owner = owner})
      .then([then](const public_key_text& key) { then(key.pem); },
            [exchange](const caf::error& failure) { exchange.refuse(failure); });
}

void answer_actor(const document_exchange& exchange, const local_actor& actor) {
  ask_key(exchange, actor.id, [exchange, shown = actor.document](const std::string& pem) {
    auto complete = shown;
    complete.public_key_pem = pem;
    exchange.answer(to_actor(complete, exchange.urls(), false));
  });
}

/// Everybody may have the document of an account: its key is in it. Where signatures are required
/// its sender must have signed all the same.
void show_actor_document(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto step = [name = request.segment()](const document_exchange& exchange) {
    exchange.ask(ask_local_actor(name, exchange.viewing()),
                 [exchange](const local_actor& actor) { answer_actor(exchange, actor); });
  };
  if (gateway.services->options.authorized_fetch)
    return begin_known(gateway, request, std::move(reply), step);
  step(begin_open(gateway, request, std::move(reply)));
}

/// Reads `page` and `max_id`; an id alone asks for a page, too.
caf::expected<collection_part> read_part(const matched_request& request) {
  auto reader = param_reader{request.params};
  const auto max_id = reader.id<post_id>("max_id");
  const auto page = reader.text("page").value_or("");
  if (reader.failure())
    return reader.failure();
  return collection_part{.page = max_id || (!page.empty() && page != "false"),
                         .max_id = max_id.value};
}

json_array items_of(const collection_of<outgoing_item>& outbox, const url_space& urls) {
  auto items = json_array{};
  for (const auto& item : outbox.items) {
    const auto* note = std::get_if<outgoing_note>(&item);
    items.push_back(note ? to_create(*note, urls, true)
                         : to_activity(std::get<plain_activity>(item)));
  }
  return items;
}

json_array items_of(const collection_of<std::string>& actors, const url_space&) {
  return json_array(actors.items.begin(), actors.items.end());
}

/// Answers with a collection at `address`, or the page of it that is asked for. `ask_part` makes
/// the question.
template <class AskPart>
void show_collection(gateway_state& gateway, const matched_request& request, http_reply reply,
                     std::string (url_space::*address)(std::string_view) const, AskPart ask_part) {
  const auto part = read_part(request);
  if (!part)
    return refuse(gateway, reply, part.error());
  begin_known(
      gateway, request, std::move(reply),
      [=, part = *part, name = request.segment()](const document_exchange& exchange) {
        exchange.ask(ask_part(name, part, exchange), [=](const auto& found) {
          const auto id = (exchange.urls().*address)(found.owner);
          if (!part.page)
            return exchange.answer(to_collection(id, found.total));
          exchange.answer(to_collection_page(
              {.collection = id, .max_id = part.max_id, .next = found.next, .total = found.total},
              items_of(found, exchange.urls())));
        });
      });
}

} // namespace

void show_actor_or_page(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (!wants_document(request))
    return lead_to_profile_page(gateway, request, varying(std::move(reply)));
  show_actor_document(gateway, request, std::move(reply));
}

void show_profile_or_actor(gateway_state& gateway, const matched_request& request,
                           http_reply reply) {
  const auto is_ours = request.segment().find('@') == std::string::npos;
  if (!is_ours || !wants_document(request))
    return show_profile_page(gateway, request, varying(std::move(reply)));
  show_actor_document(gateway, request, std::move(reply));
}

void show_instance_actor(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto exchange = begin_open(gateway, request, std::move(reply));
  ask_key(exchange, account_id{}, [exchange](const std::string& pem) {
    exchange.answer(to_instance_actor(exchange.services().options.domain, pem, exchange.urls()));
  });
}

/// The server itself posts nothing.
void show_instance_outbox(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  begin_known(gateway, request, std::move(reply), [](const document_exchange& exchange) {
    exchange.answer(
        to_whole_collection(exchange.urls().instance_actor() + "/outbox", json_array{}));
  });
}

void show_outbox(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_collection(
      gateway, request, std::move(reply), &url_space::outbox,
      [](const std::string& name, const collection_part& part, const document_exchange& exchange) {
        return ask_outbox(name, part, exchange.reader, exchange.viewing());
      });
}

void show_followers(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_collection(
      gateway, request, std::move(reply), &url_space::followers,
      [](const std::string& name, const collection_part& part, const document_exchange& exchange) {
        return ask_followers(name, part, exchange.reader, exchange.viewing());
      });
}

void show_following(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_collection(
      gateway, request, std::move(reply), &url_space::following,
      [](const std::string& name, const collection_part& part, const document_exchange& exchange) {
        return ask_following(name, part, exchange.reader, exchange.viewing());
      });
}

void show_featured(gateway_state& gateway, const matched_request& request, http_reply reply) {
  begin_known(gateway, request, std::move(reply),
              [name = request.segment()](const document_exchange& exchange) {
                exchange.ask(ask_featured(name, exchange.reader, exchange.viewing()),
                             [exchange](const collection_of<outgoing_note>& found) {
                               auto items = json_array{};
                               for (const auto& note : found.items)
                                 items.push_back(to_note(note, exchange.urls(), true));
                               exchange.answer(to_whole_collection(
                                   exchange.urls().featured(found.owner), std::move(items)));
                             });
              });
}

} // namespace trunkline
