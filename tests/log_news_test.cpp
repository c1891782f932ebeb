#include "actors/log_news.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace trunkline;

namespace {

struct news_fixture {
  struct telling {
    std::string node;
    log_seq upto = 0;
    peer_reply reply;
  };

  std::vector<std::string> nodes = {"n2"};
  std::vector<telling> told;
  log_news news{{.others = [this] { return nodes; },
                 .ask =
                     [this](const std::string& node, ask_peer question) {
                       CHECK(question.topic == link_topic::log_news);
                       told.push_back({node, *decode_seq(question.body), question.reply});
                     }}};
};

} // namespace

TEST_CASE("a node is told one thing at a time, and then the newest", "[log_news]") {
  auto at = news_fixture{};
  at.news.tell(7);
  at.news.tell(8);
  at.news.tell(9);
  REQUIRE(at.told.size() == 1);
  CHECK(at.told[0].upto == 7);
  at.told[0].reply(std::string{});
  REQUIRE(at.told.size() == 2);
  CHECK(at.told[1].upto == 9);
  at.told[1].reply(std::string{});
  CHECK(at.told.size() == 2);
  at.news.tell(9); // nothing new
  CHECK(at.told.size() == 2);
}

TEST_CASE("a node that cannot be told is not told again before there is more", "[log_news]") {
  auto at = news_fixture{};
  at.news.tell(7);
  at.news.tell(8);
  at.told[0].reply(make_error(errc::unavailable, "down"));
  CHECK(at.told.size() == 1);
  at.news.tell(9);
  REQUIRE(at.told.size() == 2);
  CHECK(at.told[1].upto == 9);
}

TEST_CASE("each node is told for itself", "[log_news]") {
  auto at = news_fixture{};
  at.nodes = {"n2", "n3"};
  at.news.tell(7);
  REQUIRE(at.told.size() == 2);
  at.told[1].reply(std::string{});
  at.news.tell(8);
  REQUIRE(at.told.size() == 3);
  CHECK(at.told[2].node == "n3");
}
