// Walks every include of the tree: who may include whom, and where a library may appear.

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// Which of our folders a folder may include, itself always.
const std::map<std::string, std::set<std::string>> arrows = {
    {"include", {}},
    {"protocol", {}},
    {"storage", {"protocol"}},
    {"net", {"protocol"}},
    {"actors", {"storage", "net", "protocol", "trunkline"}},
    {"api", {"actors", "net", "protocol", "trunkline"}},
    {"engine", {"api", "actors", "storage", "net", "protocol", "trunkline"}},
};

/// Where a library's headers may appear: beginnings of paths, and whether a header of ours may.
struct library {
  std::string prefix;
  std::vector<std::string> places;
  bool in_headers = false;
};

const std::vector<library> libraries = {
    {"sqlite3.h", {"storage/"}},
    {"pqxx/", {"storage/"}},
    {"libpq-fe.h", {"storage/"}},
    {"boost/json", {"protocol/json.cpp"}},
    {"boost/url", {"protocol/"}},
    {"boost/", {"net/"}, true},
    {"openssl/", {"net/", "protocol/"}},
    {"argon2.h", {"protocol/"}},
    {"idn2.h", {"protocol/"}},
    {"utf8proc.h", {"protocol/"}},
    {"gumbo.h", {"protocol/"}},
    {"libpsl.h", {"protocol/"}},
    {"ares.h", {"net/"}},
    {"zlib.h", {"net/", "tests/"}},
    {"toml++/", {"engine/"}},
    {"CLI/", {"engine/"}},
    {"spdlog/", {"engine/"}},
    {"prometheus/", {"engine/"}},
    {"cereal/", {"actors/"}, true},
    {"caf/error.hpp", {"protocol/", "storage/", "net/", "actors/", "api/", "engine/"}, true},
    {"caf/expected.hpp", {"protocol/", "storage/", "net/", "actors/", "api/", "engine/"}, true},
    // The one place that makes CAF's errors and reads them.
    {"caf/", {"actors/", "api/", "engine/", "protocol/errc.cpp"}, true},
    {"sys/", {"net/", "engine/", "protocol/"}, true},
    {"netinet/", {"net/"}, true},
    {"arpa/", {"net/", "api/", "engine/", "protocol/ip_address.cpp"}},
};

bool is_header(const std::string& file) {
  return file.ends_with(".hpp");
}

bool begins_with_any(const std::string& text, const std::vector<std::string>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](const auto& beginning) { return text.starts_with(beginning); });
}

/// A header of the C or C++ library or of POSIX: a bare name.
bool is_standard(const std::string& included) {
  return included.find('/') == std::string::npos;
}

std::optional<std::string> refuse_ours(const std::string& file, const std::string& included) {
  const auto folder = file.substr(0, file.find('/'));
  const auto target = included.substr(0, included.find('/'));
  if (target == folder || (folder == "include" && target == "trunkline") ||
      arrows.at(folder).contains(target))
    return std::nullopt;
  return file + " may not include " + included;
}

std::optional<std::string> refuse_library(const std::string& file, const std::string& included) {
  const auto found = std::find_if(libraries.begin(), libraries.end(), [&](const auto& row) {
    return included.starts_with(row.prefix);
  });
  const auto is_posix = included.ends_with(".h");
  if (found == libraries.end())
    return is_standard(included) && (!is_posix || !file.starts_with("include/"))
               ? std::nullopt
               : std::optional{file + ": no library of ours has " + included};
  if (!begins_with_any(file, found->places))
    return file + " is no place for " + included;
  if (is_header(file) && !found->in_headers)
    return file + " is a header, and " + included + " belongs into a source file";
  return std::nullopt;
}

/// What is wrong with `file` (relative to the tree) including `included`, as written.
std::optional<std::string> refuse(const std::string& file, const std::string& included, bool ours) {
  return ours ? refuse_ours(file, included) : refuse_library(file, included);
}

std::vector<std::string> files_of_ours() {
  auto files = std::vector<std::string>{};
  const auto root = fs::path{TRUNKLINE_SOURCE_DIR};
  for (const auto& [folder, allowed] : arrows)
    for (const auto& entry : fs::recursive_directory_iterator{root / folder})
      if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
        files.push_back(fs::relative(entry.path(), root).string());
  return files;
}

std::string read(const std::string& file) {
  auto in = std::ifstream{fs::path{TRUNKLINE_SOURCE_DIR} / file};
  auto text = std::ostringstream{};
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> problems_of(const std::string& file) {
  static const auto include = std::regex{R"re(#\s*include\s+(["<])([^">]+)[">])re"};
  auto problems = std::vector<std::string>{};
  const auto text = read(file);
  for (auto at = std::sregex_iterator{text.begin(), text.end(), include};
       at != std::sregex_iterator{}; ++at)
    if (auto problem = refuse(file, (*at)[2], (*at)[1] == "\""))
      problems.push_back(*problem);
  return problems;
}

} // namespace

