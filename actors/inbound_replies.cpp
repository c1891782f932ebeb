#include "actors/inbound_replies.hpp"

#include "actors/addressees.hpp"
#include "storage/audience_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

bool is_addressed(const inbound_work& work, const remote_note& note, const std::string& uri) {
  for (const auto* list : {&note.to, &note.cc, &work.said.to, &work.said.cc})
    if (std::ranges::find(*list, uri) != list->end())
      return true;
  return false;
}

/// Tells whether what came carries a signature of its own: then other servers take it from anybody,
/// and its author's server leaves it to us to pass it on, without naming our followers.
bool is_signed_itself(const inbound_work& work) {
  const auto document = parse_json(work.row.body);
  const auto* signature = document ? document->find("signature") : nullptr;
  return signature && signature->as_object();
}

bool is_meant_for_followers(const inbound_work& work, const post& reply, const remote_note& note,
                            const account_facts& author) {
  return is_addressed(work, note, work.shared.own.followers(author.name)) ||
         (is_public(reply.seen_by) && is_signed_itself(work));
}

/// Returns the author of ours whom a reply answers and whose followers are to see it; nothing when
/// there is none.
caf::expected<std::optional<account_facts>>
answered_author(const inbound_work& work, const post& reply, const remote_note& note) {
  using nobody = std::optional<account_facts>;
  const auto answered = find_post(work.db(), reply.reply_to);
  if (!answered)
    return answered.error();
  if (!*answered || (*answered)->seen_by == visibility::direct)
    return nobody{};
  auto author = find_account_facts(work.db(), reply.reply_author);
  if (!author || !*author)
    return author;
  const auto& facts = **author;
  if (!facts.is_local || !is_meant_for_followers(work, reply, note, facts))
    return nobody{};
  const auto shunned = work.is_shunned_by(facts.id);
  if (!shunned)
    return shunned.error();
  return *shunned ? nobody{} : std::move(author);
}

/// Returns the audience of `author`, but for the endpoints through which the actor is reached.
caf::expected<audience_id> audience_but_origin(const inbound_work& work, account_id author) {
  const auto fresh = work.fresh_id();
  if (!fresh)
    return fresh.error();
  const auto all = audience_for_next_post(work.db(), author, audience_id{*fresh});
  if (!all || !*all)
    return all;
  auto endpoints = endpoints_of(work.db(), *all);
  if (!endpoints)
    return std::move(endpoints.error());
  const auto is_origin = [&](endpoint_id endpoint) {
    return endpoint == work.actor.inbox || endpoint == work.actor.shared_inbox;
  };
  if (std::erase_if(*endpoints, is_origin) == 0 || endpoints->size() > forward_exclusion_max)
    return all;
  const auto kept = work.fresh_id();
  if (!kept)
    return kept.error();
  return keep_endpoints(work.db(), author, *endpoints, audience_id{*kept});
}

} // namespace

caf::error forward_new_reply(const inbound_work& work, const post& reply, const remote_note& note) {
  if (!reply.reply_to)
    return {};
  const auto author = answered_author(work, reply, note);
  if (!author)
    return author.error();
  if (!*author)
    return {};
  const auto audience = audience_but_origin(work, (*author)->id);
  if (!audience)
    return audience.error();
  if (!*audience)
    return {};
  // So that its Update and its Delete find who has it.
  if (auto failure = add_post_audience(work.db(), reply.id, *audience))
    return failure;
  return forward(work, log_kind::create, reply, {(*author)->id, {*audience}});
}

caf::expected<reply_forwarding> reply_audiences(const inbound_work& work, const post& reply) {
  if (!reply.reply_to)
    return reply_forwarding{};
  auto audiences = audiences_of(work.db(), reply.id);
  if (!audiences)
    return std::move(audiences.error());
  return reply_forwarding{audiences->empty() ? account_id{} : reply.reply_author,
                          std::move(*audiences)};
}

caf::error forward(const inbound_work& work, log_kind kind, const post& reply,
                   const reply_forwarding& to) {
  if (!to.author)
    return {};
  for (const auto audience : to.audiences) {
    auto row = work.entry(kind, {object_kind::post, 0, reply.id.value});
    row.author = to.author;
    row.is_public = is_public(reply.seen_by);
    row.audience = audience;
    row.signer = to.author;
    row.body = work.row.body;
    work.log(std::move(row));
  }
  return {};
}

} // namespace trunkline
