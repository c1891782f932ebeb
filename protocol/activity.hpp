/// What other servers send, read tolerantly into plain values: activities, actors and notes.
///
/// ActivityStreams lets one thing be written in many ways: a string, an object with an id, or an
/// array of either; `contentMap` for `content`; Link objects for URLs. Everything here reads what
/// Mastodon, Misskey, Pleroma and Akkoma, Lemmy, Pixelfed and PeerTube really send. Contexts are
/// never fetched. Text is as it was sent: HTML is not sanitised yet. Lists are cut and texts are
/// clamped at the limits named here; nothing is fetched, nothing is believed: whose word it is
/// must be judged by the caller (`protocol/activity_rules.hpp`).
#pragma once

#include "protocol/codes.hpp"
#include "protocol/json.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

inline constexpr std::size_t actor_keys_max = 10;
inline constexpr std::size_t actor_name_max = 2'048; ///< Bytes of a name or display name.
inline constexpr std::size_t actor_fields_max = 50;
inline constexpr std::size_t actor_aliases_max = 256;
inline constexpr std::size_t actor_note_bytes_max = 20'480;
inline constexpr std::size_t note_recipients_max = 1'000; ///< Of `to` and `cc` each.
inline constexpr std::size_t note_mentions_max = 100;
inline constexpr std::size_t note_tags_max = 100;
inline constexpr std::size_t note_emojis_max = 100;
inline constexpr std::size_t note_attachments_max = 16;
inline constexpr std::size_t note_content_bytes_max = 262'144;
inline constexpr std::size_t poll_options_max = 500;
inline constexpr std::size_t flag_comment_max = 5'000; ///< Characters.

enum class activity_type : std::uint8_t {
  unknown,
  create,
  update,
  remove, ///< Delete
  follow,
  accept,
  reject,
  undo,
  like, ///< Also EmojiReact, and Misskey's Like with a reaction.
  announce,
  block,
  flag,
  add,
  remove_from, ///< Remove
  move,
};

struct activity {
  std::string id; ///< "" when it has none.
  activity_type type = activity_type::unknown;
  std::string actor;                 ///< The id; never "".
  std::string object;                ///< Id of the (first) object; "" when it has none.
  std::optional<json_value> inlined; ///< The object itself, when it was sent along.
  std::vector<std::string> objects;  ///< Ids of all objects, at most 100 (Flag).
  std::string target;                ///< Of Add, Remove, Move; "" when absent.
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::optional<time_point> published;
  std::string content; ///< Of Flag: the comment, cut; of Like: the reaction.
};

/// Reads an activity. Fails with `errc::malformed` when it is no object, has no single actor or no
/// type that is text; the context names the member. An unknown type is no failure.
caf::expected<activity> read_activity(const json_value& document);

struct actor_key {
  std::string id;
  std::string owner; ///< "" when it names none.
  std::string pem;
};

struct named_url { ///< A custom emoji: ":blobcat:" without colons, and its picture.
  std::string name;
  std::string url;
};

struct profile_field {
  std::string name;
  std::string value; ///< HTML
};

struct remote_actor {
  std::string id;
  std::string type; ///< Person, Service, Application, Group, Organization.
  std::string name; ///< preferredUsername
  std::string display_name;
  std::string note; ///< HTML
  std::string inbox;
  std::string shared_inbox; ///< "" when it has none.
  std::string outbox;
  std::string followers;
  std::string following;
  std::string featured;
  std::string url; ///< The page for people; the id when it names none.
  std::string avatar_url;
  std::string header_url;
  bool locked = false;
  bool bot = false; ///< Service or Application.
  bool discoverable = false;
  std::vector<profile_field> fields;
  std::vector<named_url> emojis;
  std::vector<std::string> aliases; ///< alsoKnownAs
  std::string moved_to;             ///< "" when it has not moved.
  std::optional<time_point> published;
  std::vector<actor_key> keys;
};

/// Reads an actor. Fails with `errc::malformed` when it is no actor: another type, no id, inbox or
/// name. URLs on another origin than the id's are dropped where only the same origin makes sense
/// (shared inbox, outbox, followers, following, featured); an inbox elsewhere is a failure.
caf::expected<remote_actor> read_actor(const json_value& document);

struct note_attachment {
  std::string url; ///< http or https
  std::string media_type;
  std::string description;
};

struct poll_option {
  std::string name;
  std::int64_t votes = 0; ///< Never negative.
};

struct remote_poll {
  std::vector<poll_option> options;
  bool multiple = false;
  std::optional<time_point> ends_at; ///< Clamped to the years 1970 to 2200.
  bool closed = false;
  std::int64_t voters = 0;
};

struct remote_note {
  std::string id;
  std::string type;          ///< Note, Question; or Article, Page, Video, Image, Audio, Event.
  std::string attributed_to; ///< The one author; "" when there is none or more than one.
  std::string url;           ///< The page for people; the id when it names none.
  std::string title;         ///< `name`; of a vote the chosen option.
  std::string content;       ///< HTML. What is no Note: its title and a link.
  bool has_content = false;  ///< False for a vote.
  std::string spoiler;       ///< `summary`
  bool sensitive = false;
  std::string language; ///< From `contentMap`; "" when unknown.
  std::optional<time_point> published;
  std::optional<time_point> updated;
  std::string in_reply_to; ///< "" for none.
  std::string replies;     ///< The collection; "" for none.
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::vector<std::string> mentions; ///< Ids of actors.
  std::vector<std::string> tags;     ///< Without '#', as written.
  std::vector<named_url> emojis;
  std::vector<note_attachment> attachments;
  std::optional<remote_poll> poll;
};

/// Reads a post of any kind. Fails with `errc::malformed` when it is none, or has no id.
caf::expected<remote_note> read_note(const json_value& document);

/// Tells whether a note is a vote in a poll: it names an option, and says nothing else.
bool is_vote(const remote_note& note);

/// Returns who may see what was sent to these: public in `to`: everyone; in `cc`: unlisted; the
/// author's followers: followers; else direct.
visibility visibility_of(const std::vector<std::string>& to, const std::vector<std::string>& cc,
                         const std::string& followers);

/// Returns the id of a value that is text, or an object with an id, or an array that begins with
/// one; "" where there is none.
std::string id_of(const json_value* value);

/// Returns the type's words: of text, or of an array of texts; empty when there is none.
std::vector<std::string> types_of(const json_value& document);

struct collection_page {
  std::vector<json_value> items; ///< At most `limit`.
  std::string next;              ///< "" at the end.
  std::string first;             ///< Of a collection: its first page, when it is a link.
  std::int64_t total = 0;        ///< Clamped to 0 to 1e9.
};

/// Reads a collection or a page of one, ordered or not. Fails with `errc::malformed`.
caf::expected<collection_page> read_collection(const json_value& document, std::size_t limit);

} // namespace trunkline
