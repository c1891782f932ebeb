#include "actors/queries_events.hpp"

#include "storage/event_views.hpp"
#include "storage/log_store.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace trunkline {

namespace {

/// What the object of an activity is; its id stands in the key of the row.
enum class about { nothing, post, account };

/// What a kind of row tells; rows about follows, which depend on who acts, tell more.
struct kind_entry {
  log_kind kind;
  std::string_view activity;
  about object = about::nothing;
  std::optional<post_change> post = {};
  std::optional<account_change> account = {};
};

constexpr auto told_kinds = std::to_array<kind_entry>({
    {log_kind::create, "Create", about::post, post_change::created},
    {log_kind::update, "Update", about::post, post_change::edited},
    {log_kind::remove, "Delete", about::nothing, post_change::deleted},
    {log_kind::announce, "Announce", about::post},
    {log_kind::undo_announce, "Undo", about::post},
    {log_kind::like, "Like", about::post},
    {log_kind::undo_like, "Undo", about::post},
    {log_kind::block, "Block", about::account},
    {log_kind::undo_block, "Undo", about::account},
    {log_kind::update_actor, "Update", about::account, {}, account_change::updated},
    {log_kind::remove_actor, "Delete", about::account, {}, account_change::deleted},
    {log_kind::rotate_key, "Update", about::account},
    {log_kind::disable_account, "", about::account, {}, account_change::disabled},
    {log_kind::enable_account, "", about::account, {}, account_change::enabled},
    {log_kind::flag, "Flag", about::account},
    {log_kind::vote, "Create", about::post},
    {log_kind::pin, "Add", about::post},
    {log_kind::unpin, "Remove", about::post},
    {log_kind::move_account, "Move", about::account, {}, account_change::moved},
    {log_kind::create_actor, "", about::account, {}, account_change::created},
});

const kind_entry* find_kind(log_kind kind) {
  const auto found = std::ranges::find(told_kinds, kind, &kind_entry::kind);
  return found == told_kinds.end() ? nullptr : &*found;
}

bool is_about_follow(log_kind kind) {
  return kind == log_kind::follow || kind == log_kind::undo_follow ||
         kind == log_kind::follow_request || kind == log_kind::reject_follow ||
         kind == log_kind::accept_follow;
}

follow_edge edge_of(const log_entry& row) {
  return {account_id{row.object.actor}, account_id{row.object.target}};
}

/// The author of a row about a follow is who acts: the follower, or the followee who answers.
std::array<std::string_view, 2> follow_words(const log_entry& row) {
  const auto is_answer = row.author == edge_of(row).followee;
  switch (row.kind) {
  case log_kind::follow_request:
    return {"Follow"};
  case log_kind::follow:
    return {is_answer ? "Accept" : "Follow"};
  case log_kind::accept_follow:
    return {"Follow", "Accept"};
  default:
    return {is_answer ? "Reject" : "Undo"};
  }
}

/// A follow that is older than its row was changed, or had waited for an answer.
bool is_fresh(const log_entry& row, const follow_times& followed) {
  const auto edge = edge_of(row);
  const auto at = followed.find(std::pair{edge.follower, edge.followee});
  if (row.kind == log_kind::accept_follow)
    return at != followed.end() && at->second == row.at;
  return at == followed.end() || at->second >= row.at;
}

/// Everything that the rows of one question name, as it is by now.
struct told_things {
  told_accounts accounts;
  told_posts posts;
  follow_times followed;

  const told_account* account(account_id id) const {
    const auto found = accounts.find(id);
    return found == accounts.end() ? nullptr : &found->second;
  }

  const told_post* post(post_id id) const {
    const auto found = posts.find(id);
    return found == posts.end() ? nullptr : &found->second;
  }

  std::string uri_of(account_id id) const {
    const auto* found = account(id);
    return found && !found->deleted ? found->uri : std::string{};
  }

  std::string uri_of(post_id id) const {
    const auto* found = post(id);
    return found ? found->uri : std::string{};
  }
};

/// What has to be read for the rows.
struct wanted_things {
  std::set<account_id> accounts;
  std::set<post_id> posts;
  std::set<std::pair<account_id, account_id>> follows;

  void add(const log_entry& row) {
    if (told_of(row).is_nothing())
      return;
    accounts.insert(row.author);
    if (is_about_follow(row.kind)) {
      const auto edge = edge_of(row);
      accounts.insert({edge.follower, edge.followee});
      follows.emplace(edge.follower, edge.followee);
      return;
    }
    const auto object = find_kind(row.kind)->object;
    if (object == about::post)
      posts.emplace(row.object.target);
    if (object == about::account)
      accounts.emplace(row.object.target);
  }
};

caf::expected<told_things> read_things(database& db, const wanted_things& wanted,
                                       const url_space& urls) {
  auto accounts =
      load_told_accounts(db, std::vector(wanted.accounts.begin(), wanted.accounts.end()), urls);
  if (!accounts)
    return std::move(accounts.error());
  auto posts = load_told_posts(db, std::vector(wanted.posts.begin(), wanted.posts.end()), urls);
  if (!posts)
    return std::move(posts.error());
  auto edges = std::vector<follow_edge>{};
  for (const auto& [follower, followee] : wanted.follows)
    edges.push_back({follower, followee});
  auto followed = load_follow_times(db, edges);
  if (!followed)
    return std::move(followed.error());
  return told_things{std::move(*accounts), std::move(*posts), std::move(*followed)};
}

class renderer {
public:
  explicit renderer(const told_things& known) : known_{known} {}

