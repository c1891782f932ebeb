/// An account of a remote server in a virtual world: its documents, its key, and what it sends.
#pragma once

#include "net/http_exchange.hpp"
#include "net/http_types.hpp"
#include "protocol/json.hpp"
#include "protocol/signing_key.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// One post of such an account.
struct world_note {
  std::string uri;
  std::string html;
  time_point published;
  time_point updated;
  bool edited = false;
  bool deleted = false;
  std::string mentioned = {};      ///< URI of the account that it names; "" for none.
  std::string mentioned_name = {}; ///< "@name@host"
};

class world_account {
public:
  /// Makes the key; takes 50 to 500 ms.
  world_account(std::string name, std::string host);

  const std::string& name() const { return name_; }
  std::string uri() const { return uri_; }
  std::string address() const { return name_ + "@" + host_; }
  std::string path() const { return "/users/" + name_; }
  std::string followers() const { return uri_ + "/followers"; }

  json_object document() const;
  json_object webfinger() const;

  /// Returns the post of this path ("/users/bob/posts/1"), or null.
  const world_note* find_note(std::string_view path) const;
  json_object note_document(const world_note& note) const;

  /// Makes a post that names the account `mentioned` (a URI, and its "@name@host"; "" for none),
  /// and returns the activity that tells of it.
  json_object publish(std::string_view html, time_point at, const std::string& mentioned,
                      const std::string& mentioned_name);

  /// Change the last post; null when there is none that can be.
  json_value edit_last(std::string_view html, time_point at);
  json_value delete_last();
  std::string last_note() const;

  /// Begins and ends to follow the actor `uri`; the second is null when it does not.
  json_object follow(const std::string& uri);
  json_value unfollow(const std::string& uri);

  /// An activity of this account with an id of its own.
  json_object activity(std::string_view type, json_value object);

  /// A request in this account's name, signed at `at`. No body: a GET.
  outgoing_request signed_request_to(const std::string& url, std::string body, time_point at) const;

private:
  json_object tell(std::string_view type, json_value object);

  const std::string name_;
  const std::string host_;
  const std::string uri_;
  const private_key key_ = private_key::generate();
  const std::string public_pem_ = key_.public_pem();
  std::uint64_t activities_ = 0;
  std::vector<world_note> notes_;
  std::map<std::string, json_object> follows_; ///< By whom it follows.
};

/// The type of every document in the network of activities.
inline constexpr auto activity_media_type = std::string_view{"application/activity+json"};

} // namespace trunkline
