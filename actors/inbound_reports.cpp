// Reports of our accounts by other servers, for whoever runs this one.
#include "actors/inbound_work.hpp"
#include "protocol/plain_text.hpp"
#include "protocol/remote_text.hpp"
#include "storage/report_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Accounts that one Flag reports.
constexpr std::size_t reported_max = 10;

constexpr std::size_t comment_line_max = 4 * flag_comment_max; ///< Bytes

struct reported_account {
  account_id id;
  std::vector<post_id> posts;
};

/// Returns the posts reported of `id`; nullptr when there are too many accounts.
std::vector<post_id>* posts_of(std::vector<reported_account>& reported, account_id id) {
  const auto known = std::ranges::find(reported, id, &reported_account::id);
  if (known != reported.end())
    return &known->posts;
  if (reported.size() == reported_max)
    return nullptr;
  return &reported.emplace_back(reported_account{id, {}}).posts;
}

caf::error add_reported(const inbound_work& work, const std::string& uri,
                        std::vector<reported_account>& reported) {
  const auto account = work.local_account(uri);
  if (!account)
    return account.error();
  if (*account) {
    posts_of(reported, (*account)->id);
    return {};
  }
  const auto row = work.known_post(uri);
  if (!row)
    return row.error();
  if (!*row || (*row)->uri)
    return {};
  auto* posts = posts_of(reported, (*row)->author);
  if (posts && std::ranges::find(*posts, (*row)->id) == posts->end())
    posts->push_back((*row)->id);
  return {};
}

/// Returns what the reporter wrote without what misleads a reader.
std::string safe_comment(const std::string& comment) {
  auto safe = std::string{};
  for (const auto& line : split_lines(comment))
    safe.append(safe.empty() ? "" : "\n").append(clean_text(line, comment_line_max));
  return safe;
}

} // namespace

/// One report for each account of ours that is named, or wrote what is named.
caf::error receive_flag(inbound_work& work) {
  auto reported = std::vector<reported_account>{};
  for (const auto& uri : work.said.objects)
    if (work.is_own(uri))
      if (auto failure = add_reported(work, uri, reported))
        return failure;
  for (auto& each : reported) {
    const auto fresh = work.fresh_id();
    if (!fresh)
      return fresh.error();
    auto uri = work.known_id();
    if (&each != &reported.front())
      uri.append("#").append(to_string(each.id));
    auto stored = insert_report(work.db(), {.id = *fresh,
                                            .reporter = work.actor.id,
                                            .target = each.id,
                                            .posts = std::move(each.posts),
                                            .comment = safe_comment(work.said.content),
                                            .uri = std::move(uri),
                                            .at = work.now()});
    if (!stored)
      return std::move(stored.error());
  }
  return {};
}

} // namespace trunkline
