/// How an actor fetches a document of another server: through the host's own actor, one redirect at
/// a time, and believed only where the server speaks for itself.
///
/// Every hop is checked with `parse_remote_url` and sent to its own host's actor, so that each host
/// stays within its budget; this server is never dialled. At most `redirects_max` redirects are
/// followed, and a document that names another id of its origin is fetched once more by that id.
#pragma once

#include "actors/remote_host_messages.hpp"
#include "protocol/document_rules.hpp"
#include "protocol/host_address.hpp"
#include "protocol/json.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace trunkline {

inline constexpr int redirects_max = 3;

/// Of one hop: the host's own limits end it sooner, unless it waits for a place in the window.
inline constexpr auto fetch_deadline = std::chrono::seconds{30};

struct fetch_services {
  remote_host_handle hosts; ///< The host region.
  url_rules rules;
  host_address own; ///< This server, which is never asked.
};

/// What to fetch, and how far to go for it.
struct document_wish {
  std::string url;
  bool same_origin = false; ///< A redirect to another origin is refused: of keys.
  bool is_signed = true;    ///< By the instance actor.
  std::size_t bytes_max = 1024 * 1024;
};

/// A document that its own server speaks for: an object, whose id, if it has one, is `url`.
struct activity_document {
  json_value body;
  std::string url; ///< After redirects.
  int status = 200;
};

/// Any document.
struct plain_document {
  std::string body;
  std::string content_type;
  std::string url; ///< After redirects, without fragment.
  int status = 200;
  std::string first_url;       ///< As asked, without fragment.
  bool changed_origin = false; ///< By a redirect.
};

/// INTERNAL: follows redirects from answer to answer; sends nothing itself.
class document_walk {
public:
  document_walk(fetch_services services, document_wish wish, std::string accept)
      : services_{std::move(services)}, wish_{std::move(wish)}, accept_{std::move(accept)} {}

  /// Returns the first request. Fails with `errc::invalid`.
  caf::expected<fetch_document> begin() { return request_of(wish_.url); }

  /// Returns the next request, or the document.
  caf::expected<std::variant<fetch_document, plain_document>> take(fetched_document& answer);

  const remote_host_handle& hosts() const { return services_.hosts; }

private:
  caf::expected<fetch_document> request_of(const std::string& text);
  caf::expected<fetch_document> follow(const fetched_document& answer);

  fetch_services services_;
  document_wish wish_;
  std::string accept_;
  host_address host_; ///< Of the hop under way.
  std::string url_;   ///< Of the hop under way.
  std::string first_url_;
  int redirects_ = 0;
  bool changed_origin_ = false;
};

/// INTERNAL: the document when it may be believed, or the id to fetch instead.
caf::expected<std::variant<activity_document, std::string>>
judge_document(plain_document& document, url_rules rules, bool may_refetch);

/// INTERNAL: asks for `next` and all that follows from it.
template <class Self, class Continuation>
void continue_walk(Self* self, std::shared_ptr<document_walk> walk,
                   caf::expected<fetch_document> next, Continuation then) {
  if (!next)
    return then(caf::expected<plain_document>{std::move(next.error())});
  self->request(walk->hosts(), fetch_deadline, std::move(*next))
      .then(
          [self, walk, then](fetched_document& answer) mutable {
            auto step = walk->take(answer);
            if (!step)
              return then(caf::expected<plain_document>{std::move(step.error())});
            if (auto* found = std::get_if<plain_document>(&*step))
              return then(caf::expected<plain_document>{std::move(*found)});
            continue_walk(self, walk, std::move(std::get<fetch_document>(*step)), then);
          },
          [then](caf::error& failure) mutable {
            then(caf::expected<plain_document>{std::move(failure)});
          });
}

/// Fetches any document and calls `then(caf::expected<plain_document>)` in `self`, once; at once
/// when the URL is refused. The type is not looked at. Fails with `errc::invalid` (the URL or a
/// redirect is refused), `not_found`, `gone` (410), `forbidden` (401, 403), `too_large`,
/// `unavailable` or `timed_out`.
template <class Self, class Continuation>
void fetch_any(Self* self, const fetch_services& services, document_wish wish, std::string accept,
               Continuation then) {
  auto walk = std::make_shared<document_walk>(services, std::move(wish), std::move(accept));
  continue_walk(self, walk, walk->begin(), std::move(then));
}

/// INTERNAL: fetches a document, and once more by its id when `may_refetch`.
template <class Self, class Continuation>
void fetch_believable(Self* self, const fetch_services& services, document_wish wish,
                      bool may_refetch, Continuation then) {
  auto judge = [self, services, wish, may_refetch,
                then](caf::expected<plain_document> found) mutable {
    if (!found)
      return then(caf::expected<activity_document>{std::move(found.error())});
    auto verdict = judge_document(*found, services.rules, may_refetch);
    if (!verdict)
      return then(caf::expected<activity_document>{std::move(verdict.error())});
    if (auto* document = std::get_if<activity_document>(&*verdict))
      return then(caf::expected<activity_document>{std::move(*document)});
    wish.url = std::move(std::get<std::string>(*verdict));
    fetch_believable(self, services, std::move(wish), false, then);
  };
  fetch_any(self, services, wish, std::string{activity_accept}, std::move(judge));
}

/// Fetches an ActivityPub document and calls `then(caf::expected<activity_document>)` in `self`,
/// once; at once when the URL is refused. Fails as `fetch_any` does, with `errc::malformed` when
/// the answer is no ActivityPub document by type and content, and with `errc::invalid` when its id
/// is none that its server may give.
template <class Self, class Continuation>
void fetch_activity_document(Self* self, const fetch_services& services, document_wish wish,
                             Continuation then) {
  fetch_believable(self, services, std::move(wish), true, std::move(then));
}

template <class Self, class Continuation>
void fetch_activity_document(Self* self, const fetch_services& services, std::string url,
                             Continuation then) {
  fetch_believable(self, services, document_wish{.url = std::move(url)}, true, std::move(then));
}

} // namespace trunkline
