#include "storage/key_store.hpp"

#include "storage/remote_store.hpp"

#include <string_view>
#include <utility>

namespace trunkline {

namespace {

/// The row of `setting` with the key of the server itself.
constexpr auto instance_key = std::string_view{"instance_key"};

caf::expected<std::optional<own_key_row>> find_instance_key(database& db) {
  auto found = db.run("SELECT text, bytes FROM setting WHERE name = $1", {instance_key});
  if (!found)
    return std::move(found.error());
  auto row = own_key_row{};
  if (!found->rows.empty())
    row.pair = {found->rows[0][0].text(), found->rows[0][1].bytes()};
  return std::optional{std::move(row)};
}

caf::error store_instance_key(database& db, const key_pair_row& pair) {
  return error_of(db.run("INSERT INTO setting(name, text, bytes) VALUES ($1, $2, $3)"
                         " ON CONFLICT (name) DO NOTHING",
                         {instance_key, pair.public_pem, blob{pair.sealed_private}}));
}

caf::error store_account_key(database& db, account_id owner, const key_pair_row& pair) {
  return error_of(db.run("UPDATE account SET public_key = $2, private_key = $3 WHERE id = $1"
                         " AND host_id IS NULL AND deleted_at IS NULL AND private_key IS NULL",
                         {owner, pair.public_pem, blob{pair.sealed_private}}));
}

/// `key_id` without fragment; the account's id where keys are named "ID#main-key".
std::string_view before_fragment(std::string_view key_id) {
  return key_id.substr(0, key_id.find('#'));
}

/// `key_id` without its last segment; the account's id where keys are named "ID/main-key".
std::string_view before_segment(std::string_view key_id) {
  return key_id.substr(0, key_id.rfind('/'));
}

} // namespace

caf::expected<std::optional<own_key_row>> find_own_key(database& db, account_id owner) {
  if (owner == instance_actor)
    return find_instance_key(db);
  auto found = db.run("SELECT a.name, a.public_key, a.private_key, r.private_key, r.until"
                      " FROM account a LEFT JOIN retired_key r ON r.account_id = a.id"
                      " WHERE a.id = $1 AND a.host_id IS NULL"
                      " AND (a.deleted_at IS NULL OR a.private_key IS NOT NULL)",
                      {owner});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<own_key_row>{};
  const auto& row = found->rows[0];
  return std::optional{own_key_row{.name = row[0].text(),
                                   .pair = {row[1].text(), row[2].bytes()},
                                   .sealed_previous = row[3].bytes(),
                                   .previous_until = row[4].time()}};
}

caf::expected<std::optional<own_key_row>> store_first_key(database& db, account_id owner,
                                                          const key_pair_row& pair) {
  if (auto failure = owner == instance_actor ? store_instance_key(db, pair)
                                             : store_account_key(db, owner, pair))
    return failure;
  return find_own_key(db, owner);
}

caf::expected<known_signer> find_signer(database& db, const named_key& key) {
  auto signer = known_signer{};
  const auto blocked = is_host_blocked(db, key.host);
  if (!blocked)
    return blocked.error();
  signer.host_blocked = *blocked;
  if (signer.host_blocked)
    return signer;
  auto found =
      db.run("SELECT a.uri, a.key_id, a.public_key, a.suspended_at, h.name FROM account a"
             " JOIN host h ON h.id = a.host_id"
             " WHERE a.uri IN ($1, $2, $3) AND a.deleted_at IS NULL"
             " ORDER BY CASE WHEN a.key_id = $4 THEN 0 ELSE 1 END, a.id LIMIT 1",
             {key.actor, before_fragment(key.key_id), before_segment(key.key_id), key.key_id});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return signer;
  const auto& row = found->rows[0];
  signer.actor = row[0].text();
  signer.key_id = row[1].text();
  signer.pem = row[2].text();
  signer.suspended = !row[3].is_null();
  if (row[4].text() == key.host)
    return signer;
  const auto named = is_host_blocked(db, row[4].text());
  if (!named)
    return named.error();
  signer.host_blocked = *named;
  return signer;
}

caf::expected<bool> store_signer_key(database& db, const signer_key& key) {
  auto written = db.run("UPDATE account SET public_key = $2, key_id = $3 WHERE uri = $1"
                        " AND host_id IS NOT NULL AND deleted_at IS NULL"
                        " AND (public_key IS NULL OR public_key <> $2 OR key_id <> $3)",
                        {key.actor, key.pem, key.key_id});
  if (!written)
    return std::move(written.error());
  return written->rows_written > 0;
}

} // namespace trunkline
