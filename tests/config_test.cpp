#include "engine/config.hpp"
#include "engine/config_rules.hpp"
#include "engine/node_federation.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace trunkline;

namespace {

/// A configuration file in a folder of its own, gone with the test.
struct config_file {
  std::string folder;
  std::string path;

  explicit config_file(const std::string& text) {
    auto pattern = (std::filesystem::temp_directory_path() / "trunkline-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    path = folder + "/trunkline.toml";
    std::ofstream{path} << text;
  }
  ~config_file() { std::filesystem::remove_all(folder); }
  config_file(const config_file&) = delete;
  config_file& operator=(const config_file&) = delete;

  caf::expected<effective_config> load(std::map<std::string, std::string> environment = {}) const {
    return load_config({path, std::move(environment), {}});
  }
};

const std::string minimal = "[server]\ndomain = \"example.org\"\n";

std::string refusal(const std::string& text) {
  const auto file = config_file{text};
  const auto config = file.load();
  REQUIRE_FALSE(config);
  auto message = context_of(config.error());
  // The folder is random: what is compared begins at the file's name.
  for (auto at = message.find(file.folder); at != std::string::npos; at = message.find(file.folder))
    message.erase(at, file.folder.size() + 1);
  return message;
}

} // namespace

TEST_CASE("a minimal file gives the documented defaults", "[config]") {
  const auto config = config_file{minimal}.load();
  REQUIRE(config);
  CHECK(config->values.server.url == "https://example.org");
  CHECK(config->values.server.listen == "127.0.0.1:3000");
  CHECK(config->values.admin.listen == "127.0.0.1:3001");
  CHECK(config->values.rate_limit.requests == 300);
  CHECK_FALSE(config->values.registrations.open);
  CHECK_FALSE(config->values.federation.authorized_fetch);
  CHECK(config->values.federation.name_servers.empty());
  CHECK_FALSE(config->values.test.enabled);
  CHECK(config->values.admin.socket == config->values.storage.folder + "/admin.sock");
  CHECK(config->values.secrets.key_file == config->values.storage.folder + "/secret.key");
}

TEST_CASE("everything wrong in a file is named with line, key and suggestion", "[config]") {
  CHECK(refusal(minimal + "listn = \"127.0.0.1:1\"\n") ==
        "trunkline.toml:3: server.listn: unknown setting; did you mean server.listen?");
  CHECK(refusal(minimal + "[storge]\nfolder = \"/x\"\n") ==
        "trunkline.toml:4: storge.folder: unknown setting; did you mean storage.folder?");
  CHECK(refusal(minimal + "listen = 3000\n") == "trunkline.toml:3: server.listen: must be a text");
  CHECK(refusal(minimal + "[storage]\nreaders = 65\n") ==
        "trunkline.toml:4: storage.readers: 65 is out of range: must be a whole number from 1 to "
        "64");
  CHECK(refusal(minimal + "[storage]\nreaders = \"4\"\n") ==
        "trunkline.toml:4: storage.readers: must be a whole number from 1 to 64");
  CHECK(refusal(minimal + "[storage]\nreaders = 4.0\n") ==
        "trunkline.toml:4: storage.readers: must be a whole number from 1 to 64");
  CHECK(refusal(minimal + "read_timeout = \"15\"\n") ==
        "trunkline.toml:3: server.read_timeout: must be a duration from 1s to 3600s, as \"30s\" "
        "(ms, s, m, h)");
  CHECK(refusal(minimal + "trusted_proxies = [1]\n") ==
        "trunkline.toml:3: server.trusted_proxies: must be a list of texts");
  CHECK(refusal(minimal + "listen = \"localhost:3000\"\n") ==
        "trunkline.toml:3: server.listen: must be an address and a port, as 127.0.0.1:3000 or "
        "[::1]:3000");
  for (const auto* server : {"192.0.2.53", "ns.example:53", "192.0.2.53:0"})
    CHECK(refusal(minimal + "[federation]\nname_servers = [\"" + server + "\"]\n") ==
          "trunkline.toml:4: federation.name_servers: '" + std::string{server} +
              "' is no address with a port, as 192.0.2.53:53");
  CHECK(refusal("[server]\nlisten = \"127.0.0.1:0\"\n") ==
        "server.domain: is required: the domain of all accounts, as example.org");
  CHECK(refusal(minimal + "domain = \"other.example\"\n").starts_with("trunkline.toml:3: "));
  CHECK(refusal("server = 1\n") == "trunkline.toml:1: server: unknown setting");
}

TEST_CASE("the program listens, an embedded node need not", "[config]") {
  CHECK(refusal(minimal + "listen = \"\"\n") ==
        "trunkline.toml:3: server.listen: is needed: without it nobody reaches this program; name "
        "an address and a port, as 127.0.0.1:3000");
  CHECK(refusal(minimal + "[admin]\nlisten = \"\"\n").find("admin.listen: is needed") !=
        std::string::npos);

  auto silent = default_config();
  silent.values.server.domain = "example.org";
  silent.values.server.listen.clear();
  silent.values.admin.listen.clear();
  auto program = silent;
  CHECK(code_of(complete_config(program, config_use::program)) == errc::config_invalid);
  CHECK_FALSE(complete_config(silent, config_use::embedded));
  CHECK(silent.values.server.url == "https://example.org");
  CHECK(silent.values.storage.folder.empty());
  CHECK(silent.values.admin.socket.empty());
  CHECK(silent.values.secrets.key_file.empty());
}

TEST_CASE("an embedded node has a socket where its admin API listens", "[config]") {
  auto config = default_config();
  config.values.server.domain = "example.org";
  config.values.storage.folder = "/data";
  auto closed = config;
  closed.values.admin.listen.clear();
  CHECK_FALSE(complete_config(config, config_use::embedded));
  CHECK(config.values.admin.socket == "/data/admin.sock");
  CHECK_FALSE(complete_config(closed, config_use::embedded));
  CHECK(closed.values.admin.socket.empty());
  CHECK(closed.values.secrets.key_file == "/data/secret.key");
}

TEST_CASE("all problems are told at once", "[config]") {
  CHECK(refusal(minimal + "a = 1\nb = 2\n") ==
        "trunkline.toml:3: server.a: unknown setting\ntrunkline.toml:4: server.b: unknown setting");
}

TEST_CASE("a domain is a lower-case host name", "[config]") {
  for (const auto* wrong : {"Example.org", "example.org.", "https://example.org", "example.org:80",
                            "-a.example", "exa mple", "a_b.example"}) {
    INFO(wrong);
    CHECK(refusal("[server]\ndomain = \"" + std::string{wrong} + "\"\n").find("lower-case") !=
          std::string::npos);
  }
}

TEST_CASE("the environment goes over the file and flags over both", "[config]") {
  const auto file = config_file{minimal + "listen = \"127.0.0.1:1\"\n"};
  const auto by_file = file.load();
  REQUIRE(by_file);
  CHECK(by_file->values.server.listen == "127.0.0.1:1");
  CHECK(by_file->source("server.listen") == file.path + ":3");
  CHECK(by_file->source("storage.readers") == "default");

  auto layers = config_layers{file.path, {{"TRUNKLINE_SERVER_LISTEN", "127.0.0.1:2"}}, {}};
  const auto by_environment = load_config(layers);
  REQUIRE(by_environment);
  CHECK(by_environment->values.server.listen == "127.0.0.1:2");
  CHECK(by_environment->source("server.listen") == "environment TRUNKLINE_SERVER_LISTEN");

  layers.flags = {{"server.listen", "127.0.0.1:3"}};
  const auto by_flag = load_config(layers);
  REQUIRE(by_flag);
  CHECK(by_flag->values.server.listen == "127.0.0.1:3");
  CHECK(by_flag->source("server.listen") == "flag --server.listen");
}

TEST_CASE("a value of the environment is checked like one of the file", "[config]") {
  const auto file = config_file{minimal};
  const auto wrong = file.load({{"TRUNKLINE_STORAGE_READERS", "many"}});
  REQUIRE_FALSE(wrong);
  CHECK(context_of(wrong.error()) == "environment TRUNKLINE_STORAGE_READERS: storage.readers: must "
                                     "be a whole number from 1 to 64");
  CHECK_FALSE(file.load({{"TRUNKLINE_REGISTRATIONS_OPEN", "yes"}}));
  CHECK_FALSE(file.load({{"TRUNKLINE_SERVER_LISTN", "127.0.0.1:1"}}));
  CHECK(file.load({{"TRUNKLINE_SERVICE_HOST", "10.0.0.1"}, {"TRUNKLINE_PORT", "tcp://x"}}));
}

TEST_CASE("test mode is set in the file only and bound to loopback", "[config]") {
  const auto file = config_file{minimal};
  const auto ignored = file.load({{"TRUNKLINE_TEST_ENABLED", "true"}});
  REQUIRE(ignored);
  CHECK_FALSE(ignored->values.test.enabled);
  CHECK_FALSE(load_config({file.path, {}, {{"test.enabled", "true"}}}));

  CHECK(config_file{minimal + "[test]\nenabled = true\n"}.load());
  const auto open = config_file{minimal + "listen = \"0.0.0.0:3000\"\n[test]\nenabled = true\n"};
  const auto refused = open.load();
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == errc::insecure);
  CHECK(refusal(minimal + "[admin]\nlisten = \"0.0.0.0:3001\"\nallow_remote = true\n[test]\n"
                          "enabled = true\n")
            .find("test.enabled: is refused") != std::string::npos);
}

