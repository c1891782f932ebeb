#include "storage/profile_store.hpp"

#include "storage/remote_json.hpp"

#include <utility>

namespace trunkline {

namespace {

caf::error not_found() {
  return make_error(errc::not_found, "Record not found");
}

} // namespace

caf::expected<own_profile> find_profile(database& db, account_id id) {
  const auto found =
      db.run("SELECT display_name, note, locked, bot, discoverable, fields, default_visibility,"
             " default_sensitive, default_language, aliases FROM account"
             " WHERE id = $1 AND host_id IS NULL AND deleted_at IS NULL",
             {id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return not_found();
  const auto& row = found->rows[0];
  return own_profile{.display_name = row[0].text(),
                     .note = row[1].text(),
                     .locked = row[2].flag(),
                     .bot = row[3].flag(),
                     .discoverable = row[4].flag(),
                     .fields_json = row[5].text(),
                     .default_visibility = static_cast<visibility>(row[6].integer()),
                     .default_sensitive = row[7].flag(),
                     .default_language = row[8].text(),
                     .aliases = read_json_texts(row[9].text())};
}

caf::error store_profile(database& db, account_id id, const own_profile& profile) {
  return error_of(db.run(
      "UPDATE account SET display_name = $2, note = $3, locked = $4, bot = $5,"
      " discoverable = $6, fields = $7, default_visibility = $8, default_sensitive = $9,"
      " default_language = $10, aliases = $11 WHERE id = $1 AND host_id IS NULL",
      {id, profile.display_name, profile.note, profile.locked, profile.bot, profile.discoverable,
       profile.fields_json, static_cast<std::int64_t>(profile.default_visibility),
       profile.default_sensitive, profile.default_language, to_json_texts(profile.aliases)}));
}

caf::expected<bool> replace_key(database& db, account_id id, const key_pair_row& key,
                                time_point now) {
  const auto found = db.run("SELECT public_key, private_key FROM account"
                            " WHERE id = $1 AND host_id IS NULL",
                            {id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return not_found();
  const auto& old = found->rows[0];
  if (old[0].text() == key.public_pem)
    return false;
  if (!old[1].is_null())
    if (auto failure = error_of(
            db.run("INSERT INTO retired_key(account_id, private_key, until) VALUES ($1, $2, $3)"
                   " ON CONFLICT (account_id) DO UPDATE SET"
                   " private_key = excluded.private_key, until = excluded.until",
                   {id, old[1], now + retired_key_kept})))
      return failure;
  if (auto failure =
          error_of(db.run("UPDATE account SET public_key = $2, private_key = $3 WHERE id = $1",
                          {id, key.public_pem, blob{key.sealed_private}})))
    return failure;
  return true;
}

caf::expected<std::int64_t> purge_retired_keys(database& db, time_point now, std::size_t limit) {
  auto removed = db.run("DELETE FROM retired_key WHERE account_id IN (SELECT account_id"
                        " FROM retired_key WHERE until <= $1 LIMIT $2)",
                        {now, static_cast<std::int64_t>(limit)});
  if (!removed)
    return std::move(removed.error());
  return removed->rows_written;
}

caf::expected<move_facts> find_move(database& db, account_id id) {
  const auto found = db.run("SELECT moved_to, moved_at, aliases FROM account"
                            " WHERE id = $1 AND deleted_at IS NULL",
                            {id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return not_found();
  const auto& row = found->rows[0];
  return move_facts{.moved_to = row[0].id<account_id>(),
                    .moved_at = row[1].optional_time(),
                    .aliases = read_json_texts(row[2].text())};
}

caf::error store_move(database& db, account_id id, account_id target, time_point now) {
  return error_of(
      db.run("UPDATE account SET moved_to = $2, moved_at = $3 WHERE id = $1", {id, target, now}));
}

} // namespace trunkline
