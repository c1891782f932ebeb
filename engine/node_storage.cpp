#include "engine/node_storage.hpp"

#include "actors/signing_work.hpp"
#include "engine/move_note.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "protocol/signing_key.hpp"
#include "storage/catalogue_dialects.hpp"
#include "storage/in_transaction.hpp"
#include "storage/key_store.hpp"
#include "storage/migrations.hpp"
#include "storage/move_marker.hpp"
#include "storage/node_store.hpp"
#include "storage/postgres_database.hpp"
#include "storage/role_timeouts.hpp"
#include "storage/sqlite_database.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>

namespace trunkline {

namespace {

constexpr std::size_t key_bytes = 32;

/// A node on its own: the first of what may become a cluster.
constexpr std::int64_t own_node = 1;
constexpr std::uint8_t own_slot = 0;

using opened = caf::expected<std::unique_ptr<database>>;

std::string url_of_embedder(const node_options& options) {
  return options.extensions && options.extensions->storage ? options.extensions->storage->url()
                                                           : "";
}

opened migrated(opened db) {
  if (!db)
    return db;
  if (auto failure = migrate(**db))
    return failure;
  return db;
}

caf::expected<node_databases> open_connections(opened writer, std::int64_t readers,
                                               const std::function<opened()>& reader) {
  if (!writer)
    return std::move(writer.error());
  auto out = node_databases{};
  out.writer = std::move(*writer);
  for (auto i = std::int64_t{0}; i < readers; ++i) {
    auto next = reader();
    if (!next)
      return std::move(next.error());
    out.readers.push_back(std::move(*next));
  }
  return out;
}

/// Every node has a name of its own, so that several live in one process.
caf::expected<node_databases> open_in_memory(std::int64_t readers) {
  const auto name = "trunkline-" + to_hex(random_bytes(16));
  return open_connections(migrated(open_sqlite_in_memory(name, sqlite_mode::writer)), readers,
                          [&] { return open_sqlite_in_memory(name, sqlite_mode::reader); });
}

caf::expected<node_databases> open_in_folder(const std::string& folder, std::int64_t readers) {
  if (auto refused = check_not_moved(folder))
    return refused;
  const auto file = folder + "/trunkline.db";
  return open_connections(migrated(open_sqlite(file, sqlite_mode::writer)), readers,
                          [&] { return open_sqlite(file, sqlite_mode::reader); });
}

void hang_up(int socket) {
  ::shutdown(socket, SHUT_RDWR);
}

opened usable(opened db) {
  if (!db)
    return db;
  if (auto refused = check_move_is_complete({**db, postgres_catalogue()}))
    return refused;
  return db;
}

caf::expected<node_databases> open_on_postgres(const std::string& url, std::int64_t readers,
                                               const postgres_options& sessions) {
  if (auto prepared = prepare_postgres(url); !prepared)
    return std::move(prepared.error());
  return open_connections(open_postgres(url, sessions), readers,
                          [&] { return open_postgres(url, sessions); });
}

/// Of who looks after no watch himself.
postgres_options watched_options() {
  auto options = serving_options();
  options.watch->begin();
  return options;
}

caf::expected<node_databases> open_named(const node_options& options,
                                         const std::optional<held_lease>& held) {
  const auto& storage = options.config.values.storage;
  if (lives_in_memory(options))
    return open_in_memory(storage.readers);
  const auto url = postgres_url_of(options);
  if (!url)
    return url.error();
  return url->empty()
             ? open_in_folder(storage.folder, storage.readers)
             : open_on_postgres(*url, storage.readers, held ? held->sessions : watched_options());
}

/// A node that shares its database with nobody.
caf::expected<joined_node> enter_alone(database& db, const wall_clock& clock) {
  const auto incarnation =
      start_node(db, {.id = own_node, .slot = own_slot, .joined_at = clock(), .lease_until = {}});
  if (!incarnation)
    return incarnation.error();
  return joined_node{.id = own_node, .slot = own_slot, .incarnation = *incarnation, .serves = true};
}

caf::error enter_node(node_databases& opened_now, const wall_clock& clock,
                      const std::optional<held_lease>& held) {
  const auto node =
      held ? caf::expected<joined_node>{held->node} : enter_alone(*opened_now.writer, clock);
  if (!node)
    return node.error();
  auto ids = open_id_source(*opened_now.writer, node->slot, clock);
  if (!ids)
    return std::move(ids.error());
  opened_now.incarnation = node->incarnation;
  opened_now.ids = std::move(*ids);
  if (held) {
    opened_now.fence = write_fence{.node = node->id, .incarnation = node->incarnation};
    opened_now.membership = held->membership;
    opened_now.serving = held->serving;
  }
  return {};
}

caf::error unusable(const std::string& file, int number) {
  return make_error(errc::config_invalid,
                    "secrets.key_file: " + file + ": " + std::generic_category().message(number));
}

/// Writes the whole key or nothing: a half-written one would lock the owner out of his keys.
caf::error make_key_file(const std::string& file) {
  const auto part = file + ".part";
  const auto descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return unusable(part, errno);
  const auto key = random_bytes(key_bytes);
  const auto written = ::write(descriptor, key.data(), key.size());
  const auto synced = ::fsync(descriptor);
  ::close(descriptor);
  if (written != static_cast<ssize_t>(key.size()) || synced != 0 ||
      ::rename(part.c_str(), file.c_str()) != 0)
    return unusable(file, errno);
  return {};
}

} // namespace

caf::expected<std::string> read_postgres_url(const std::string& file) {
  auto in = std::ifstream{file};
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  if (text.empty())
    return make_error(errc::config_invalid,
                      "storage.postgres_url_file: " + file + " cannot be read or is empty");
  return text;
}

bool lives_in_memory(const node_options& options) {
  return options.extensions && options.extensions->storage &&
         options.extensions->storage->what() == store::kind::memory;
}

caf::expected<std::string> postgres_url_of(const node_options& options) {
  const auto& file = options.config.values.storage.postgres_url_file;
  auto url = url_of_embedder(options);
  if (lives_in_memory(options) || !url.empty() || file.empty())
    return url;
  return read_postgres_url(file);
}

/// On a connection of its own, which waits.
caf::expected<std::vector<std::string>> prepare_postgres(const std::string& url) {
  const auto db = migrated(usable(open_postgres(url, {.lifts_timeouts = true})));
  if (!db)
    return db.error();
  return missing_role_timeouts(**db);
}

postgres_options serving_options() {
  return {.watch = std::make_shared<answer_watch>(hang_up)};
}

caf::expected<node_databases> open_databases(const node_options& options, const wall_clock& clock,
                                             const std::optional<held_lease>& held) {
  auto out = open_named(options, held);
  if (!out)
    return out;
  if (auto failure = enter_node(*out, clock, held))
    return failure;
  return out;
}

caf::error prepare_secret_key(const std::string& file) {
  struct stat facts = {};
  if (::stat(file.c_str(), &facts) != 0)
    return errno == ENOENT ? make_key_file(file) : unusable(file, errno);
  if (facts.st_size < static_cast<off_t>(key_bytes))
    return make_error(errc::config_invalid, "secrets.key_file: " + file +
                                                " is shorter than 32 "
                                                "bytes");
  if ((facts.st_mode & 077) != 0)
    return make_error(errc::insecure,
                      "secrets.key_file: " + file + " can be read by others; chmod 600 " + file);
  return {};
}

caf::error check_secret_key(database& db, const std::string& key) {
  auto own = find_own_key(db, instance_actor);
  if (own && *own && !(*own)->has_key())
    own = in_transaction<std::optional<own_key_row>>(db, [&](database& open) {
      return store_first_key(open, instance_actor, make_key(key).pair);
    });
  if (!own)
    return own.error();
  if (!*own || unseal(key, (*own)->pair.sealed_private))
    return {};
  return make_error(errc::config_invalid,
                    "secrets.key_file: is not the key that the keys in this database are encrypted "
                    "with; every node on the database needs the same file");
}

caf::expected<std::string> secret_key_of(const node_options& options) {
  if (lives_in_memory(options))
    return random_bytes(key_bytes);
  const auto& file = options.config.values.secrets.key_file;
  auto in = std::ifstream{file, std::ios::binary};
  auto key = std::string(key_bytes, '\0');
  if (!in.read(key.data(), static_cast<std::streamsize>(key.size())))
    return make_error(errc::config_invalid, "secrets.key_file: " + file + " cannot be read");
  return key;
}

} // namespace trunkline