TEST_CASE("an admin listener beyond loopback needs to be told twice", "[config]") {
  const auto once = config_file{minimal + "[admin]\nlisten = \"0.0.0.0:3001\"\n"}.load();
  REQUIRE_FALSE(once);
  CHECK(code_of(once.error()) == errc::insecure);
  CHECK(config_file{minimal + "[admin]\nlisten = \"0.0.0.0:3001\"\nallow_remote = true\n"}.load());
  CHECK(config_file{minimal + "[admin]\nlisten = \"[::1]:3001\"\n"}.load());
}

TEST_CASE("http in our own URL is for loopback and test mode", "[config]") {
  CHECK_FALSE(config_file{minimal + "url = \"http://example.org\"\n"}.load());
  CHECK(config_file{minimal + "url = \"http://127.0.0.1:3000\"\n"}.load());
  CHECK(config_file{minimal + "url = \"http://example.org\"\n[test]\nenabled = true\n"}.load());
  for (const auto* wrong : {"example.org", "https://example.org/", "https://u:p@example.org",
                            "https://example.org?x", "ftp://example.org"}) {
    INFO(wrong);
    CHECK_FALSE(config_file{minimal + "url = \"" + std::string{wrong} + "\"\n"}.load());
  }
}

namespace {

/// A configuration with which a node joins a cluster.
node_config named_node() {
  auto values = node_config{};
  values.server.domain = "example.org";
  values.server.url = "https://example.org";
  values.storage.postgres_url_file = "/a";
  values.cluster.node = "node-1";
  values.cluster.certificate_file = "/node-1.pem";
  values.cluster.key_file = "/node-1.key";
  values.cluster.authority_file = "/ca.pem";
  return values;
}

std::vector<std::string> broken_keys(const node_config& values) {
  auto keys = std::vector<std::string>{};
  for (const auto& problem : broken_rules(values))
    keys.push_back(problem.key);
  return keys;
}

using keys = std::vector<std::string>;
using cluster_settings = decltype(node_config::cluster);

} // namespace

