/// How each kind of database is asked about its tables, and where one of them is.
#pragma once

#include "storage/table_catalogue.hpp"

#include <string>

namespace trunkline {

const catalogue_dialect& sqlite_catalogue();

/// Of the tables in the schema in which new ones are made.
const catalogue_dialect& postgres_catalogue();

/// Returns where `db`, a PostgreSQL, is, for people and without secrets: `the PostgreSQL database
/// "trunkline" at 192.0.2.7:5432`, or `... on this machine`.
caf::expected<std::string> place_of_postgres(database& db);

} // namespace trunkline
