#include "actors/account_changes.hpp"

#include "protocol/errc.hpp"
#include "protocol/utf8.hpp"
#include "storage/audience_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/node_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t text_bytes_max = 65'536; ///< A bound for work, far above 500 characters.

caf::error refused(std::string_view why) {
  return make_error(errc::invalid, "Validation failed: " + std::string{why});
}

caf::error no_record() {
  return make_error(errc::not_found, "Record not found");
}

caf::error not_allowed() {
  return make_error(errc::forbidden, "This action is not allowed");
}

bool is_text(const std::string& text) {
  return text.size() <= text_bytes_max && text.find('\0') == std::string::npos && is_utf8(text);
}

/// "de", "zh-TW"; "" is unknown.
bool is_language(std::string_view code) {
  const auto first = code.substr(0, code.find('-'));
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return code.empty() || (first.size() >= 2 && first.size() <= 3 && code.size() <= 11 &&
                          code.back() != '-' && std::ranges::all_of(code, letter));
}

caf::expected<caf::unit_t> done(caf::error failure = {}) {
  if (failure)
    return failure;
  return caf::unit;
}

delivery_class class_of(visibility seen_by) {
  return seen_by == visibility::direct ? delivery_class::direct : delivery_class::bulk;
}

post_facts facts_of(const post& row, std::vector<account_id> mentions) {
  std::ranges::sort(mentions);
  return {.id = row.id,
          .author = row.author,
          .boost_of = row.boost_of,
          .boost_author = row.boost_author,
          .reply_to = row.reply_to,
          .reply_author = row.reply_author,
          .seen_by = row.seen_by,
          .language = row.language,
          .mentions = std::move(mentions)};
}

bool says_the_same(const post& one, const post& other) {
  return one.text == other.text && one.spoiler == other.spoiler &&
         one.sensitive == other.sensitive && one.language == other.language;
}

} // namespace

struct acting_account::resolved_links {
  post_links links;
  std::string html;
};

caf::expected<checked_draft> check_draft(post_draft draft, const url_space& urls) {
  if (!is_text(draft.text))
    return refused("Text is not valid text");
  if (!is_text(draft.spoiler))
    return refused("Spoiler text is not valid text");
  if (is_blank(draft.text))
    return refused("Text can't be blank");
  if (!is_language(draft.language))
    return refused("Language is not a code of ISO 639");
  auto checked = checked_draft{.draft = std::move(draft)};
  const auto& text = checked.draft.text;
  checked.entities = find_entities(text);
  if (count_characters(text, checked.entities) + count_characters(checked.draft.spoiler) >
      characters_max)
    return refused("Text character limit of " + std::to_string(characters_max) + " exceeded");
  checked.draft.sensitive = checked.draft.sensitive || !checked.draft.spoiler.empty();
  checked.names_somebody = std::ranges::any_of(checked.entities, [](const text_entity& entity) {
    return entity.kind == text_entity::kind_of::mention;
  });
  if (!checked.names_somebody)
    checked.html = render_html(text, checked.entities, {}, urls);
  return checked;
}

acting_account::acting_account(account_id id, std::string domain, url_space urls,
                               std::shared_ptr<id_source> ids)
    : id_{id}, domain_{std::move(domain)}, urls_{std::move(urls)}, ids_{std::move(ids)} {}

caf::error acting_account::begin(write_context& context) {
  const auto is_known =
      looked_at_ && *looked_at_ <= context.now && context.now - *looked_at_ < facts_kept;
  if (is_known)
    return {};
  auto facts = find_account_facts(context.db, id_);
  if (!facts)
    return std::move(facts.error());
  if (!*facts || !(*facts)->is_local)
    return no_record();
  if ((*facts)->disabled)
    return make_error(errc::forbidden, "Your login is currently disabled");
  name_ = (*facts)->name;
  looked_at_ = context.now;
  return {};
}

caf::expected<std::int64_t> acting_account::fresh_id() {
  return ids_->next();
}

caf::expected<post_id> acting_account::next_post_id(database& db) {
  if (!newest_) {
    auto stored = newest_post_of(db, id_);
    if (!stored)
      return std::move(stored.error());
    newest_ = *stored;
  }
  auto id = ids_->next(newest_->value);
  if (!id)
    return std::move(id.error());
  newest_ = post_id{*id};
  return *newest_;
}