TEST_CASE("no include goes against the arrows", "[layering]") {
  const auto files = files_of_ours();
  REQUIRE(files.size() > 100);
  for (const auto& file : files)
    for (const auto& problem : problems_of(file))
      FAIL_CHECK(problem);
}

TEST_CASE("the walk refuses what it should", "[layering]") {
  CHECK(refuse("api/a.cpp", "storage/database.hpp", true));
  CHECK(refuse("net/a.cpp", "storage/database.hpp", true));
  CHECK(refuse("storage/a.cpp", "net/http_types.hpp", true));
  CHECK(refuse("protocol/a.cpp", "actors/ticket.hpp", true));
  CHECK(refuse("actors/a.cpp", "api/route.hpp", true));
  CHECK(refuse("include/trunkline/a.hpp", "protocol/ids.hpp", true));
  CHECK(refuse("include/trunkline/a.hpp", "caf/error.hpp", false));
  CHECK(refuse("include/trunkline/a.hpp", "unistd.h", false));
  CHECK(refuse("protocol/a.cpp", "caf/actor.hpp", false));
  CHECK(refuse("storage/a.hpp", "sqlite3.h", false));
  CHECK(refuse("actors/a.cpp", "sqlite3.h", false));
  CHECK(refuse("api/a.cpp", "boost/json.hpp", false));
  CHECK(refuse("protocol/crypto.cpp", "boost/json.hpp", false));
  CHECK(refuse("storage/a.cpp", "openssl/evp.h", false));
  CHECK(refuse("engine/a.cpp", "nlohmann/json.hpp", false));
  CHECK_FALSE(refuse("engine/a.cpp", "storage/database.hpp", true));
  CHECK_FALSE(refuse("api/a.cpp", "trunkline/version.hpp", true));
  CHECK_FALSE(refuse("storage/a.hpp", "caf/expected.hpp", false));
  CHECK_FALSE(refuse("storage/a.cpp", "sqlite3.h", false));
  CHECK_FALSE(refuse("net/a.hpp", "boost/asio/io_context.hpp", false));
}

// Two types of one name in two folders link without a word, and break the program. Specialisations
// are no types of their own.
TEST_CASE("a type's name is given once", "[layering]") {
  static const auto type = std::regex{
      R"re((?:^|\n)(?:class|struct|enum class) (?:TRUNKLINE_API |\[\[nodiscard\]\] )?(\w+)(?!\w|::|<)[^;{]*\{)re"};
  auto homes = std::map<std::string, std::string>{};
  for (const auto& file : files_of_ours()) {
    if (!is_header(file))
      continue;
    const auto text = read(file);
    for (auto at = std::sregex_iterator{text.begin(), text.end(), type};
         at != std::sregex_iterator{}; ++at) {
      const auto [home, is_new] = homes.emplace((*at)[1], file);
      INFO((*at)[1] << " is in " << home->second << " and in " << file);
      CHECK((is_new || home->second == file));
    }
  }
  CHECK(homes.size() > 100);
}

TEST_CASE("a header begins with what it is and is guarded", "[layering]") {
  for (const auto& file : files_of_ours()) {
    if (!is_header(file))
      continue;
    const auto text = read(file);
    INFO(file);
    CHECK(text.starts_with("/// "));
    CHECK(text.find("\n#pragma once\n") != std::string::npos);
  }
}

// Where nothing is precompiled this shows that the header compiles alone, and nothing else does.
TEST_CASE("a source begins with its own header", "[layering]") {
  auto seen = 0;
  for (const auto& file : files_of_ours()) {
    const auto is_plain =
        file.starts_with("net/") || file.starts_with("protocol/") || file.starts_with("storage/");
    if (is_header(file) || !is_plain)
      continue;
    const auto header = file.substr(0, file.size() - 4) + ".hpp";
    if (!std::filesystem::exists(std::string{TRUNKLINE_SOURCE_DIR} + "/" + header))
      continue;
    ++seen;
    const auto text = read(file);
    const auto first = text.find("#include ");
    INFO(file);
    CHECK(text.substr(first, text.find('\n', first) - first) == "#include \"" + header + "\"");
  }
  CHECK(seen > 100);
}

TEST_CASE("a source file has at most 400 lines, a header 200", "[layering]") {
  // Lists, which grow with what they list, and one template that has no source file to move to.
  const auto longer = std::set<std::string>{"actors/account_messages.hpp", "actors/messages.hpp",
                                            "actors/shard_region.hpp", "protocol/entities.cpp",
                                            "storage/schema_v1.hpp"};
  for (const auto& file : files_of_ours()) {
    const auto text = read(file);
    const auto lines = std::count(text.begin(), text.end(), '\n');
    INFO(file << " has " << lines);
    CHECK((lines <= (is_header(file) ? 200 : 400) || longer.contains(file)));
  }
}

TEST_CASE("there is no note of work left undone", "[layering]") {
  const auto mark = std::string{"TO"} + "DO";
  for (const auto& file : files_of_ours())
    CHECK(read(file).find(mark) == std::string::npos);
}
