/// Migration 1: the first schema. `{key}` becomes the database's own type of a 64-bit key. Times
/// are microseconds since 1970, flags 0 or 1, codes as in `protocol/codes.hpp`.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v1 = std::to_array<std::string_view>({
    // --- who there is -------------------------------------------------------------------------
    // host_id null: local. From `url` on: of remote ones, but for aliases and moved_to; private
    // keys
    // are encrypted. gone_at: its document answered 410 once. suspended_at: by this server. `name`
    // keeps the case of its owner, `folded` is unique among locals.
    R"(CREATE TABLE account(
      id {key} PRIMARY KEY, host_id BIGINT, name TEXT NOT NULL, folded TEXT NOT NULL,
      uri TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
      locked BIGINT NOT NULL DEFAULT 0, bot BIGINT NOT NULL DEFAULT 0,
      discoverable BIGINT NOT NULL DEFAULT 0, fields TEXT NOT NULL DEFAULT '[]',
      default_visibility BIGINT NOT NULL DEFAULT 1, default_sensitive BIGINT NOT NULL DEFAULT 0,
      default_language TEXT NOT NULL DEFAULT '', role BIGINT NOT NULL DEFAULT 0,
      password_hash TEXT, email TEXT, public_key TEXT, private_key BYTEA,
      created_at BIGINT NOT NULL, disabled_at BIGINT, deleted_at BIGINT,
      url TEXT NOT NULL DEFAULT '', avatar_url TEXT NOT NULL DEFAULT '',
      header_url TEXT NOT NULL DEFAULT '', emojis TEXT NOT NULL DEFAULT '[]',
      aliases TEXT NOT NULL DEFAULT '[]', moved_to BIGINT, moved_at BIGINT, inbox_id BIGINT,
      shared_inbox_id BIGINT, followers_url TEXT NOT NULL DEFAULT '',
      featured_url TEXT NOT NULL DEFAULT '', key_id TEXT NOT NULL DEFAULT '', fetched_at BIGINT,
      gone_at BIGINT, suspended_at BIGINT))",
    // Keys that were replaced: they sign what reports their replacement, until `until`.
    R"(CREATE TABLE retired_key(
      account_id {key} PRIMARY KEY, private_key BYTEA NOT NULL, until BIGINT NOT NULL))",
    "CREATE UNIQUE INDEX account_local_name ON account(folded) WHERE host_id IS NULL",
    "CREATE INDEX account_folded ON account(folded)",
    "CREATE UNIQUE INDEX account_remote_name ON account(host_id, folded) WHERE host_id IS NOT NULL",

    // --- posts; a boost is a post with boost_of ------------------------------------------------
    // uri null: ours, made from author and id.
    R"(CREATE TABLE post(
      id {key} PRIMARY KEY, author BIGINT NOT NULL, uri TEXT UNIQUE, text TEXT NOT NULL DEFAULT '',
      html TEXT NOT NULL DEFAULT '', spoiler TEXT NOT NULL DEFAULT '',
      sensitive BIGINT NOT NULL DEFAULT 0, visibility BIGINT NOT NULL,
      language TEXT NOT NULL DEFAULT '', reply_to BIGINT, reply_author BIGINT, boost_of BIGINT,
      boost_author BIGINT, app_id BIGINT, created_at BIGINT NOT NULL, edited_at BIGINT,
      idempotency_key TEXT, audience_id BIGINT NOT NULL DEFAULT 0,
      url TEXT NOT NULL DEFAULT '', emojis TEXT NOT NULL DEFAULT '[]'))",
    // Audiences that a post got by edits beside its own: its Delete goes to all of them.
    R"(CREATE TABLE post_audience(
      post_id BIGINT NOT NULL, audience_id BIGINT NOT NULL, PRIMARY KEY(post_id, audience_id)))",
    "CREATE INDEX post_author ON post(author, id)",
    "CREATE INDEX post_direct ON post(author) WHERE visibility = 4",
    "CREATE INDEX post_reply ON post(reply_to, id) WHERE reply_to IS NOT NULL",
    "CREATE UNIQUE INDEX post_boost ON post(boost_of, author) WHERE boost_of IS NOT NULL",
    R"(CREATE UNIQUE INDEX post_idempotency ON post(author, idempotency_key)
      WHERE idempotency_key IS NOT NULL)",
    // What an edit replaced, oldest first by `at`.
    R"(CREATE TABLE post_edit(
      post_id BIGINT NOT NULL, at BIGINT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL,
      spoiler TEXT NOT NULL, sensitive BIGINT NOT NULL, PRIMARY KEY(post_id, at)))",
    R"(CREATE TABLE mention(
      post_id BIGINT NOT NULL, account_id BIGINT NOT NULL, PRIMARY KEY(post_id, account_id)))",
    "CREATE INDEX mention_account ON mention(account_id, post_id)",
    "CREATE TABLE tag(id {key} PRIMARY KEY, folded TEXT NOT NULL UNIQUE, name TEXT NOT NULL)",
    R"(CREATE TABLE post_tag(
      tag_id BIGINT NOT NULL, post_id BIGINT NOT NULL, PRIMARY KEY(tag_id, post_id)))",
    "CREATE INDEX post_tag_post ON post_tag(post_id)",
    R"(CREATE TABLE medium(
      id {key} PRIMARY KEY, author BIGINT NOT NULL, post_id BIGINT, kind BIGINT NOT NULL,
      url TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', created_at BIGINT NOT NULL,
      media_type TEXT NOT NULL DEFAULT ''))",
    "CREATE INDEX medium_post ON medium(post_id)",
    // remote_votes: of a remote poll, as its server counts them, a JSON array; "" for ours.
    R"(CREATE TABLE poll(
      post_id {key} PRIMARY KEY, options TEXT NOT NULL, multiple BIGINT NOT NULL,
      hide_totals BIGINT NOT NULL, expires_at BIGINT, remote_votes TEXT NOT NULL DEFAULT '',
      remote_voters BIGINT NOT NULL DEFAULT 0))",
    R"(CREATE TABLE poll_vote(
      post_id BIGINT NOT NULL, account_id BIGINT NOT NULL, choice BIGINT NOT NULL,
      PRIMARY KEY(post_id, account_id, choice)))",
    // uri: the id of the Like, which its Undo names; "" for one that was sent nowhere.
    R"(CREATE TABLE favourite(
      account_id BIGINT NOT NULL, post_id BIGINT NOT NULL, at BIGINT NOT NULL,
      uri TEXT NOT NULL DEFAULT '', PRIMARY KEY(post_id, account_id)))",
    "CREATE INDEX favourite_account ON favourite(account_id, at)",
    R"(CREATE TABLE bookmark(
      account_id BIGINT NOT NULL, post_id BIGINT NOT NULL, at BIGINT NOT NULL,
      PRIMARY KEY(account_id, post_id)))",
    "CREATE INDEX bookmark_account ON bookmark(account_id, at)",
    R"(CREATE TABLE pin(
      account_id BIGINT NOT NULL, post_id BIGINT NOT NULL, at BIGINT NOT NULL,
      PRIMARY KEY(account_id, post_id)))",

    // --- the graph -----------------------------------------------------------------------------
    R"(CREATE TABLE follow(
      follower BIGINT NOT NULL, followee BIGINT NOT NULL, at BIGINT NOT NULL,
      accepted BIGINT NOT NULL DEFAULT 1, show_boosts BIGINT NOT NULL DEFAULT 1,
      notify BIGINT NOT NULL DEFAULT 0, languages TEXT NOT NULL DEFAULT '', uri TEXT,
      PRIMARY KEY(follower, followee)))",
    "CREATE INDEX follow_followee ON follow(followee, follower)",
    "CREATE INDEX follow_asked ON follow(followee) WHERE accepted = 0",
    "CREATE INDEX follow_asking ON follow(follower) WHERE accepted = 0",
    // uri: the id of the Block, as with a favourite.
    R"(CREATE TABLE block(
      blocker BIGINT NOT NULL, blocked BIGINT NOT NULL, at BIGINT NOT NULL,
      uri TEXT NOT NULL DEFAULT '', PRIMARY KEY(blocker, blocked)))",
    "CREATE INDEX block_blocked ON block(blocked, blocker)",
    R"(CREATE TABLE mute(
      muter BIGINT NOT NULL, muted BIGINT NOT NULL, at BIGINT NOT NULL,
      notifications BIGINT NOT NULL DEFAULT 1, expires_at BIGINT, PRIMARY KEY(muter, muted)))",
    // account_id 0: of the whole server. `host` is a name without port, its subdomains included.
    R"(CREATE TABLE domain_block(
      account_id BIGINT NOT NULL, host TEXT NOT NULL, at BIGINT NOT NULL, severity BIGINT NOT NULL,
      reason TEXT NOT NULL DEFAULT '', PRIMARY KEY(account_id, host)))",

    R"(CREATE TABLE notification(
      id {key} PRIMARY KEY, account_id BIGINT NOT NULL, kind BIGINT NOT NULL,
      from_id BIGINT NOT NULL, post_id BIGINT NOT NULL DEFAULT 0, at BIGINT NOT NULL,
      UNIQUE(account_id, kind, from_id, post_id)))",
    "CREATE INDEX notification_account ON notification(account_id, id)",
    "CREATE INDEX notification_post ON notification(post_id) WHERE post_id <> 0",
    // reporter: an account of ours, or the actor of another server that sent a Flag.
    R"(CREATE TABLE report(
      id {key} PRIMARY KEY, reporter BIGINT NOT NULL, target BIGINT NOT NULL,
      post_ids TEXT NOT NULL DEFAULT '[]', category TEXT NOT NULL DEFAULT 'other',
      comment TEXT NOT NULL DEFAULT '', forwarded BIGINT NOT NULL DEFAULT 0, uri TEXT UNIQUE,
      at BIGINT NOT NULL, resolved_at BIGINT))",

    // --- access; secrets are hashed, or encrypted with the key of secrets.key_file --------------
    R"(CREATE TABLE app(
      id {key} PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, secret_hash BYTEA NOT NULL,
      name TEXT NOT NULL, website TEXT NOT NULL DEFAULT '', redirect_uris TEXT NOT NULL,
      scopes TEXT NOT NULL, created_at BIGINT NOT NULL))",
    R"(CREATE TABLE oauth_code(
      hash BYTEA PRIMARY KEY, app_id BIGINT NOT NULL, account_id BIGINT NOT NULL,
      scopes TEXT NOT NULL, redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL DEFAULT '',
      expires_at BIGINT NOT NULL, token_hash BYTEA))",
    // account_id null: the app itself (client credentials).
    R"(CREATE TABLE token(
      hash BYTEA PRIMARY KEY, app_id BIGINT, account_id BIGINT, scopes TEXT NOT NULL,
      created_at BIGINT NOT NULL))",
    "CREATE INDEX token_account ON token(account_id)",
    "CREATE INDEX token_app ON token(app_id)",
    R"(CREATE TABLE web_session(
      hash BYTEA PRIMARY KEY, account_id BIGINT NOT NULL, created_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL))",
    R"(CREATE TABLE admin_token(
      hash BYTEA PRIMARY KEY, scope BIGINT NOT NULL, name TEXT NOT NULL,
      created_at BIGINT NOT NULL))",
    // Facts about the server that are set once or seldom, by name.
    "CREATE TABLE setting(name TEXT PRIMARY KEY, text TEXT, bytes BYTEA)",

    // --- the log and what is delivered out of it -----------------------------------------------
    R"(CREATE TABLE log(
      seq {key} PRIMARY KEY, at BIGINT NOT NULL, kind BIGINT NOT NULL, author BIGINT NOT NULL,
      object_key TEXT NOT NULL, class BIGINT NOT NULL, public BIGINT NOT NULL,
      audience_id BIGINT NOT NULL DEFAULT 0, ap_id TEXT UNIQUE, signer BIGINT, body BYTEA,
      sha256 BYTEA))",
    "CREATE INDEX log_author ON log(author, seq)",
    R"(CREATE TABLE log_extra(
      seq BIGINT NOT NULL, endpoint_id BIGINT NOT NULL, PRIMARY KEY(endpoint_id, seq)))",
    "CREATE INDEX log_extra_seq ON log_extra(seq)",
    "CREATE INDEX log_body ON log(seq) WHERE body IS NOT NULL",
    R"(CREATE TABLE audience(
      id {key} PRIMARY KEY, author BIGINT NOT NULL, version BIGINT NOT NULL,
      endpoint_ids BYTEA NOT NULL, UNIQUE(author, version)))",
    R"(CREATE TABLE follower_endpoint(
      author BIGINT NOT NULL, endpoint_id BIGINT NOT NULL, n BIGINT NOT NULL,
      PRIMARY KEY(author, endpoint_id)))",
    "CREATE INDEX follower_endpoint_endpoint ON follower_endpoint(endpoint_id, author)",
    // version: rises when the set of endpoints with n > 0 changes; that of the audience made of it.
    "CREATE TABLE follower_set(author {key} PRIMARY KEY, version BIGINT NOT NULL)",
    R"(CREATE TABLE endpoint(
      id {key} PRIMARY KEY, host_id BIGINT NOT NULL, url TEXT NOT NULL UNIQUE,
      shared BIGINT NOT NULL, state BIGINT NOT NULL DEFAULT 1, gone_since BIGINT,
      replaced_by BIGINT))",
    R"(CREATE TABLE host(
      id {key} PRIMARY KEY, scheme TEXT NOT NULL, name TEXT NOT NULL, port BIGINT NOT NULL,
      state BIGINT NOT NULL DEFAULT 1, fail_streak BIGINT NOT NULL DEFAULT 0,
      first_fail_at BIGINT, next_try_at BIGINT, window_size BIGINT NOT NULL DEFAULT 2,
      paused BIGINT NOT NULL DEFAULT 0, limit_in_flight BIGINT, limit_per_s BIGINT,
      signature_scheme BIGINT NOT NULL DEFAULT 0, last_ok_at BIGINT, UNIQUE(scheme, name, port)))",
    R"(CREATE TABLE shard_mark(
      kind BIGINT NOT NULL, shard BIGINT NOT NULL, class BIGINT NOT NULL, seq BIGINT NOT NULL,
      acked BYTEA, sums BYTEA, PRIMARY KEY(kind, shard, class)))",
    R"(CREATE TABLE host_backlog(
      host_id BIGINT NOT NULL, class BIGINT NOT NULL, behind_from BIGINT NOT NULL, acked BYTEA,
      count BIGINT NOT NULL, counted_to BIGINT NOT NULL, bytes BIGINT NOT NULL,
      oldest_at BIGINT NOT NULL, PRIMARY KEY(host_id, class)))",
    R"(CREATE TABLE delivery_exception(
      host_id BIGINT NOT NULL, endpoint_id BIGINT NOT NULL, seq BIGINT NOT NULL,
      object_key TEXT NOT NULL, status BIGINT NOT NULL, error TEXT NOT NULL,
      attempts BIGINT NOT NULL, next_try_at BIGINT, PRIMARY KEY(endpoint_id, seq)))",
    "CREATE INDEX delivery_exception_due ON delivery_exception(host_id, next_try_at)",
    R"(CREATE TABLE travelling(
      kind BIGINT NOT NULL, shard BIGINT NOT NULL, seq BIGINT NOT NULL,
      endpoint_id BIGINT NOT NULL, from_node BIGINT NOT NULL, until BIGINT NOT NULL,
      PRIMARY KEY(kind, shard, seq, endpoint_id)))",
    // actor: who signed. host: the key of its origin, no row, so that a stranger with many names
    // fills no table of hosts. done: 0 open, 1 applied or ignored, 2 given up.
    R"(CREATE TABLE inbox_log(
      id {key} PRIMARY KEY, actor TEXT NOT NULL, ap_id TEXT NOT NULL, host TEXT NOT NULL,
      body BYTEA NOT NULL, at BIGINT NOT NULL, done BIGINT NOT NULL DEFAULT 0,
      UNIQUE(actor, ap_id)))",
    "CREATE INDEX inbox_log_open ON inbox_log(host, id) WHERE done = 0",
    "CREATE INDEX inbox_log_at ON inbox_log(at)",
    "CREATE TABLE tombstone(hash BYTEA PRIMARY KEY)",
    // What was undone before it came: remembered for 6 hours.
    "CREATE TABLE early_undo(hash BYTEA PRIMARY KEY, at BIGINT NOT NULL)",
    "CREATE INDEX early_undo_at ON early_undo(at)",

    // --- nodes ----------------------------------------------------------------------------------
    // last_seq: the newest row of the log as the batch left it, so that a lost answer is found.
    "CREATE TABLE batch(id {key} PRIMARY KEY, at BIGINT NOT NULL, last_seq BIGINT NOT NULL)",
    R"(CREATE TABLE node(
      id {key} PRIMARY KEY, slot BIGINT NOT NULL UNIQUE, incarnation BIGINT NOT NULL,
      address TEXT NOT NULL, weights TEXT NOT NULL, joined_at BIGINT NOT NULL,
      state BIGINT NOT NULL, lease_until BIGINT NOT NULL, tried_at BIGINT NOT NULL DEFAULT 0,
      refused_since BIGINT, unreachable TEXT NOT NULL DEFAULT ''))",
    "CREATE TABLE id_slot(slot {key} PRIMARY KEY, ids_until BIGINT NOT NULL)",
    R"(CREATE TABLE shard_owner(
      kind BIGINT NOT NULL, shard BIGINT NOT NULL, node_id BIGINT NOT NULL,
      incarnation BIGINT NOT NULL, moved_at BIGINT NOT NULL, PRIMARY KEY(kind, shard)))",
});

} // namespace trunkline
