#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/config.hpp"
#include "engine/folder_lock.hpp"
#include "engine/folder_move.hpp"
#include "engine/node_storage.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "storage/catalogue_dialects.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres_database.hpp"
#include "storage/sqlite_database.hpp"

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t digest_letters = 16; // shown
constexpr auto name_width = 22;
constexpr auto rows_width = 12;

/// What the command line and the configuration name.
struct move_paths {
  std::string config_file;
  std::string folder;
  std::string database_file;
  std::string url_file;
  std::string key_file;
};

caf::expected<move_paths> paths_of(const move_command& command) {
  const auto file = command.config_file.empty() ? default_config_file() : command.config_file;
  const auto config = load_config({file, process_environment(), {}});
  if (!config)
    return config.error();
  const auto& values = config->values;
  auto paths = move_paths{.config_file = file,
                          .folder = values.storage.folder,
                          .database_file = values.storage.folder + "/trunkline.db",
                          .url_file = values.storage.postgres_url_file,
                          .key_file = values.secrets.key_file};
  if (!command.postgres_url_file.empty())
    paths.url_file = std::filesystem::absolute(command.postgres_url_file).lexically_normal();
  if (paths.url_file.empty())
    return make_error(errc::config_invalid, "storage.postgres_url_file: names no PostgreSQL to move"
                                            " to; name one there or with --postgres-url-file FILE");
  if (!std::filesystem::exists(paths.database_file))
    return make_error(errc::not_found, paths.database_file +
                                           ": is not there; storage.folder must name the folder of"
                                           " the node that is to be moved");
  return paths;
}

/// Everything that a move needs. A dry run goes without the lock of a node that runs.
struct open_move {
  move_paths paths;
  std::optional<folder_lock> lock;
  std::unique_ptr<database> source; ///< Cannot write.
  std::unique_ptr<database> target;
  std::string place;

  folder_move order() const {
    return {.folder = paths.folder,
            .place = place,
            .source = {*source, sqlite_catalogue()},
            .target = {*target, postgres_catalogue()}};
  }
};

caf::error lock_folder(open_move& move) {
  auto lock = folder_lock::take(move.paths.folder);
  if (lock) {
    move.lock = std::move(*lock);
    return {};
  }
  if (code_of(lock.error()) != errc::already_running)
    return std::move(lock.error());
  return make_error(errc::already_running,
                    context_of(lock.error()) + ": stop the node, then run this again");
}

caf::error open_target(open_move& move) {
  const auto url = read_postgres_url(move.paths.url_file);
  if (!url)
    return url.error();
  auto target = open_postgres(*url, {.lifts_timeouts = true});
  if (!target)
    return std::move(target.error());
  const auto place = place_of_postgres(**target);
  if (!place)
    return place.error();
  move.target = std::move(*target);
  move.place = *place + ", whose URL is in " + move.paths.url_file;
  return {};
}

caf::error open_source(open_move& move) {
  auto source = open_sqlite(move.paths.database_file, sqlite_mode::reader);
  if (!source)
    return std::move(source.error());
  move.source = std::move(*source);
  return {};
}

/// Brings the folder's database to the newest schema, as a start would.
caf::error update_source(open_move& move) {
  move.source.reset();
  {
    const auto writer = open_sqlite(move.paths.database_file, sqlite_mode::writer);
    if (!writer)
      return writer.error();
    if (auto failure = migrate(**writer))
      return failure;
  }
  return open_source(move);
}

void print_table(const moved_table& table) {
  std::cout << std::left << std::setw(name_width) << table.name << std::right
            << std::setw(rows_width) << table.rows << " rows  "
            << to_hex(table.digest).substr(0, digest_letters) << std::endl;
}

void print_next_steps(const move_paths& paths) {
  const auto has_key = std::filesystem::exists(paths.key_file);
  std::cout << "\nThe move is complete. " << paths.folder
            << " is closed: `trunkline run` refuses to start from its database.\nNext:\n"
            << "  1. Keep " << paths.key_file
            << " (secrets.key_file), and give it to every node of the\n     cluster: the keys in"
               " the database are encrypted with it.\n"
            << (has_key ? "" : "     IT IS NOT THERE: without it nothing can be signed.\n")
            << "  2. Write under [storage] of " << paths.config_file
            << ":\n     postgres_url_file = " << quote_toml(paths.url_file)
            << "\n  3. Start it: trunkline run --config " << paths.config_file
            << "\nTo come back, stop it and remove that line and " << paths.folder
            << "/moved_to: what was\nwritten to PostgreSQL by then is not in the folder.\n";
}

int show_plan(open_move& move) {
  if (!move.lock)
    std::cout << "the node runs: it must be stopped before the move\n";
  const auto stage = stage_of(move.order());
  if (!stage)
    return refuse(stage.error());
  const auto tables = count_tables(move.order().source);
  if (!tables)
    return refuse(tables.error());
  for (const auto& table : *tables)
    print_table(table);
  std::cout << "from " << move.paths.folder << " to " << move.place << ", which "
            << (*stage == move_stage::not_begun    ? "is empty"
                : *stage == move_stage::unfinished ? "holds a part of this move"
                                                   : "holds all of it: the move is complete")
            << "\nnothing was changed\n";
  return 0;
}

void print_beginning(const open_move& move, move_stage stage) {
  std::cout
      << "moving " << move.paths.folder << " to " << move.place
      << (stage == move_stage::not_begun ? "\n" : ", which was begun before\n")
      << "What stops this loses nothing: run it again, and it goes on. Each table is shown when"
         " it is the\nsame on both sides.\n"
      << std::endl;
}

int move_all(open_move& move) {
  const auto stage = stage_of(move.order());
  if (!stage)
    return refuse(stage.error());
  if (*stage != move_stage::complete) {
    if (auto failure = update_source(move))
      return refuse(failure);
    print_beginning(move, *stage);
  }
  if (auto failure = finish(move.order(), print_table)) {
    std::cerr << "trunkline: the move is not complete; until it is, neither side starts a node\n";
    return refuse(failure);
  }
  print_next_steps(move.paths);
  return 0;
}

} // namespace

int run(const move_command& command) {
  auto paths = paths_of(command);
  if (!paths)
    return refuse(paths.error());
  auto move =
      open_move{.paths = std::move(*paths), .lock = {}, .source = {}, .target = {}, .place = {}};
  if (auto failure = lock_folder(move))
    if (!command.dry_run || code_of(failure) != errc::already_running)
      return refuse(failure);
  if (auto failure = open_target(move))
    return refuse(failure);
  if (auto failure = open_source(move))
    return refuse(failure);
  return command.dry_run ? show_plan(move) : move_all(move);
}

} // namespace trunkline
