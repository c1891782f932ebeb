#include "kit/home_world.hpp"

#include "actors/messages.hpp"

#include <stdexcept>

namespace trunkline::kit {

namespace {

struct hint_mangler_state {
  std::vector<log_hint> kept_back;
};

log_reader_handle::behavior_type
hint_mangler(log_reader_handle::stateful_pointer<hint_mangler_state> self, log_reader_handle to,
             home_world_options options, std::mt19937_64* random) {
  return {
      [=](log_hint& hint) {
        auto& kept_back = self->state.kept_back;
        const auto is_one_of = [=](unsigned of_100) { return (*random)() % 100 < of_100; };
        if (is_one_of(options.hints_lost))
          return;
        if (is_one_of(options.hints_kept_back))
          return kept_back.push_back(std::move(hint));
        if (is_one_of(options.hints_doubled))
          self->send(to, hint);
        self->send(to, std::move(hint));
        for (auto& late : std::exchange(kept_back, {}))
          self->send(to, std::move(late));
      },
      [=](describe_log question) -> caf::result<log_report> {
        return self->delegate(to, question);
      },
      [=](const read_missed& wish) -> caf::result<found_units> { return self->delegate(to, wish); },
      [](const log_has_grown&) {},
      [](poll_log) {},
      [](close_hole) {},
  };
}

caf::error run_all(database& db,
                   std::vector<std::pair<std::string_view, std::vector<sql_value>>> statements) {
  for (const auto& [sql, values] : statements)
    if (auto done = db.run(sql, values); !done)
      return std::move(done.error());
  return {};
}

sql_value id_or_null(std::int64_t id) {
  return id ? sql_value{id} : sql_value{};
}

caf::error insert_mentions(database& db, post_id post, const std::vector<account_id>& mentions) {
  for (const auto named : mentions)
    if (auto failure = run_all(
            db, {{"INSERT INTO mention(post_id, account_id) VALUES ($1, $2)", {post, named}}}))
      return failure;
  return {};
}

caf::error insert_post(database& db, const post_facts& facts) {
  if (auto failure = run_all(
          db, {{"INSERT INTO post(id, author, visibility, language, reply_to, reply_author,"
                " boost_of, boost_author, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
                {facts.id, facts.author, static_cast<int>(facts.seen_by), facts.language,
                 id_or_null(facts.reply_to.value), id_or_null(facts.reply_author.value),
                 id_or_null(facts.boost_of.value), id_or_null(facts.boost_author.value)}}}))
    return failure;
  return insert_mentions(db, facts.id, facts.mentions);
}

log_draft draft(log_kind kind, account_id author, object_key object,
                std::optional<post_facts> facts = {}) {
  return {.kind = kind, .author = author, .object = object, .facts = std::move(facts)};
}

log_draft draft(log_kind kind, object_kind about, account_id actor, account_id target) {
  return draft(kind, actor, {about, actor.value, target.value});
}

} // namespace

home_world::home_world(home_world_options options)
    : options_{options}, actors_{options.seed}, random_{options.seed} {
  start();
}

void home_world::start() {
  rings_ = std::make_shared<home_rings>(options_.rings);
  position_ = std::make_shared<log_position>();
  position_->commit(sent_);
  fanout_ = actors_.spawn(
      trunkline::fanout,
      fanout_dependencies{
          .rings = rings_, .position = position_, .caches = {}, .clock = actors_.clock()},
      options_.fanout);
  auto readers = storage_.start_readers(actors_, 2);
  const auto reader = actors_.spawn(
      log_reader,
      log_reader_dependencies{.readers = readers, .fanout = fanout_, .position = position_},
      options_.log_reader);
  writer_ = actors_.spawn(
      storage_writer,
      writer_dependencies{.db = storage_.open_writer(),
                          .clock = actors_.clock(),
                          .log_reader = actors_.spawn(hint_mangler, reader, options_, &random_),
                          .on_broken = {},
                          .counters = storage_.counters(),
                          .position = position_},
      writer_options{});
  auto has = timeline_dependencies{.storage = {.writer = writer_, .readers = readers},
                                   .fanout = fanout_,
                                   .rings = rings_,
                                   .position = position_,
                                   .clock = actors_.clock()};
  auto start_timeline = [this, has](account_id id, const passivator_handle& region) {
    return actors_.spawn(timeline, id, region, has, options_.timeline);
  };
  region_counters_ = std::make_shared<region_counters>();
  timelines_ = actors_.spawn(shard_region<timeline_handle>, start_timeline, region_counters_,
                             region_options{});
}

void home_world::restart() {
  fanout_ = fanout_handle{};
  writer_ = writer_handle{};
  timelines_ = region_of<timeline_handle>{};
  actors_.restart();
  start();
}

/// Messages of one sender come in order, so changes are committed as the model makes them.
void home_world::commit(std::vector<log_draft> rows, std::function<caf::error(database&)> change) {
  sent_ += static_cast<log_seq>(rows.size());
  caf::anon_send(writer_, write_job{[=](write_context& context) -> caf::error {
                   context.log.insert(context.log.end(), rows.begin(), rows.end());
                   return change(context.db);
                 }});
}

void home_world::settle_committed() {
  for (auto steps = 0; position_->committed() < sent_; ++steps) {
    actors_.settle_partly(1);
    if (steps > 100'000)
      throw std::runtime_error{"home_world: a change was not committed"};
  }
}

void home_world::publish(const post_facts& facts) {
  model_.posts[facts.id] = facts;
  commit({draft(log_kind::create, facts.author, {object_kind::post, 0, facts.id.value}, facts)},
         [=](database& db) { return insert_post(db, facts); });
}

void home_world::edit(post_id post, std::string language, std::vector<account_id> mentions) {
  auto& facts = model_.posts.at(post);
  facts.language = std::move(language);
  facts.mentions = std::move(mentions);
  commit({draft(log_kind::update, facts.author, {object_kind::post, 0, post.value}, facts)},
         [facts](database& db) {
           if (auto failure = run_all(
                   db, {{"UPDATE post SET language = $2 WHERE id = $1", {facts.id, facts.language}},
                        {"DELETE FROM mention WHERE post_id = $1", {facts.id}}}))
             return failure;
           return insert_mentions(db, facts.id, facts.mentions);
         });
}

void home_world::remove(post_id post) {
  const auto author = model_.posts.at(post).author;
  model_.erase_post(post);
  commit({draft(log_kind::remove, author, {object_kind::post, 0, post.value})},
         [post](database& db) {
           return run_all(db, {{"DELETE FROM mention WHERE post_id = $1", {post}},
                               {"DELETE FROM post WHERE id = $1 OR boost_of = $1", {post}}});
         });
}

void home_world::boost(account_id author, post_id post, post_id boost) {
  const auto facts = post_facts{.id = boost,
                                .author = author,
                                .boost_of = post,
                                .boost_author = model_.posts.at(post).author};
  model_.posts[boost] = facts;
  commit(
      {draft(log_kind::announce, author, {object_kind::announce, author.value, post.value}, facts)},
      [=](database& db) { return insert_post(db, facts); });
}

void home_world::unboost(post_id boost) {
  const auto facts = model_.posts.at(boost);
  model_.posts.erase(boost);
  commit({draft(log_kind::undo_announce, facts.author,
                {object_kind::announce, facts.author.value, facts.boost_of.value})},
         [=](database& db) {
           return run_all(db, {{"DELETE FROM post WHERE id = $1", {boost}}});
         });
}

void home_world::follow(account_id follower, account_id followee,
                        const home_model::follow& options) {
  model_.follows[{follower, followee}] = options;
  commit({draft(options.accepted ? log_kind::follow : log_kind::follow_request, object_kind::follow,
                follower, followee)},
         [=](database& db) {
           return run_all(
               db,
               {{"INSERT INTO follow(follower, followee, at, accepted, show_boosts, languages)"
                 " VALUES ($1, $2, 0, $3, $4, $5) ON CONFLICT(follower, followee) DO UPDATE"
                 " SET accepted = $3, show_boosts = $4, languages = $5",
                 {follower, followee, options.accepted, options.show_boosts, options.languages}}});
         });
}

void home_world::unfollow(account_id follower, account_id followee) {
  model_.follows.erase({follower, followee});
  commit({draft(log_kind::undo_follow, object_kind::follow, follower, followee)},
         [=](database& db) {
           return run_all(db, {{"DELETE FROM follow WHERE follower = $1 AND followee = $2",
                                {follower, followee}}});
         });
}

void home_world::block(account_id blocker, account_id blocked) {
  model_.blocks.insert({blocker, blocked});
  model_.follows.erase({blocker, blocked});
  model_.follows.erase({blocked, blocker});
  commit({draft(log_kind::block, object_kind::block, blocker, blocked)}, [=](database& db) {
    return run_all(
        db, {{"INSERT INTO block(blocker, blocked, at) VALUES ($1, $2, 0)", {blocker, blocked}},
             {"DELETE FROM follow WHERE (follower = $1 AND followee = $2)"
              " OR (follower = $2 AND followee = $1)",
              {blocker, blocked}}});
  });
}

void home_world::unblock(account_id blocker, account_id blocked) {
  model_.blocks.erase({blocker, blocked});
  commit({draft(log_kind::undo_block, object_kind::block, blocker, blocked)}, [=](database& db) {
    return run_all(db,
                   {{"DELETE FROM block WHERE blocker = $1 AND blocked = $2", {blocker, blocked}}});
  });
}

void home_world::mute(account_id muter, account_id muted, std::optional<time_point> expires_at) {
  model_.mutes[{muter, muted}] = expires_at;
  commit({draft(log_kind::mute, object_kind::mute, muter, muted)}, [=](database& db) {
    return run_all(db, {{"INSERT INTO mute(muter, muted, at, expires_at) VALUES ($1, $2, 0, $3)"
                         " ON CONFLICT(muter, muted) DO UPDATE SET expires_at = $3",
                         {muter, muted, expires_at}}});
  });
}

void home_world::unmute(account_id muter, account_id muted) {
  model_.mutes.erase({muter, muted});
  commit({draft(log_kind::undo_mute, object_kind::mute, muter, muted)}, [=](database& db) {
    return run_all(db, {{"DELETE FROM mute WHERE muter = $1 AND muted = $2", {muter, muted}}});
  });
}

pending_reply<home_page> home_world::start_read(account_id viewer, page_request page) {
  return actors_.start<home_page>(timelines_, read_home{.account = viewer, .page = page});
}

std::vector<post_id> home_world::read(account_id viewer, page_request page) {
  const auto answer =
      actors_.ask<home_page>(timelines_, read_home{.account = viewer, .page = page});
  if (!answer)
    throw std::runtime_error{"home_world: " + context_of(answer.error())};
  return answer->posts;
}

std::vector<post_id> home_world::read_down(account_id viewer, std::int64_t limit) {
  auto home = std::vector<post_id>{};
  auto page = page_request{.limit = limit};
  for (auto posts = read(viewer, page); !posts.empty(); posts = read(viewer, page)) {
    home.insert(home.end(), posts.begin(), posts.end());
    page.max_id = posts.back();
  }
  return home;
}

std::vector<post_id> home_world::read_up(account_id viewer, std::int64_t limit) {
  auto home = std::vector<post_id>{};
  auto page = page_request{.min_id = {1}, .limit = limit};
  for (auto posts = read(viewer, page); !posts.empty(); posts = read(viewer, page)) {
    home.insert(home.begin(), posts.begin(), posts.end());
    page.min_id = posts.front();
  }
  return home;
}

timeline_report home_world::report(account_id viewer) {
  return *actors_.ask<timeline_report>(timelines_, describe_timeline{viewer});
}

std::int64_t home_world::refused_homes() {
  return actors_.ask<fanout_report>(fanout_, describe_fanout{})->refused_homes;
}

void home_world::passivate(account_id viewer) {
  caf::anon_send(timelines_, passivate_actor{.id = viewer.value});
}

} // namespace trunkline::kit
