/// What the handlers of ActivityPub documents share: who asks, and how it is answered.
///
/// A signature is checked wherever it could change the answer. Without `authorized_fetch` a request
/// whose signature does not verify is a stranger's.
#pragma once

#include "actors/queries_federation.hpp"
#include "api/gateway.hpp"
#include "api/handling.hpp"
#include "api/route.hpp"
#include "protocol/json.hpp"
#include "protocol/outgoing.hpp"

#include <functional>
#include <string>

namespace trunkline {

/// A request for a document, while it is answered. Copied into continuations.
struct document_exchange {
  gateway_state* gateway = nullptr;
  http_reply reply;
  bool is_private = false; ///< The answer is for whoever asked alone.
  document_reader reader;
  /// Why nobody could tell who signed: then what is not found may be there for the signer.
  caf::error doubt;

  const api_services& services() const { return *gateway->services; }
  const url_space& urls() const { return services().own_urls; }
  federation_view viewing() const {
    return {.urls = urls(), .now = services().clock(), .counts = services().counts};
  }

  void answer(const json_object& document) const;
  /// `body` is JSON already.
  void answer(std::string body) const;
  void refuse(const caf::error& failure) const;

  /// Asks storage and hands what came to `then`; a failure goes to `failed`.
  template <class Task, class Then, class Failed>
  void ask(Task task, Then then, Failed failed) const {
    ask_storage(gateway->self, services().storage, std::move(task),
                [then, failed](const auto& answer) {
                  if (!answer)
                    return failed(answer.error());
                  then(*answer);
                });
  }
  template <class Task, class Then>
  void ask(Task task, Then then) const {
    ask(std::move(task), std::move(then),
        [exchange = *this](const caf::error& failure) { exchange.refuse(failure); });
  }
};

/// Tells whether a document is asked for, and no page.
bool wants_document(const matched_request& request);

/// Returns `reply` with the Vary header that every answer of a shared address needs.
http_reply varying(http_reply reply);

/// Begins an exchange without looking at who signed: for what everybody may read, always.
document_exchange begin_open(gateway_state& gateway, const matched_request& request,
                             http_reply reply);

using document_step = std::function<void(const document_exchange&)>;

/// Finds out who asks, then calls `then`, now or later; or refuses: 401 where a signature is
/// required, 403 for a blocked host, 503 when nothing checks signatures.
void begin_known(gateway_state& gateway, const matched_request& request, http_reply reply,
                 document_step then);

} // namespace trunkline
