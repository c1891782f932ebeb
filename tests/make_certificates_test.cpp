// The script by which an operator makes the certificates of a cluster.

#include "net/node_pipes.hpp"
#include "tests/kit/pipe_node.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <sys/stat.h>

using namespace trunkline;
using namespace trunkline::kit;

namespace {

using std::string;

/// Runs the script with `arguments`, as a shell reads them; returns its code and what it said.
std::pair<int, string> make_certificates(const string& arguments, const string& before = "") {
  const auto command = before + " " + TRUNKLINE_SOURCE_DIR "/cluster-config/make-certificates.sh " +
                       arguments + " 2>&1";
  auto* out = ::popen(command.c_str(), "r");
  string said;
  for (int letter = std::fgetc(out); letter != EOF; letter = std::fgetc(out))
    said += static_cast<char>(letter);
  return {WEXITSTATUS(::pclose(out)), said};
}

std::set<string> names_in(const string& folder) {
  std::set<string> names;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    names.insert(entry.path().filename().string());
  return names;
}

string read(const string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

node_pipe_files files_in(const string& folder, const string& name) {
  return {.certificate = folder + "/" + name + ".pem",
          .key = folder + "/" + name + ".key",
          .authority = folder + "/ca.pem",
          .revoked = ""};
}

string output_of(const string& command) {
  auto* out = ::popen((command + " 2>&1").c_str(), "r");
  string said;
  for (int letter = std::fgetc(out); letter != EOF; letter = std::fgetc(out))
    said += static_cast<char>(letter);
  ::pclose(out);
  return said;
}

} // namespace

TEST_CASE("the script's certificates open pipes, also renewed ones", "[certificates]") {
  temporary_folder parent;
  const auto folder = parent.path + "/of $a cluster"; // made by the script
  const auto quoted = "'" + folder + "'";
  auto [code, said] = make_certificates(quoted + " n1 n2");
  INFO(said);
  REQUIRE(code == 0);
  CHECK(said.find("for the node n2 alone") != string::npos);
  CHECK(names_in(folder) ==
        std::set<string>{"ca.key", "ca.pem", "n1.key", "n1.pem", "n2.key", "n2.pem"});
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    CHECK(entry.status().permissions() == std::filesystem::perms{0600});

  pipe_node one{pipe_options("n1", files_in(folder, "n1"))};
  pipe_node two{pipe_options("n2", files_in(folder, "n2"))};
  one.dial(two);
  one.take();
  const auto authority = read(folder + "/ca.pem");
  const auto former = read(folder + "/n1.key");
  REQUIRE(make_certificates(quoted + " n1").first == 0);
  CHECK(read(folder + "/ca.pem") == authority);
  CHECK(read(folder + "/n1.key") != former);
  REQUIRE(!one->reload());
  one.dial(two);
  one.take();
}

TEST_CASE("a certificate says what it is for, and until when", "[certificates]") {
  temporary_folder folder;
  REQUIRE(make_certificates(folder.path + " n-1", "DAYS=3").first == 0);
  const auto text = output_of("openssl x509 -noout -text -in " + folder.path + "/n-1.pem");
  INFO(text);
  for (const auto* part : {"DNS:n-1", "CA:FALSE", "Digital Signature", "TLS Web Server",
                           "TLS Web Client", "prime256v1"})
    CHECK(text.find(part) != string::npos);
  const auto ends_within = [&](const string& days) {
    return output_of("openssl x509 -noout -checkend $((" + days + "*86400)) -in " + folder.path +
                     "/n-1.pem")
               .find("will expire") != string::npos;
  };
  CHECK(!ends_within("2"));
  CHECK(ends_within("4"));
  const auto authority = output_of("openssl x509 -noout -text -in " + folder.path + "/ca.pem");
  CHECK(authority.find("CA:TRUE, pathlen:0") != string::npos);
}

TEST_CASE("who is revoked comes back with a new certificate alone", "[certificates]") {
  temporary_folder folder;
  const auto& path = folder.path;
  REQUIRE(make_certificates(path + " n1 n2").first == 0);
  auto options = pipe_options("n1", files_in(path, "n1"));
  options.files.revoked = path + "/revoked.pem";
  for (int again = 0; again < 2; ++again) {
    const auto [code, said] = make_certificates("--revoke " + path + " n2");
    INFO(said);
    REQUIRE(code == 0);
  }
  CHECK(names_in(path) == std::set<string>{"ca.key", "ca.pem", "n1.key", "n1.pem", "n2.key",
                                           "n2.pem", "revoked.index", "revoked.pem"});
  pipe_node one{options};
  {
    pipe_node two{pipe_options("n2", files_in(path, "n2"))};
    two.dial(one);
    CHECK(one.await("refused 127.0.0.1: ").find("revoked") != string::npos);
  }
  REQUIRE(make_certificates(path + " n2").first == 0);
  REQUIRE(make_certificates("--revoke " + path + " n1").first == 0); // the list keeps n2's former
  pipe_node two{pipe_options("n2", files_in(path, "n2"))};
  two.dial(one);
  two.take();
  const auto list = output_of("openssl crl -noout -text -in " + path + "/revoked.pem");
  CHECK(list.find("Serial Number") != list.rfind("Serial Number"));
}

TEST_CASE("the script refuses what it cannot do, and leaves nothing behind", "[certificates]") {
  temporary_folder folder;
  const auto& path = folder.path;
  for (const auto* name : {"N1", "n_1", "a.b", "../n1", "-n", "n-", "''", "ca", "revoked",
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    CAPTURE(name);
    CHECK(make_certificates(path + " n1 " + name).first == 1);
  }
  CHECK(make_certificates("").first == 64);
  CHECK(make_certificates(path).first == 64);
  CHECK(make_certificates("--revoke " + path).first == 64);
  CHECK(make_certificates(path + " n1", "DAYS=x").first == 1);
  CHECK(make_certificates("--revoke " + path + " n1").first == 1);
  CHECK(names_in(path).empty());

  std::ofstream{path + "/ca.pem"} << "half of it";
  CHECK(make_certificates(path + " n1").first == 1);
  CHECK(names_in(path) == std::set<string>{"ca.pem"});
  std::ofstream{path + "/ca.key"} << "no key";
  const auto [code, said] = make_certificates(path + " n1");
  CHECK(code == 1);
  CHECK(!said.empty());
  CHECK(names_in(path) == std::set<string>{"ca.key", "ca.pem"});
}
