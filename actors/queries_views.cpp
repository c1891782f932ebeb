#include "actors/queries_views.hpp"

#include "protocol/names.hpp"
#include "storage/database.hpp"
#include "storage/view_store.hpp"

namespace trunkline {

query<account_view> ask_account_view(account_id id, known_counts_ptr counts) {
  return {[id, counts = std::move(counts)](database& db) {
    return load_account(db, id, counts.get());
  }};
}

query<own_account_view> ask_own_account(account_id id, known_counts_ptr counts) {
  return {[id, counts = std::move(counts)](database& db) {
    return load_own_account(db, id, counts.get());
  }};
}

query<post_defaults> ask_post_defaults(account_id id) {
  return {[id](database& db) { return load_post_defaults(db, id); }};
}

query<account_view> ask_account_called(std::string address, std::string here,
                                       known_counts_ptr counts) {
  return {[address = std::move(address), here = std::move(here),
           counts = std::move(counts)](database& db) -> caf::expected<account_view> {
    const auto at = address.find('@');
    const auto name = address.substr(0, at);
    const auto domain = at == std::string::npos ? std::string{} : address.substr(at + 1);
    const auto is_ours = fold_name(domain) == fold_name(here);
    const auto id = find_account(db, name, is_ours ? "" : domain);
    if (!id)
      return id.error();
    return load_account(db, *id, counts.get());
  }};
}

query<post_view> ask_post(account_id viewer, post_id id, view_moment at) {
  return {[viewer, id, at = std::move(at)](database& db) {
    return load_post(db, viewer, id, at.now, at.counts.get());
  }};
}

query<std::vector<post_view>> ask_posts(account_id viewer, std::vector<post_id> ids,
                                        view_moment at) {
  return {[viewer, ids = std::move(ids), at = std::move(at)](database& db) {
    return load_posts(db, viewer, ids, at.now, at.counts.get());
  }};
}

query<thread_view> ask_thread(account_id viewer, post_id id, thread_limits limits, view_moment at) {
  return {[viewer, id, limits, at = std::move(at)](database& db) {
    return load_thread(db, viewer, id, limits, at.now, at.counts.get());
  }};
}

query<history_view> ask_history(account_id viewer, post_id id, view_moment at) {
  return {[viewer, id, at = std::move(at)](database& db) -> caf::expected<history_view> {
    auto current = load_post(db, viewer, id, at.now, at.counts.get());
    if (!current)
      return current.error();
    auto versions = load_edits(db, current->row);
    if (!versions)
      return versions.error();
    return history_view{.current = std::move(*current), .versions = std::move(*versions)};
  }};
}

query<std::vector<relation_view>> ask_relations(account_id viewer, std::vector<account_id> targets,
                                                time_point now) {
  return {[viewer, targets = std::move(targets), now](database& db) {
    return load_relations(db, viewer, targets, now);
  }};
}

query<post_list_view> ask_account_posts(account_id viewer, account_page page, view_moment at) {
  return {[viewer, page = std::move(page),
           at = std::move(at)](database& db) -> caf::expected<post_list_view> {
    if (auto author = load_account(db, page.author, at.counts.get()); !author)
      return author.error();
    auto listed = list_account_posts(db, viewer, page);
    if (!listed)
      return listed.error();
    auto posts = load_posts(db, viewer, *listed, at.now, at.counts.get());
    if (!posts)
      return posts.error();
    return post_list_view{.listed = std::move(*listed), .posts = std::move(*posts)};
  }};
}

query<server_view> ask_server(view_moment at) {
  return {[at = std::move(at)](database& db) -> caf::expected<server_view> {
    const auto figures = load_figures(db, at.now);
    if (!figures)
      return figures.error();
    const auto admin = find_first_admin(db);
    if (!admin)
      return admin.error();
    auto contact = load_accounts(db, *admin, at.counts.get());
    if (!contact)
      return contact.error();
    return server_view{.figures = *figures, .contact = std::move(*contact)};
  }};
}

query<std::vector<std::string>> ask_peers() {
  return {[](database& db) { return list_peers(db); }};
}

} // namespace trunkline
