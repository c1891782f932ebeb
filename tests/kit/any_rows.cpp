#include "tests/kit/any_rows.hpp"

#include "storage/catalogue_dialects.hpp"
#include "storage/sql_list.hpp"
#include "tests/kit/both_databases.hpp"

#include <array>
#include <limits>
#include <random>
#include <set>
#include <string>

namespace trunkline::kit {

namespace {

using namespace std::string_literals;

const auto numbers =
    std::to_array<std::int64_t>({std::numeric_limits<std::int64_t>::min(),
                                 std::numeric_limits<std::int64_t>::max(), 0, -1, 1, 1LL << 53});

/// What somebody might take for something else.
const auto texts = std::to_array<std::string>(
    {"", " ", "null", "\\xdeadbeef", "\\", "'; DROP TABLE post; --", "a\nb\tc\x01",
     "\xef\xbf\xbf \xf4\x8f\xbf\xbf", "e\xcc\x81 \xc3\xa9", "\xd8\xa7\xd9\x84 \xf0\x9d\x84\x9e",
     std::string(5'000, 'x')});

const auto blobs = std::to_array<std::string>(
    {""s, "\0"s, "\0\0\xff\xfe"s, "\\x00"s, "text"s, std::string(3'000, '\xff')});

class maker {
public:
  explicit maker(std::uint32_t seed) : chance_{seed} {}

  /// One value in three is an odd one; the others hardly ever come twice.
  sql_value value(column_kind kind, bool may_be_null) {
    if (may_be_null && below(3) == 0)
      return {};
    const auto is_odd = below(3) == 0;
    switch (kind) {
    case column_kind::number:
      return is_odd ? one_of(numbers) : static_cast<std::int64_t>(chance_());
    case column_kind::text:
      return is_odd ? one_of(texts) : "text " + std::to_string(chance_());
    case column_kind::bytes:
      return blob{is_odd ? one_of(blobs) : "bytes\0"s + std::to_string(chance_())};
    }
    return {};
  }

private:
  std::size_t below(std::size_t end) { return chance_() % end; }

  template <class List>
  typename List::value_type one_of(const List& list) {
    return list[below(list.size())];
  }

  std::mt19937_64 chance_;
};

std::set<std::string> columns_without_null(database& db, const std::string& table) {
  auto names = std::set<std::string>{};
  for (const auto& row :
       must(db.run("SELECT name FROM pragma_table_info($1) WHERE \"notnull\" = 1 OR pk > 0",
                   {table}))
           .rows)
    names.insert(row[0].text());
  return names;
}

void add_rows(database& db, const table_shape& table, maker& make, int rows) {
  const auto needed = columns_without_null(db, table.name);
  for (auto row = 0; row < rows; ++row) {
    auto values = sql_row{};
    for (const auto& column : table.columns)
      values.push_back(make.value(column.kind, !needed.contains(column.name)));
    must(db.run("INSERT OR IGNORE INTO " + table.name + " VALUES (" + parameters(1, values.size()) +
                    ")",
                values));
  }
}

} // namespace

void add_any_rows(database& db, std::uint32_t seed, int rows) {
  auto make = maker{seed};
  const auto tables = must(read_catalogue({db, sqlite_catalogue()}));
  must(db.transact([&](database& open) -> caf::error {
    for (const auto& table : tables)
      if (table.name != "schema_version")
        add_rows(open, table, make, rows);
    return {};
  }));
}

} // namespace trunkline::kit
