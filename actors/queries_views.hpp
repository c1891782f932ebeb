/// Questions about what a client is shown, for `ask_storage`: the functions of
/// `storage/view_store.hpp`, whose rules and failures apply. `counts` are asked before anything is
/// counted; null: everything is counted.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/views.hpp"

#include <string>
#include <vector>

namespace trunkline {

query<account_view> ask_account_view(account_id id, known_counts_ptr counts);
query<own_account_view> ask_own_account(account_id id, known_counts_ptr counts);
query<post_defaults> ask_post_defaults(account_id id);

/// `address` is "name" or "name@domain"; `here` is our own domain.
query<account_view> ask_account_called(std::string address, std::string here,
                                       known_counts_ptr counts);

query<post_view> ask_post(account_id viewer, post_id id, view_moment at);
query<std::vector<post_view>> ask_posts(account_id viewer, std::vector<post_id> ids,
                                        view_moment at);

query<thread_view> ask_thread(account_id viewer, post_id id, thread_limits limits, view_moment at);

/// The versions of a post, and the post as it is.
struct history_view {
  post_view current;
  std::vector<edit_view> versions;
};
query<history_view> ask_history(account_id viewer, post_id id, view_moment at);

query<std::vector<relation_view>> ask_relations(account_id viewer, std::vector<account_id> targets,
                                                time_point now);

/// A page of an account's posts. `listed` are the ids that the page was made of, of which some may
/// be hidden by now. Fails with `not_found` when there is no such account.
struct post_list_view {
  std::vector<post_id> listed;
  std::vector<post_view> posts;
};
query<post_list_view> ask_account_posts(account_id viewer, account_page page, view_moment at);

query<server_view> ask_server(view_moment at);

/// Names of the other servers that are known, sorted; at most 10,000.
query<std::vector<std::string>> ask_peers();

} // namespace trunkline
