/// What we send: our posts, accounts and activities as ActivityStreams documents.
///
/// Every function returns one JSON document, `@context` included. Bodies hold neither bto nor bcc.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "protocol/json.hpp"
#include "protocol/names.hpp"
#include "protocol/post.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

inline constexpr auto activity_media_type = "application/activity+json; charset=utf-8";
inline constexpr auto public_collection = "https://www.w3.org/ns/activitystreams#Public";

/// Somebody named in a post.
struct note_mention {
  std::string uri;    ///< The actor's id.
  std::string handle; ///< "@name@domain"
};

struct note_poll {
  std::vector<std::string> options;
  std::vector<std::int64_t> votes; ///< Of each option.
  std::int64_t voters = 0;
  bool multiple = false;
  std::optional<time_point> ends_at;
  bool ended = false;
};

struct note_medium {
  std::string url;
  std::string media_type;
  std::string description;
};

/// A post of ours with everything its Note says.
struct outgoing_note {
  post row;
  std::string author;       ///< The name, as its owner writes it.
  std::string reply_to_uri; ///< "" for none.
  std::vector<note_mention> mentions;
  std::vector<std::string> tags; ///< As written, without '#'.
  std::vector<note_medium> media;
  std::optional<note_poll> poll;
};

/// Returns the Note or Question, without a context of its own when `embedded`.
json_object to_note(const outgoing_note& note, const url_space& urls, bool embedded);

/// Returns the Create of a post, without a context of its own when `embedded`.
json_object to_create(const outgoing_note& note, const url_space& urls, bool embedded);
std::string render_create(const outgoing_note& note, const url_space& urls);

/// `fresh`: the new id in the Update's URL.
std::string render_update(const outgoing_note& note, const url_space& urls, std::int64_t fresh);

/// Who is told: the To and Cc of an activity that is no post.
struct recipients {
  std::vector<std::string> to;
  std::vector<std::string> cc;
};

/// Returns to and cc of a post: by its visibility, and whom it names.
recipients recipients_of(visibility seen_by, const std::string& followers,
                         const std::vector<note_mention>& mentions);

/// The Delete of a post, with a Tombstone.
std::string render_delete(const url_space& urls, std::string_view author, post_id id,
                          const recipients& whom);

/// What stands where a post was.
std::string render_tombstone(const std::string& id);

/// Any activity whose object is named by its id alone: Announce, Like, Follow, Block, Add,
/// Remove, Move.
struct plain_activity {
  std::string id;
  std::string type;   ///< "Announce"
  std::string actor;  ///< The id of ours.
  std::string object; ///< An id.
  std::string target; ///< "" for none.
  recipients whom;
  std::optional<time_point> published;
};
std::string render(const plain_activity& activity);

/// Returns the activity without a context: an item of a collection.
json_object to_activity(const plain_activity& activity);

/// An activity about an activity: Undo, Accept, Reject.
std::string render_about(const plain_activity& outer, const plain_activity& inner);

/// A report: about an account, and posts of it.
std::string render_flag(const std::string& id, const std::string& actor,
                        const std::vector<std::string>& objects, const std::string& comment);

/// A vote: a Create of a Note whose name is the option. `fresh` is a new id.
struct outgoing_vote {
  std::string voter; ///< The name of ours.
  std::string poll;  ///< The id of the Question.
  std::string poll_author;
  std::string option;
  std::int64_t fresh = 0;
  time_point at;
};
std::string render_vote(const outgoing_vote& vote, const url_space& urls);

/// One of our accounts, with everything its document says.
struct outgoing_actor {
  std::string name;
  std::string display_name;
  std::string note_html;
  std::string fields_json; ///< As in `account_view`.
  std::string public_key_pem;
  bool locked = false;
  bool bot = false;
  bool discoverable = false;
  std::string moved_to;             ///< "" for nowhere.
  std::vector<std::string> aliases; ///< alsoKnownAs
  time_point created_at;
};
json_object to_actor(const outgoing_actor& actor, const url_space& urls, bool embedded);

/// The Update of a profile; to the followers.
std::string render_actor_update(const outgoing_actor& actor, const url_space& urls,
                                std::int64_t fresh);

/// The name in the handle of the server's own actor: `domain` without its port, since a handle
/// holds no colon.
std::string instance_name(std::string_view domain);

/// The server's own actor, which signs fetches.
json_object to_instance_actor(const std::string& domain, const std::string& public_key_pem,
                              const url_space& urls);

/// A collection that is read in pages, newest first.
json_object to_collection(const std::string& id, std::int64_t total);

/// One page of a collection.
struct collection_page_place {
  std::string collection;  ///< Its id.
  std::int64_t max_id = 0; ///< What the page was asked for with; 0: the first one.
  std::int64_t next = 0;   ///< The `max_id` of the next page; 0 at the end.
  std::int64_t total = 0;  ///< Of the collection.
};
json_object to_collection_page(const collection_page_place& place, json_array items);

/// A collection that is small enough to be shown at once.
json_object to_whole_collection(const std::string& id, json_array items);

} // namespace trunkline