/// Once an hour, so that a post stays two rows; what an author who never returns leaves behind is
/// the keys of his last hour.
caf::error acting_account::clear_old_keys(write_context& context) {
  if (keys_cleared_at_ && context.now - *keys_cleared_at_ < idempotency_kept)
    return {};
  auto cleared = clear_keys(context.db, id_, context.now - idempotency_kept);
  if (!cleared)
    return std::move(cleared.error());
  keys_cleared_at_ = context.now;
  return {};
}

caf::expected<audience_id> acting_account::audience(database& db, visibility seen_by,
                                                    post_id fresh) const {
  if (seen_by == visibility::direct) // it goes to the persons named
    return audience_id{};
  return audience_for_next_post(db, id_, audience_id{fresh.value});
}

log_draft acting_account::draft_of(log_kind kind, object_key object) const {
  return {.kind = kind, .author = id_, .object = object};
}

log_draft acting_account::post_draft_of(log_kind kind, const post& row) const {
  auto draft = draft_of(kind, {object_kind::post, 0, row.id.value});
  draft.cls = class_of(row.seen_by);
  draft.is_public = is_public(row.seen_by);
  return draft;
}

caf::expected<post> acting_account::own_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found || (*found)->author != id_)
    return no_record();
  return std::move(**found);
}

caf::expected<post> acting_account::visible_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return no_record();
  if ((*found)->boost_of) // a boost stands for what it boosts
    return visible_post(db, (*found)->boost_of);
  const auto seen = may_see(db, id_, **found);
  if (!seen)
    return seen.error();
  if (!*seen)
    return no_record();
  return std::move(**found);
}

caf::expected<acting_account::resolved_links>
acting_account::resolve(database& db, const checked_draft& draft) const {
  auto resolved = resolved_links{.html = draft.html};
  auto hrefs = std::vector<std::string>(draft.entities.size());
  for (auto index = std::size_t{0}; index < draft.entities.size(); ++index) {
    const auto& entity = draft.entities[index];
    if (entity.kind == text_entity::kind_of::tag)
      if (auto folded = fold_tag(entity.name); !folded.empty())
        if (std::ranges::find(resolved.links.tags, folded, &tag_name::folded) ==
            resolved.links.tags.end())
          resolved.links.tags.push_back({std::move(folded), entity.name});
    if (entity.kind != text_entity::kind_of::mention)
      continue;
    const auto host = fold_name(entity.domain);
    auto named = find_named(db, fold_name(entity.name), host == domain_ ? "" : host);
    if (!named)
      return std::move(named.error());
    if (!*named)
      continue;
    hrefs[index] =
        (*named)->domain.empty() ? urls_.profile_page((*named)->name) : std::move((*named)->uri);
    if (std::ranges::find(resolved.links.mentions, (*named)->id) == resolved.links.mentions.end())
      resolved.links.mentions.push_back((*named)->id);
  }
  if (draft.names_somebody)
    resolved.html = render_html(draft.draft.text, draft.entities, hrefs, urls_);
  return resolved;
}

caf::expected<post_id> acting_account::publish(write_context& context, const checked_draft& draft,
                                               const std::string& idempotency_key) {
  if (auto failure = begin(context))
    return failure;
  if (!idempotency_key.empty()) {
    if (auto failure = clear_old_keys(context))
      return failure;
    auto known = find_by_key(context.db, id_, idempotency_key, context.now);
    if (!known)
      return std::move(known.error());
    if (*known)
      return **known;
  }
  auto row = post{.author = id_,
                  .text = draft.draft.text,
                  .spoiler = draft.draft.spoiler,
                  .sensitive = draft.draft.sensitive,
                  .seen_by = draft.draft.seen_by,
                  .language = draft.draft.language,
                  .app = draft.draft.app,
                  .created_at = context.now};
  if (draft.draft.reply_to) {
    auto answered = visible_post(context.db, draft.draft.reply_to);
    if (!answered && code_of(answered.error()) == errc::not_found)
      return make_error(errc::not_found,
                        "The post you are trying to reply to does not appear to exist.");
    if (!answered)
      return std::move(answered.error());
    row.reply_to = answered->id;
    row.reply_author = answered->author;
  }
  return insert(context, std::move(row), draft, idempotency_key);
}

