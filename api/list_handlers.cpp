// Lists of accounts and posts that a client pages through.
#include "actors/messages.hpp"
#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "protocol/names.hpp"

namespace trunkline {

namespace {

constexpr std::int64_t accounts_usual = 40;
constexpr std::int64_t accounts_max = 80;
constexpr std::int64_t posts_usual = 20;
constexpr std::int64_t posts_max = 40;
constexpr std::int64_t domains_usual = 100;
constexpr std::int64_t domains_max = 200;

/// Answers with the accounts that `question(page)` finds.
template <class Question>
void show_accounts(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                   Question question) {
  auto reader = param_reader{request.params};
  const auto page = read_list(reader, accounts_usual, accounts_max);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  ask(gateway, question(page), reply,
      [&gateway, reply, http = request.http](const account_list_view& list) {
        auto entities = json_array{};
        for (const auto& account : list.accounts)
          entities.emplace_back(to_entity(account, gateway.services->here));
        reply(list_response(*gateway.services, http, list.keys, std::move(entities)));
      });
}

using account_question = query<account_list_view> (*)(account_id, list_wish, known_counts_ptr);
using post_question = query<keyed_posts_view> (*)(account_id, list_wish, view_moment);

/// Of the account in the path.
void show_of_path(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                  account_question question) {
  const auto id = path_id<account_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  show_accounts(gateway, request, reply, [&](const list_wish& page) {
    return question(*id, page, gateway.services->counts);
  });
}

/// Of the caller.
void show_own(gateway_state& gateway, const matched_request& request, const http_reply& reply,
              account_question question) {
  show_accounts(gateway, request, reply, [&](const list_wish& page) {
    return question(request.who.account, page, gateway.services->counts);
  });
}

void show_posts(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                post_question question) {
  auto reader = param_reader{request.params};
  const auto page = read_list(reader, posts_usual, posts_max);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  ask(gateway, question(viewer, page, gateway.services->viewing()), reply,
      [&gateway, reply, viewer, http = request.http](const keyed_posts_view& list) {
        reply(list_response(*gateway.services, http, list.keys,
                            to_entities(list.posts, viewer, gateway.services->here)));
      });
}

/// Answers with muted accounts and when each mute ends.
void show_mutes(gateway_state& gateway, account_id viewer, const account_list_view& list,
                const http_request& http, const http_reply& reply) {
  auto muted = std::vector<account_id>{};
  for (const auto& account : list.accounts)
    muted.push_back(account.id);
  ask(gateway, ask_relations(viewer, std::move(muted), gateway.services->clock()), reply,
      [&gateway, reply, list, http](const std::vector<relation_view>& relations) {
        auto entities = json_array{};
        for (const auto& account : list.accounts) {
          auto entity = to_entity(account, gateway.services->here);
          entity["mute_expires_at"] = nullptr;
          for (const auto& relation : relations)
            if (relation.target == account.id && relation.muting_ends)
              entity["mute_expires_at"] = to_iso8601(*relation.muting_ends);
          entities.emplace_back(std::move(entity));
        }
        reply(list_response(*gateway.services, http, list.keys, std::move(entities)));
      });
}

void change_domain(gateway_state& gateway, const matched_request& request, bool blocked,
                   const http_reply& reply) {
  auto reader = param_reader{request.params};
  const auto domain = reader.text("domain").value_or("");
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto host = canonical_host(domain);
  if (!host)
    return refuse(gateway, reply,
                  make_error(errc::invalid, "Validation failed: Domain is not a"
                                            " valid domain name"));
  ask_region<caf::unit_t>(
      gateway, gateway.services->accounts,
      block_domain{.account = request.who.account, .host = *host, .blocked = blocked}, reply,
      [reply](caf::unit_t) { reply(json_response(json_object{})); });
}

} // namespace

void list_followers(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_of_path(gateway, request, reply, ask_followers);
}

void list_following(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_of_path(gateway, request, reply, ask_following);
}

void list_follow_requests(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  show_own(gateway, request, reply, ask_follow_requests);
}

void list_blocks(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_own(gateway, request, reply, ask_blocked);
}

void list_mutes(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto page = read_list(reader, accounts_usual, accounts_max);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  ask(gateway, ask_muted(viewer, page, gateway.services->counts), reply,
      [&gateway, reply, viewer, http = request.http](const account_list_view& list) {
        show_mutes(gateway, viewer, list, http, reply);
      });
}

void list_favouriting(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto post = path_id<post_id>(request);
  if (!post)
    return refuse(gateway, reply, post.error());
  show_accounts(gateway, request, reply, [&](const list_wish& page) {
    return ask_favouriting(request.who.account, *post, page, gateway.services->viewing());
  });
}

void list_boosting(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto post = path_id<post_id>(request);
  if (!post)
    return refuse(gateway, reply, post.error());
  show_accounts(gateway, request, reply, [&](const list_wish& page) {
    return ask_boosting(request.who.account, *post, page, gateway.services->viewing());
  });
}

void list_favourites(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_posts(gateway, request, reply, ask_favourites);
}

void list_bookmarks(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_posts(gateway, request, reply, ask_bookmarks);
}

void list_domain_blocks(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto limit =
      std::clamp<std::int64_t>(reader.number("limit").value_or(domains_usual), 1, domains_max);
  auto after = reader.text("max_id").value_or("");
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  ask(gateway, ask_blocked_domains(request.who.account, std::move(after), limit), reply,
      [reply, limit, path = gateway.services->options.url + request.http.path](
          const std::vector<std::string>& domains) {
        auto entities = json_array{};
        for (const auto& domain : domains)
          entities.emplace_back(domain);
        auto response = json_response(std::move(entities));
        if (std::ssize(domains) == limit)
          response.headers.emplace_back("Link", "<" + path + "?limit=" + std::to_string(limit) +
                                                    "&max_id=" + domains.back() +
                                                    ">; rel=\"next\"");
        reply(std::move(response));
      });
}

void block_domain_of_user(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  change_domain(gateway, request, true, reply);
}

void unblock_domain_of_user(gateway_state& gateway, const matched_request& request,
                            http_reply reply) {
  change_domain(gateway, request, false, reply);
}

} // namespace trunkline
