#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/shown_post.hpp"

namespace trunkline {

namespace {

constexpr std::size_t statuses_max = 40;

/// What a person sees of a thread; a stranger sees the smaller default.
constexpr auto thread_of_person =
    thread_limits{.ancestors = 4'096, .descendants = 4'096, .depth = 400};

} // namespace

void show_status(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  answer_post(gateway, request.who.account, *id, reply);
}

void show_statuses(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  auto ids = std::vector<post_id>{};
  for (const auto& text : reader.texts("id").value_or(std::vector<std::string>{}))
    if (const auto id = parse_id(text); id && ids.size() < statuses_max)
      ids.emplace_back(*id);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  ask(gateway, ask_posts(viewer, std::move(ids), gateway.services->viewing()), reply,
      [&gateway, reply, viewer](const std::vector<post_view>& posts) {
        reply(json_response(to_entities(posts, viewer, gateway.services->here)));
      });
}

void show_context(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  const auto viewer = request.who.account;
  const auto limits = viewer ? thread_of_person : thread_limits{};
  ask(gateway, ask_thread(viewer, *id, limits, gateway.services->viewing()), reply,
      [&gateway, reply, viewer](const thread_view& thread) {
        reply(json_response(to_entity(thread, viewer, gateway.services->here)));
      });
}

void show_source(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  ask(gateway, ask_post(request.who.account, *id, gateway.services->viewing()), reply,
      [reply](const post_view& post) { reply(json_response(to_source(post.row))); });
}

void show_history(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  ask(gateway, ask_history(request.who.account, *id, gateway.services->viewing()), reply,
      [&gateway, reply](const history_view& history) {
        reply(
            json_response(to_entities(history.versions, history.current, gateway.services->here)));
      });
}

/// The timeline names the posts, storage shows them. Paging goes by what was named: a post that
/// was hidden in between must not end the list.
void read_home_timeline(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto page = read_page(reader, 20, 40);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  const auto show = [&gateway, reply, viewer, http = request.http](const home_page& home) {
    auto links = link_header(*gateway.services, http, home.posts);
    ask(gateway, ask_posts(viewer, home.posts, gateway.services->viewing()), reply,
        [&gateway, reply, viewer, links](const std::vector<post_view>& posts) {
          auto response = json_response(to_entities(posts, viewer, gateway.services->here));
          if (!links.empty())
            response.headers.emplace_back("Link", links);
          reply(std::move(response));
        });
  };
  ask_region<home_page>(gateway, gateway.services->timelines,
                        read_home{.account = viewer, .page = page}, reply, show);
}

} // namespace trunkline
