#include "actors/outgoing_bodies.hpp"

#include "protocol/activity_out.hpp"
#include "protocol/crypto.hpp"
#include "storage/federation_views.hpp"
#include "storage/graph_store.hpp"
#include "storage/interaction_store.hpp"
#include "storage/post_store.hpp"
#include "storage/reach_store.hpp"

#include <string>
#include <utility>

namespace trunkline {

namespace {

/// A row of the log as far as its activity follows from it.
struct rendered_row {
  log_seq seq = 0;
  log_kind kind = log_kind::create;
  account_id author;
  object_key object;
  std::string ap_id;
};

/// What rendering needs.
struct renderer {
  database& db;
  const url_space& urls;
  time_point now;
  rendered_row row;

  caf::expected<std::string> render() const;

private:
  caf::error gone(std::string_view what) const;
  caf::expected<account_reach> account(std::int64_t id) const;
  caf::expected<account_reach> author() const { return account(row.author.value); }
  caf::expected<std::int64_t> fresh() const;
  caf::expected<std::string> uri_of(const post& named) const;
  caf::expected<plain_activity> about(std::string type, std::string object) const;
  caf::expected<outgoing_note> note() const;
  caf::expected<std::string> create() const;
  caf::expected<std::string> update() const;
  caf::expected<std::string> announce() const;
  caf::expected<std::string> like() const;
  caf::expected<std::string> follow() const;
  caf::expected<std::string> accept() const;
  caf::expected<std::string> block() const;
  caf::expected<std::string> actor() const;
};

caf::expected<rendered_row> read_row(database& db, log_seq seq) {
  auto found = db.run("SELECT kind, author, object_key, ap_id FROM log WHERE seq = $1", {seq});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::not_found, "log " + std::to_string(seq) + ": the row is gone");
  const auto& columns = found->rows[0];
  auto object = parse_object_key(columns[2].text());
  if (!object)
    return make_error(errc::storage_broken,
                      "log " + std::to_string(seq) + ": object_key is damaged");
  return rendered_row{.seq = seq,
                      .kind = static_cast<log_kind>(columns[0].integer()),
                      .author = columns[1].id<account_id>(),
                      .object = *object,
                      .ap_id = columns[3].text()};
}

caf::error renderer::gone(std::string_view what) const {
  return make_error(errc::not_found, "log " + std::to_string(row.seq) +
                                         ": its text was kept long enough, and " +
                                         std::string{what} + " is no longer there");
}

caf::expected<account_reach> renderer::account(std::int64_t id) const {
  auto found = find_reach(db, account_id{id});
  if (!found)
    return std::move(found.error());
  if (!*found || (*found)->is_deleted)
    return gone("account " + std::to_string(id));
  return std::move(**found);
}

/// The number at the end of the activity's id.
caf::expected<std::int64_t> renderer::fresh() const {
  auto number = parse_id(std::string_view{row.ap_id}.substr(row.ap_id.rfind('/') + 1));
  return number ? number : make_error(errc::storage_broken, "log.ap_id: " + row.ap_id);
}

caf::expected<std::string> renderer::uri_of(const post& named) const {
  if (named.uri)
    return *named.uri;
  const auto writer = account(named.author.value);
  if (!writer)
    return writer.error();
  return urls.post(writer->name, named.id);
}

/// An activity of the author that names its object.
caf::expected<plain_activity> renderer::about(std::string type, std::string object) const {
  const auto who = author();
  if (!who)
    return who.error();
  return plain_activity{.id = row.ap_id,
                        .type = std::move(type),
                        .actor = urls.actor(who->name),
                        .object = std::move(object),
                        .target = {},
                        .whom = {},
                        .published = {}};
}

caf::expected<outgoing_note> renderer::note() const {
  const auto id = post_id{row.object.target};
  auto loaded = load_outgoing_note(db, id, urls, now);
  const auto is_gone = !loaded && (code_of(loaded.error()) == errc::not_found ||
                                   code_of(loaded.error()) == errc::gone);
  return is_gone ? gone("post " + to_string(id)) : std::move(loaded);
}

caf::expected<std::string> renderer::create() const {
  const auto said = note();
  if (!said)
    return said.error();
  return render_create(*said, urls);
}

caf::expected<std::string> renderer::update() const {
  const auto said = note();
  if (!said)
    return said.error();
  const auto number = fresh();
  if (!number)
    return number.error();
  return render_update(*said, urls, *number);
}

caf::expected<std::string> renderer::announce() const {
  const auto boosted = post_id{row.object.target};
  const auto original = find_post(db, boosted);
  if (!original)
    return original.error();
  const auto id = boost_by(db, row.author, boosted);
  if (!id)
    return id.error();
  const auto who = author();
  if (!who)
    return who.error();
  if (!*original || !*id || urls.activity(who->name, **id) != row.ap_id)
    return gone("the boost of post " + to_string(boosted));
  const auto boost = find_post(db, **id);
  if (!boost)
    return boost.error();
  const auto writer = account((*original)->author.value);
  if (!writer)
    return writer.error();
  const auto uri = uri_of(**original);
  if (!uri)
    return uri.error();
  auto activity = about("Announce", *uri);
  if (!activity)
    return std::move(activity.error());
  activity->whom = recipients_of((*boost)->seen_by, urls.followers(who->name), {{writer->uri, {}}});
  activity->published = (*boost)->created_at;
  return trunkline::render(*activity);
}

caf::expected<std::string> renderer::like() const {
  const auto liked = post_id{row.object.target};
  const auto uri = favourite_uri(db, row.author, liked);
  if (!uri)
    return uri.error();
  const auto original = find_post(db, liked);
  if (!original)
    return original.error();
  if (!*original || *uri != row.ap_id)
    return gone("the favourite of post " + to_string(liked));
  const auto object = uri_of(**original);
  if (!object)
    return object.error();
  const auto activity = about("Like", *object);
  if (!activity)
    return activity.error();
  return trunkline::render(*activity);
}

caf::expected<std::string> renderer::follow() const {
  const auto known = find_follow(db, {account_id{row.object.actor}, account_id{row.object.target}});
  if (!known)
    return known.error();
  if (!*known || (*known)->uri != row.ap_id)
    return gone("the follow");
  const auto followee = account(row.object.target);
  if (!followee)
    return followee.error();
  const auto activity = about("Follow", followee->uri);
  if (!activity)
    return activity.error();
  return trunkline::render(*activity);
}

/// Of the Follow as it is now: who asked again wants that one accepted.
caf::expected<std::string> renderer::accept() const {
  const auto known = find_follow(db, {account_id{row.object.actor}, account_id{row.object.target}});
  if (!known)
    return known.error();
  if (!*known || !(*known)->accepted)
    return gone("the follow");
  const auto follower = account(row.object.actor);
  if (!follower)
    return follower.error();
  const auto activity = about("Accept", (*known)->uri);
  if (!activity)
    return activity.error();
  return render_about(*activity, {.id = (*known)->uri,
                                  .type = "Follow",
                                  .actor = follower->uri,
                                  .object = activity->actor,
                                  .target = {},
                                  .whom = {},
                                  .published = {}});
}

caf::expected<std::string> renderer::block() const {
  const auto blocked = account(row.object.target);
  if (!blocked)
    return blocked.error();
  const auto uri = block_uri(db, row.author, blocked->id);
  if (!uri)
    return uri.error();
  if (*uri != row.ap_id)
    return gone("the block");
  const auto activity = about("Block", blocked->uri);
  if (!activity)
    return activity.error();
  return trunkline::render(*activity);
}

caf::expected<std::string> renderer::actor() const {
  const auto shown = load_local_actor(db, row.author, urls);
  if (!shown && (code_of(shown.error()) == errc::gone || code_of(shown.error()) == errc::not_found))
    return gone("account " + to_string(row.author));
  if (!shown)
    return shown.error();
  const auto number = fresh();
  if (!number)
    return number.error();
  return render_actor_update(shown->document, urls, *number);
}

/// The kinds of the index `log_rendered`: bodies of others are not emptied but for want of room.
caf::expected<std::string> renderer::render() const {
  switch (row.ap_id.empty() ? log_kind::vote : row.kind) {
  case log_kind::create:
    return create();
  case log_kind::update:
    return update();
  case log_kind::announce:
    return announce();
  case log_kind::like:
    return like();
  case log_kind::follow:
  case log_kind::follow_request:
    return follow();
  case log_kind::accept_follow:
    return accept();
  case log_kind::block:
    return block();
  case log_kind::update_actor:
  case log_kind::rotate_key:
    return actor();
  default:
    return gone("what it said (" + std::string{to_string(row.kind)} + ")");
  }
}

} // namespace