  void add(const log_entry& row) {
    if (is_about_follow(row.kind))
      return add_follow(row);
    const auto* entry = find_kind(row.kind);
    if (!entry)
      return;
    if (!entry->activity.empty())
      add_activity(row, entry->activity, row.author, object_of(row, entry->object));
    if (entry->post)
      add_post(row, *entry->post);
    if (entry->account)
      add_account(row, *entry->account);
  }

  std::vector<engine_event> take() { return std::move(events_); }

private:
  std::string object_of(const log_entry& row, about object) const {
    if (object == about::post)
      return known_.uri_of(post_id{row.object.target});
    return object == about::account ? known_.uri_of(account_id{row.object.target}) : std::string{};
  }

  void add_activity(const log_entry& row, std::string_view type, account_id actor,
                    std::string object) {
    auto event = activity_event{.seq = row.seq,
                                .at = row.at,
                                .type = std::string{type},
                                .actor = {},
                                .actor_id = to_string(actor),
                                .object = std::move(object)};
    if (const auto* account = known_.account(actor)) {
      event.actor = account->address;
      event.local = account->local;
    }
    events_.emplace_back(std::move(event));
  }

  void add_follow(const log_entry& row) {
    const auto edge = edge_of(row);
    const auto is_fresh_follow = is_fresh(row, known_.followed);
    for (const auto word : follow_words(row)) {
      if (word.empty() || (word == "Follow" && !is_fresh_follow))
        continue;
      const auto is_answer = word == "Accept" || word == "Reject";
      add_activity(row, word, is_answer ? edge.followee : edge.follower,
                   known_.uri_of(is_answer ? edge.follower : edge.followee));
    }
  }

  void add_post(const log_entry& row, post_change change) {
    const auto id = post_id{row.object.target};
    auto event = post_event{.seq = row.seq,
                            .at = row.at,
                            .change = change,
                            .id = to_string(id),
                            .author_id = to_string(row.author)};
    if (const auto* author = known_.account(row.author)) {
      event.author = author->address;
      event.local = author->local;
    }
    if (const auto* post = known_.post(id)) {
      event.uri = post->uri;
      event.content = post->html;
      event.spoiler = post->spoiler;
      event.language = post->language;
      event.visibility = to_string(post->seen_by);
      event.sensitive = post->sensitive;
      event.reply_to_id = post->reply_to ? to_string(post->reply_to) : std::string{};
      event.mentions = post->mentions;
    }
    events_.emplace_back(std::move(event));
  }

  void add_account(const log_entry& row, account_change change) {
    const auto id = account_id{row.object.target};
    auto event = account_event{.seq = row.seq, .at = row.at, .change = change, .id = to_string(id)};
    if (const auto* account = known_.account(id)) {
      event.account = account->address;
      event.local = account->local;
    }
    events_.emplace_back(std::move(event));
  }

  const told_things& known_;
  std::vector<engine_event> events_;
};

caf::expected<std::vector<engine_event>>
render_events(database& db, const std::vector<log_entry>& rows, const url_space& urls) {
  if (rows.size() > event_rows_max)
    return make_error(errc::invalid, "rows: too many at once");
  auto wanted = wanted_things{};
  for (const auto& row : rows)
    wanted.add(row);
  const auto known = read_things(db, wanted, urls);
  if (!known)
    return known.error();
  auto rendered = renderer{*known};
  for (const auto& row : rows)
    rendered.add(row);
  return rendered.take();
}

} // namespace

told_of_row told_of(const log_entry& row) {
  if (is_about_follow(row.kind))
    return {.activities = follow_words(row), .post = {}, .account = {}};
  if (const auto* entry = find_kind(row.kind))
    return {.activities = {entry->activity}, .post = entry->post, .account = entry->account};
  return {};
}

query<std::vector<engine_event>> ask_events(std::vector<log_entry> rows, url_space urls) {
  return {[rows = std::move(rows), urls = std::move(urls)](database& db) {
    return render_events(db, rows, urls);
  }};
}

query<event_page> ask_events_after(log_seq after, std::size_t limit, url_space urls) {
  return {[=, urls = std::move(urls)](database& db) -> caf::expected<event_page> {
    const auto rows = read_log(db, after, std::min(limit, event_rows_max));
    if (!rows)
      return rows.error();
    auto events = render_events(db, *rows, urls);
    if (!events)
      return std::move(events.error());
    return event_page{.events = std::move(*events),
                      .upto = rows->empty() ? after : rows->back().seq};
  }};
}

} // namespace trunkline