TEST_CASE("a node with a name shares a PostgreSQL", "[config]") {
  const auto problems_of = [](const std::string& node, const std::string& url_file) {
    auto values = named_node();
    values.cluster.node = node;
    values.storage.postgres_url_file = url_file;
    return broken_keys(values);
  };
  CHECK(problems_of("", "").empty());
  CHECK(problems_of("node-1", "/a").empty());
  CHECK(problems_of("node-1", "") == keys{"cluster.node"});
  for (const auto* wrong : {"Node", "a b", "-a", "a-", "n.1", "\xc3\xa9"}) {
    INFO(wrong);
    CHECK(problems_of(wrong, "/a") == keys{"cluster.node"});
  }
  CHECK(problems_of(std::string(64, 'n'), "/a") == keys{"cluster.node"});
}

TEST_CASE("a node with a name needs a certificate, its key and a CA", "[config]") {
  for (auto cluster_settings::*file :
       {&cluster_settings::certificate_file, &cluster_settings::key_file,
        &cluster_settings::authority_file}) {
    auto values = named_node();
    (values.cluster.*file).clear();
    const auto problems = broken_rules(values);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().key.starts_with("cluster."));
    CHECK(problems.front().text.starts_with("is needed with cluster.node: "));
    CHECK(problems.front().text.ends_with("make-certificates.sh makes it"));
    values.cluster.node.clear();
    CHECK(broken_keys(values).empty());
  }
  auto values = named_node();
  values.cluster.certificate_file = values.cluster.key_file = values.cluster.authority_file = "";
  CHECK(broken_keys(values) ==
        keys{"cluster.certificate_file", "cluster.key_file", "cluster.authority_file"});
}

