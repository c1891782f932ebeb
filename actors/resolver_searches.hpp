/// INTERNAL to the resolver: what it knows while it searches for one account or post, and how its
/// failures are told.
#pragma once

#include "actors/document_fetcher.hpp"
#include "actors/resolver_jobs.hpp"
#include "protocol/activity.hpp"
#include "protocol/ids.hpp"
#include "protocol/post.hpp"
#include "protocol/webfinger.hpp"
#include "storage/remote_store.hpp"

#include <caf/error.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace trunkline {

/// What is known of an account's address before anything is fetched.
struct account_place {
  bool blocked = false; ///< The host.
  std::optional<remote_account> known;
};

/// What is known of a post's address before anything is fetched.
struct post_place {
  bool blocked = false; ///< The host.
  std::optional<post> known;
};

/// What is known of a host before it is asked.
struct host_standing {
  bool blocked = false;
  bool known = false; ///< An account of it is, or was.
};

/// A search for one account.
struct account_search {
  std::string key; ///< Of those who wait for it.
  errand_ptr errand;
  bool refresh = false;
  std::optional<webfinger_address> asked; ///< By name; else by id:
  std::string url;
  std::shared_ptr<activity_document> in_hand; ///< The document, when it is there already.
  std::optional<remote_account> known;
  std::optional<webfinger_answer> claim; ///< What the domain of `claim->subject` says of itself.
  bool renamed = false;                  ///< The domain that was asked named another one.
  remote_actor actor;                    ///< Once it was read; its text is safe.
};

/// A search for one post.
struct post_search {
  std::string key;
  errand_ptr errand;
  bool refresh = false;
  std::string url;
  std::shared_ptr<activity_document> in_hand;
  bool unwrapped = false; ///< The URL was that of a Create.
  std::optional<post> known;
  std::vector<remote_note> chain; ///< The post, what it answers, and so on; their text is safe.
  std::vector<account_id> authors;
  std::set<std::string> seen; ///< Ids of the chain, and what it answers.
  bool is_looking = false;    ///< For accounts that it names, and for what it answers.
};

/// Returns what the one who asked is told of a failure of another server, or of storage: that
/// there is no such thing, that it is gone, or that it could not be had now. That a host is
/// blocked, and that an address is none, is told elsewhere.
caf::error failure_of(const caf::error& failure);

/// Reads a post that its server may speak for: by an author on the origin of its id, and not a
/// vote. Its text is safe. Fails with `errc::not_found`.
caf::expected<remote_note> read_believable_note(const json_value& document, url_rules rules);

/// Looks for a post that is stored under this id, and whether its host is blocked.
caf::expected<post_place> look_up_post_at(database& db, const std::string& uri,
                                          const std::string& own_origin);

/// Returns the failure that tells that a host is blocked.
caf::error blocked_host(const std::string& host);

/// Returns the name of the host of `url`, without port; "" when it is no URL.
std::string host_name_of(const std::string& url);

/// Returns `url` without its fragment.
std::string without_fragment(const std::string& url);

} // namespace trunkline
