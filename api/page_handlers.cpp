#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/html.hpp"
#include "protocol/plain_text.hpp"

#include <array>

namespace trunkline {

namespace {

// What stands for a person without pictures: one colour.
constexpr auto avatar = std::to_array<unsigned char>(
    {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
     0x52, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x40, 0x01, 0x03, 0x00, 0x00, 0x00, 0x90,
     0xa7, 0xe3, 0x9d, 0x00, 0x00, 0x00, 0x03, 0x50, 0x4c, 0x54, 0x45, 0x78, 0x82, 0x96, 0xed,
     0x41, 0xc8, 0x8a, 0x00, 0x00, 0x00, 0x0f, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60,
     0x18, 0x05, 0xa3, 0x80, 0x7c, 0x00, 0x00, 0x02, 0x40, 0x00, 0x01, 0xe0, 0x4d, 0x1d, 0x44,
     0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82});

constexpr auto header = std::to_array<unsigned char>(
    {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
     0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x40, 0x01, 0x03, 0x00, 0x00, 0x00, 0x76, 0xa2, 0xea,
     0x9c, 0x00, 0x00, 0x00, 0x03, 0x50, 0x4c, 0x54, 0x45, 0x5a, 0x64, 0x78, 0x99, 0x1e, 0xc1, 0x11,
     0x00, 0x00, 0x00, 0x15, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x18, 0x05, 0xa3, 0x60,
     0x14, 0x8c, 0x82, 0x51, 0x30, 0x0a, 0x48, 0x07, 0x00, 0x06, 0x40, 0x00, 0x01, 0xb1, 0xd9, 0x2d,
     0xa3, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82});

template <std::size_t Size>
http_response picture(const std::array<unsigned char, Size>& bytes) {
  auto response = http_response{.body = {bytes.begin(), bytes.end()}, .content_type = "image/png"};
  response.headers.emplace_back("Cache-Control", "public, max-age=86400");
  return response;
}

std::string link(const std::string& address, const std::string& text) {
  return "<a href=\"" + escape_html(address) + "\">" + escape_html(text) + "</a>";
}

/// `html` of a post is safe already: it was made from text, or cleaned when it came in.
std::string article(const post_view& post, const site& here) {
  const auto& shown = post.boosted ? *post.boosted : post;
  auto text = std::string{"<article>"};
  if (!shown.row.spoiler.empty())
    text += "<p><strong>" + escape_html(shown.row.spoiler) + "</strong></p>";
  return text + shown.row.html + "<p>" +
         link(page_of(shown, here),
              "@" + shown.author->name + ", " + to_iso8601(shown.row.created_at)) +
         "</p></article>";
}

void refuse_page(gateway_state& gateway, const http_reply& reply, const caf::error& failure) {
  gateway.services->counters.refused(code_of(failure));
  reply(html_problem(status_of(code_of(failure)), public_words(failure)));
}

template <class Task, class Then>
void ask_for_page(gateway_state& gateway, Task task, const http_reply& reply, Then then) {
  ask_storage(gateway.self, gateway.services->storage, std::move(task),
              [&gateway, reply, then](const auto& answer) {
                if (!answer)
                  return refuse_page(gateway, reply, answer.error());
                then(content_of(answer));
              });
}

void show_posts(gateway_state& gateway, const account_view& account, const http_reply& reply) {
  const auto wanted = account_page{.author = account.id, .exclude_replies = true};
  ask_for_page(gateway, ask_account_posts({}, wanted, gateway.services->viewing()), reply,
               [&gateway, reply, account](const post_list_view& list) {
                 const auto& here = gateway.services->here;
                 auto body = "<p>@" + escape_html(account.name) + "@" + escape_html(here.domain) +
                             "</p>" + to_html(account.note);
                 for (const auto& post : list.posts)
                   body += article(post, here);
                 const auto& name =
                     account.display_name.empty() ? account.name : account.display_name;
                 reply(html_page(200, name, body));
               });
}

http_response lead_to(const std::string& address) {
  auto response = http_response{.status = 302, .content_type = "text/plain; charset=utf-8"};
  response.headers.emplace_back("Location", address);
  return response;
}

} // namespace

void show_front_page(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& options = gateway.services->options;
  reply(html_page(200, options.domain,
                  "<p>A Trunkline " + escape_html(options.version) +
                      " server. Log in with any client for Mastodon: give it the address <code>" +
                      escape_html(options.url) + "</code></p>"));
}

void show_profile_page(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto question = ask_account_called(request.segment(), gateway.services->options.domain,
                                     gateway.services->counts);
  ask_for_page(gateway, std::move(question), reply, [&gateway, reply](const account_view& account) {
    if (!account.domain.empty())
      return reply(lead_to(account.uri));
    show_posts(gateway, account, reply);
  });
}

void show_post_page(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = parse_id(request.segments[1]);
  if (!id)
    return refuse_page(gateway, reply, make_error(errc::not_found, "Record not found"));
  ask_for_page(
      gateway, ask_post({}, post_id{*id}, gateway.services->viewing()), reply,
      [&gateway, reply, name = request.segment()](const post_view& post) {
        if (!post.author->domain.empty() || fold_name(post.author->name) != fold_name(name))
          return refuse_page(gateway, reply, make_error(errc::not_found, "Record not found"));
        reply(html_page(200, "A post of " + post.author->name,
                        article(post, gateway.services->here)));
      });
}

void lead_to_profile_page(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  auto question = ask_account_called(request.segment(), gateway.services->options.domain,
                                     gateway.services->counts);
  ask_for_page(gateway, std::move(question), reply, [&gateway, reply](const account_view& account) {
    reply(lead_to(gateway.services->here.urls.profile_page(account.name)));
  });
}

void lead_to_post_page(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = parse_id(request.segments[1]);
  if (!id)
    return refuse_page(gateway, reply, make_error(errc::not_found, "Record not found"));
  ask_for_page(gateway, ask_post({}, post_id{*id}, gateway.services->viewing()), reply,
               [&gateway, reply](const post_view& post) {
                 reply(
                     lead_to(page_of(post.boosted ? *post.boosted : post, gateway.services->here)));
               });
}

void show_style(gateway_state&, const matched_request&, http_reply reply) {
  auto response =
      http_response{.body = std::string{page_style}, .content_type = "text/css; charset=utf-8"};
  response.headers.emplace_back("Cache-Control", "public, max-age=3600");
  reply(std::move(response));
}

void show_picture(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (request.segment() == "avatar.png")
    return reply(picture(avatar));
  if (request.segment() == "header.png")
    return reply(picture(header));
  refuse_page(gateway, reply, make_error(errc::not_found, "Record not found"));
}

} // namespace trunkline