TEST_CASE("the files of a link are absolute paths", "[config]") {
  auto values = named_node();
  values.cluster.certificate_file = "node-1.pem";
  values.cluster.key_file = "./node-1.key";
  values.cluster.authority_file = "ca.pem";
  values.cluster.revoked_file = "revoked.pem";
  CHECK(broken_keys(values) == keys{"cluster.certificate_file", "cluster.key_file",
                                    "cluster.authority_file", "cluster.revoked_file"});
  values.cluster.node.clear(); // what is written down is right or wrong, used or not
  CHECK(broken_keys(values).size() == 4);
}

TEST_CASE("other nodes know where to find this one", "[config]") {
  const auto problems_of = [](const std::string& listen, const std::string& address) {
    auto values = named_node();
    values.cluster.listen = listen;
    values.cluster.address = address;
    return broken_keys(values);
  };
  CHECK(problems_of("10.0.0.1:3002", "").empty());
  CHECK(problems_of("127.0.0.1:0", "").empty());
  CHECK(problems_of("[fd00::1]:3002", "").empty());
  for (const auto* wrong : {"", "10.0.0.1", "node-1.internal:3002", "10.0.0.1:", "::1:3002"}) {
    INFO(wrong);
    CHECK(problems_of(wrong, "") == keys{"cluster.listen"});
  }
  for (const auto* everywhere : {"0.0.0.0:3002", "[::]:3002"}) {
    INFO(everywhere);
    CHECK(problems_of(everywhere, "") == keys{"cluster.address"});
    CHECK(problems_of(everywhere, "10.0.0.1:3002").empty());
    CHECK(problems_of(everywhere, "node-1.internal:3002").empty());
  }
  for (const auto* wrong : {"node-1.internal", "10.0.0.1", "10.0.0.1:0", "node-1.internal:none",
                            "https://node-1:3002", "a b:3002"}) {
    INFO(wrong);
    CHECK(problems_of("10.0.0.1:3002", wrong) == keys{"cluster.address"});
  }
  CHECK(problems_of("10.0.0.1:3002", "[fd00::1]:3002").empty());
}