caf::expected<post_id> acting_account::insert(write_context& context, post row,
                                              const checked_draft& draft,
                                              const std::string& idempotency_key) {
  const auto id = next_post_id(context.db);
  if (!id)
    return id;
  row.id = *id;
  auto resolved = resolve(context.db, draft);
  if (!resolved)
    return std::move(resolved.error());
  row.html = std::move(resolved->html);
  const auto to = audience(context.db, row.seen_by, row.id);
  if (!to)
    return to.error();
  if (auto failure = insert_post(context.db, row, *to, idempotency_key))
    return failure;
  if (auto failure =
          insert_links(context.db, row.id, resolved->links, [this] { return fresh_id(); }))
    return failure;
  auto entry = post_draft_of(log_kind::create, row);
  entry.audience = *to;
  entry.ap_id = urls_.activity(name_, row.id);
  entry.facts = facts_of(row, std::move(resolved->links.mentions));
  context.log.push_back(std::move(entry));
  return row.id;
}

caf::expected<post_id> acting_account::edit(write_context& context, post_id id,
                                            const checked_draft& draft) {
  if (auto failure = begin(context))
    return failure;
  auto before = own_post(context.db, id);
  if (!before)
    return std::move(before.error());
  if (before->boost_of)
    return no_record();
  auto after = *before;
  after.text = draft.draft.text;
  after.spoiler = draft.draft.spoiler;
  after.sensitive = draft.draft.sensitive;
  after.language = draft.draft.language;
  if (says_the_same(*before, after))
    return id;
  auto resolved = resolve(context.db, draft);
  if (!resolved)
    return std::move(resolved.error());
  after.html = std::move(resolved->html);
  // Versions are told apart by their time, also when two edits share a commit.
  const auto version = before->edited_at.value_or(before->created_at);
  after.edited_at = std::max(context.now, version + std::chrono::microseconds{1});
  if (auto failure = store_edit(context.db, *before, after))
    return failure;
  if (auto failure = replace_links(context.db, id, resolved->links, [this] { return fresh_id(); }))
    return failure;
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto to = audience(context.db, after.seen_by, post_id{*fresh});
  if (!to)
    return to.error();
  auto entry = post_draft_of(log_kind::update, after);
  entry.audience = *to;
  entry.ap_id = urls_.update(name_, id, *fresh);
  entry.facts = facts_of(after, std::move(resolved->links.mentions));
  context.log.push_back(std::move(entry));
  return id;
}

caf::expected<caf::unit_t> acting_account::remove(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto row = own_post(context.db, id);
  if (!row)
    return row.error();
  if (row->boost_of)
    return done(erase_own_boost(context, row->boost_of));
  const auto to = audience_of(context.db, id);
  if (!to)
    return to.error();
  if (auto failure = erase_post(context.db, id))
    return failure;
  if (auto failure = add_tombstone(context.db, urls_.post(name_, id)))
    return failure;
  auto entry = post_draft_of(log_kind::remove, *row);
  entry.audience = *to;
  entry.ap_id = urls_.remove(name_, id);
  context.log.push_back(std::move(entry));
  return done();
}

caf::expected<post_id> acting_account::boost(write_context& context, post_id id,
                                             visibility seen_by) {
  if (auto failure = begin(context))
    return failure;
  const auto original = visible_post(context.db, id);
  if (!original)
    return original.error();
  const auto hidden = !is_public(original->seen_by);
  if (seen_by == visibility::direct)
    return refused("Visibility of a boost must not be direct");
  if (original->seen_by == visibility::direct || (hidden && original->author != id_))
    return not_allowed();
  const auto known = boost_by(context.db, id_, original->id);
  if (!known)
    return known.error();
  if (*known)
    return **known;
  const auto fresh = next_post_id(context.db);
  if (!fresh)
    return fresh;
  const auto row = post{.id = *fresh,
                        .author = id_,
                        .seen_by = hidden ? original->seen_by : seen_by,
                        .boost_of = original->id,
                        .boost_author = original->author,
                        .created_at = context.now};
  const auto to = audience(context.db, row.seen_by, row.id);
  if (!to)
    return to.error();
  if (auto failure = insert_post(context.db, row, *to, {}))
    return failure;
  auto named = mentions_of(context.db, original->id);
  if (!named)
    return std::move(named.error());
  auto entry = post_draft_of(log_kind::announce, row);
  entry.object = {object_kind::announce, id_.value, original->id.value};
  entry.audience = *to;
  entry.ap_id = urls_.activity(name_, row.id);
  entry.facts = facts_of(row, std::move(*named));
  context.log.push_back(std::move(entry));
  return row.id;
}

} // namespace trunkline