caf::expected<outgoing_activity> outgoing_of(database& db, log_seq seq, const url_space& urls,
                                             time_point now) {
  auto stored = read_outgoing(db, seq);
  if (!stored || stored->body)
    return stored;
  if (stored->sha256.empty())
    return make_error(errc::not_found, "log " + std::to_string(seq) + ": it is for nobody");
  auto row = read_row(db, seq);
  if (!row)
    return std::move(row.error());
  auto body = renderer{db, urls, now, std::move(*row)}.render();
  if (!body)
    return std::move(body.error());
  stored->sha256 = sha256(*body);
  stored->body = std::make_shared<const std::string>(std::move(*body));
  return stored;
}

query<delivery_body> ask_body(std::shared_ptr<delivery_bodies> bodies, log_seq seq, url_space urls,
                              time_point now) {
  return {[bodies = std::move(bodies), seq, urls = std::move(urls),
           now](database& db) -> caf::expected<delivery_body> {
    if (auto known = bodies->find(seq))
      return std::move(*known);
    auto read = outgoing_of(db, seq, urls, now);
    if (!read)
      return std::move(read.error());
    auto body = delivery_body{std::move(read->body), std::move(read->sha256), read->signer};
    bodies->put(seq, body);
    return body;
  }};
}

} // namespace trunkline