TEST_CASE("every request to others may have a connection", "[config]") {
  const auto problems_of = [](std::int64_t in_flight, std::int64_t slow, std::int64_t connections) {
    auto values = node_config{};
    values.server.domain = "example.org";
    values.server.url = "https://example.org";
    values.delivery.in_flight_max = in_flight;
    values.delivery.slow_max = slow;
    values.delivery.connections_max = connections;
    return broken_rules(values);
  };
  CHECK(problems_of(1'024, 2'048, 8'192).empty());
  CHECK(problems_of(64, 64, 1'152).empty());
  const auto problems = problems_of(1'024, 2'048, 4'095);
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().key == "delivery.connections_max");
  CHECK(problems.front().text.starts_with("must be at least 4096"));
}

TEST_CASE("the budgets of requests keep the design's proportions", "[config]") {
  auto values = node_config{};
  const auto design = delivery_budget_limits{};
  const auto same = budget_limits(values);
  CHECK(same.healthy == design.healthy);
  CHECK(same.unproven == design.unproven);
  CHECK(same.retry == design.retry);
  CHECK(same.probe == design.probe);
  CHECK(same.slow == design.slow);
  CHECK(same.domain_fresh == design.domain_fresh);
  CHECK(same.domain_slow == design.domain_slow);

  values.delivery.in_flight_max = 64;
  values.delivery.slow_max = 65'536;
  const auto other = budget_limits(values);
  CHECK(other.healthy + other.unproven + other.retry + other.probe == 64);
  CHECK(other.unproven == 16);
  CHECK(other.probe == 4);
  CHECK(other.domain_fresh == 4);
  CHECK(other.slow == 65'536);
  CHECK(other.domain_slow == 4'096);
}

TEST_CASE("the printed configuration says where each value came from", "[config]") {
  const auto file = config_file{minimal};
  const auto config = file.load({{"TRUNKLINE_STORAGE_READERS", "9"}});
  REQUIRE(config);
  const auto text = print_config(*config);
  CHECK(text.find("domain = \"example.org\" # " + file.path + ":2\n") != std::string::npos);
  CHECK(text.find("readers = 9 # environment TRUNKLINE_STORAGE_READERS\n") != std::string::npos);
  CHECK(text.find("open = false # default\n") != std::string::npos);
  for (const auto& row : settings())
    CHECK(config->sources.contains(row.key));

  const auto again = config_file{text}.load();
  REQUIRE(again);
  CHECK(again->values.storage.readers == 9);
}

TEST_CASE("the sample file is a configuration", "[config]") {
  auto values = node_config{};
  values.server.domain = "example.org";
  values.storage.folder = "/a \"quoted\" folder";
  const auto config = config_file{sample_config(values)}.load();
  REQUIRE(config);
  CHECK(config->values.server.domain == "example.org");
  CHECK(config->values.storage.folder == values.storage.folder);
  CHECK(config->source("server.listen") == "default");
}

TEST_CASE("the page in docs is the table", "[config]") {
  auto page = std::ifstream{TRUNKLINE_SOURCE_DIR "/docs/configuration.md"};
  const auto text = std::string{std::istreambuf_iterator<char>{page}, {}};
  CHECK(text == configuration_page());
}

TEST_CASE("prefixes and listen addresses are literal", "[config]") {
  CHECK(is_address_prefix("10.0.0.0/8"));
  CHECK(is_address_prefix("::1"));
  CHECK_FALSE(is_address_prefix("10.0.0.0/33"));
  CHECK_FALSE(is_address_prefix("10.0.0/8"));
  CHECK_FALSE(is_address_prefix("localhost"));
  CHECK(parse_listen("[::1]:80")->loopback);
  CHECK_FALSE(parse_listen("0.0.0.0:80")->loopback);
  CHECK_FALSE(parse_listen("::1:80"));
  CHECK_FALSE(parse_listen("127.0.0.1:65536"));
  CHECK_FALSE(parse_listen("127.0.0.1:"));
}
