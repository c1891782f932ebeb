#include "engine/testing/world_server.hpp"

#include "engine/embedding/web_values.hpp"
#include "protocol/activity.hpp"
#include "protocol/http_signature.hpp"
#include "protocol/key_document.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/query_string.hpp"
#include "protocol/webfinger.hpp"

#include <exception>
#include <utility>

namespace trunkline {

namespace {

/// An answer to a Follow is worth more than one try, as servers have it.
constexpr auto accept_tries = 5;
constexpr auto accept_wait = std::chrono::seconds{60};

http_response document(const json_object& content, int status = 200) {
  return {
      .status = status, .body = to_json(content), .content_type = std::string{activity_media_type}};
}

http_response refusal(int status, const char* why) {
  return {.status = status, .body = to_json(json_object{{"error", why}})};
}

std::string resource_of(const http_request& request) {
  const auto pairs = parse_query_string(request.query);
  if (!pairs)
    return "";
  for (const auto& pair : *pairs)
    if (pair.name == "resource")
      return pair.value;
  return "";
}

/// What an activity's object is, whether it is there or only named.
testing::received_activity record_of(const http_request& request, const json_value& activity) {
  auto out = testing::received_activity{.type = text_of(activity.find("type")),
                                        .actor = only_web_id_of(activity.find("actor")),
                                        .object_type = {},
                                        .object = {},
                                        .content = {},
                                        .json = request.body,
                                        .inbox = request.path,
                                        .signature_ok = false};
  const auto* object = activity.find("object");
  if (!object)
    return out;
  out.object = object->as_string() ? *object->as_string() : text_of(object->find("id"));
  if (object->as_object()) {
    out.object_type = text_of(object->find("type"));
    out.content = text_of(object->find("content"));
  }
  return out;
}

caf::expected<signature_claim> claim_of(const http_request& request, time_point now) {
  const auto target = request.query.empty() ? request.path : request.path + "?" + request.query;
  return read_signature({.method = to_string(request.method),
                         .target = target,
                         .scheme = "https",
                         .authority = request.header("Host"),
                         .headers = request.headers,
                         .body = request.body,
                         .has_body = true},
                        {}, now);
}

/// Tells whether the sender's own document has the key, and the key made the signature.
bool is_signed_by(const signature_claim& claim, const json_value& sender) {
  const auto named = read_key_document(sender, claim.key_id);
  if (!named)
    return false;
  const auto key = public_key::parse(named->pem);
  if (!key)
    return false;
  return claim.algorithm == "rsa-pss-sha512" ? key->verifies_pss(claim.base, claim.signature)
                                             : key->verifies(claim.base, claim.signature);
}

std::string without_fragment(const std::string& url) {
  return url.substr(0, url.find('#'));
}

} // namespace

/// One activity that has come in, until it is answered.
struct world_server::delivery {
  signature_claim claim;
  json_value activity;
  std::string actor;
  std::size_t record; ///< Its place in `received`; past the end when it is not kept.
  http_reply reply;
};

world_server::world_server(inner_world& world, std::string host)
    : world_{world}, host_{std::move(host)} {
  world_.network().place(
      host_, {.handler = [this](http_request request,
                                http_reply reply) { take(std::move(request), std::move(reply)); },
              .mood = [this] { return mood; },
              .on_request = [this] { ++requests; }});
}

std::shared_ptr<world_account> world_server::account(std::string_view name) {
  auto& known = accounts_[std::string{name}];
  if (!known)
    known = std::make_shared<world_account>(std::string{name}, host_);
  return known;
}

// What others ask

void world_server::take(http_request request, http_reply reply) {
  if (request.method == http_method::post && request.path.ends_with("/inbox") &&
      (request.path == "/inbox" || account_at(request.path)))
    return take_activity(std::move(request), std::move(reply));
  if (request.method == http_method::get)
    if (auto answer = answer_get(request))
      return reply(std::move(*answer));
  reply(answer_otherwise(request));
}

world_server::account_ptr world_server::account_at(std::string_view path) const {
  constexpr auto users = std::string_view{"/users/"};
  if (!path.starts_with(users))
    return nullptr;
  path.remove_prefix(users.size());
  const auto found = accounts_.find(path.substr(0, path.find('/')));
  return found == accounts_.end() ? nullptr : found->second;
}

world_server::account_ptr world_server::any_account() const {
  return accounts_.empty() ? nullptr : accounts_.begin()->second;
}

std::optional<http_response> world_server::answer_get(const http_request& request) const {
  if (request.path == "/.well-known/webfinger") {
    const auto asked = parse_address_text(resource_of(request), "https");
    const auto found = asked ? accounts_.find(asked->name) : accounts_.end();
    if (found == accounts_.end() || to_name(asked->host) != host_)
      return std::nullopt;
    return http_response{.body = to_json(found->second->webfinger()),
                         .content_type = "application/jrd+json"};
  }
  const auto account = account_at(request.path);
  if (!account)
    return std::nullopt;
  if (request.path == account->path())
    return document(account->document());
  if (const auto* note = account->find_note(request.path))
    return document(account->note_document(*note), note->deleted ? 410 : 200);
  for (const auto* list : {"/followers", "/following", "/outbox"})
    if (request.path == account->path() + list)
      return document({{"@context", "https://www.w3.org/ns/activitystreams"},
                       {"id", account->uri() + list},
                       {"type", "OrderedCollection"},
                       {"totalItems", 0}});
  return std::nullopt;
}

http_response world_server::answer_otherwise(const http_request& request) const {
  if (!own_answer)
    return refusal(404, "no such thing");
  try {
    return from_web(own_answer(to_web(request)));
  } catch (...) { // whatever an embedder throws ends here
    return refusal(500, "the answer threw an exception");
  }
}

// What comes in

void world_server::take_activity(http_request request, http_reply reply) {
  const auto activity = parse_json(request.body);
  if (!activity || !activity->as_object())
    return reply(refusal(400, "no activity"));
  const auto place = received.size();
  if (place < received_max)
    received.push_back(record_of(request, *activity));
  auto claim = claim_of(request, now());
  if (!claim)
    return reply(refusal(401, "no signature that can be read"));
  judge(std::make_shared<delivery>(delivery{.claim = std::move(*claim),
                                            .activity = *activity,
                                            .actor = only_web_id_of(activity->find("actor")),
                                            .record = place,
                                            .reply = std::move(reply)}),
        false);
}

/// A document that is known here is looked at first; a key that does not fit may have changed.
void world_server::judge(const std::shared_ptr<delivery>& one, bool is_fresh) {
  const auto known = strangers_.find(one->actor);
  if (known != strangers_.end() && is_signed_by(one->claim, known->second.document))
    return conclude(*one, &known->second);
  if (is_fresh)
    return conclude(*one, nullptr);
  fetch(without_fragment(one->claim.key_id), any_account(),
        [this, one](const stranger*) { judge(one, true); });
}

void world_server::conclude(const delivery& one, const stranger* sender) {
  if (!sender)
    return one.reply(refusal(401, "the signature does not fit the sender's key"));
  if (one.record < received.size())
    received[one.record].signature_ok = true;
  one.reply({.status = 202, .body = ""});
  if (text_of(one.activity.find("type")) == "Follow")
    accept(one.activity, sender->inbox);
}

void world_server::accept(const json_value& follow, const std::string& inbox) {
  const auto followed = only_web_id_of(follow.find("object"));
  for (const auto& [name, account] : accounts_)
    if (account->uri() == followed)
      post_until_taken(
          account->signed_request_to(inbox, to_json(account->activity("Accept", follow)), now()),
          accept_tries);
}

void world_server::post_until_taken(outgoing_request request, int tries) {
  world_.network().send(host_, request, [this, request, tries](const exchange_outcome& outcome) {
    const auto* answer = outcome.response();
    if ((answer && answer->status < 500 && answer->status != 429) || tries <= 1)
      return;
    world_.after(accept_wait, [this, request, tries] { post_until_taken(request, tries - 1); });
  });
}

// What it asks and sends

/// Who wants to know who asks is told.
void world_server::get(const std::string& url, std::string_view accept, account_ptr as,
                       exchange_handler done) {
  auto first = outgoing_request{.url = url, .headers = {{"Accept", std::string{accept}}}};
  auto then = [this, url, as = std::move(as), done = std::move(done)](exchange_outcome outcome) {
    const auto* answer = outcome.response();
    if (!answer || answer->status != 401 || !as)
      return done(std::move(outcome));
    world_.network().send(host_, as->signed_request_to(url, "", now()), done);
  };
  world_.network().send(host_, std::move(first), std::move(then));
}

void world_server::fetch(const std::string& url, account_ptr as, stranger_handler then) {
  get(url, activity_media_type, std::move(as),
      [this, then = std::move(then)](const exchange_outcome& outcome) {
        const auto* answer = outcome.response();
        auto content = answer && answer->status == 200 ? parse_json(answer->body)
                                                       : caf::expected<json_value>{json_value{}};
        const auto actor = content ? read_actor(*content) : content.error();
        if (!actor)
          return then(nullptr);
        auto& known = strangers_[actor->id];
        known = {.uri = actor->id, .inbox = actor->inbox, .document = std::move(*content)};
        then(&known);
      });
}

void world_server::locate(std::string_view address, account_ptr as, stranger_handler then) {
  if (const auto place = places_.find(address); place != places_.end())
    return then(&strangers_.at(place->second));
  const auto asked = parse_address_text(address, "https");
  if (!asked)
    return then(nullptr);
  auto read = [this, as, then = std::move(then),
               text = std::string{address}](const exchange_outcome& outcome) {
    const auto* answer = outcome.response();
    if (!answer || answer->status != 200)
      return then(nullptr);
    const auto found = read_webfinger(answer->body, "https", {.allow_http = true});
    if (!found)
      return then(nullptr);
    fetch(found->selves.front(), as, [this, then, text](const stranger* one) {
      if (one)
        places_[text] = one->uri;
      then(one);
    });
  };
  get(webfinger_url(*asked), webfinger_accept, as, std::move(read));
}

std::string world_server::look_up(const account_ptr& as, std::string_view address) {
  const auto uri = std::make_shared<std::string>();
  locate(address, as, [uri](const stranger* one) { *uri = one ? one->uri : ""; });
  world_.settle();
  return *uri;
}

int world_server::send(const account_ptr& as, std::string body, std::string_view address) {
  const auto status = std::make_shared<int>(0);
  locate(address, as, [this, as, status, body = std::move(body)](const stranger* one) {
    if (!one)
      return;
    world_.network().send(host_, as->signed_request_to(one->inbox, body, now()),
                          [status](const exchange_outcome& outcome) {
                            if (const auto* answer = outcome.response())
                              *status = answer->status;
                          });
  });
  world_.settle();
  return *status;
}

} // namespace trunkline
