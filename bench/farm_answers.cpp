#include "bench/farm_answers.hpp"

#include <array>
#include <ctime>
#include <fstream>
#include <sstream>

namespace trunkline::bench {

namespace {

std::string http_date(std::time_t at) {
  auto parts = std::tm{};
  ::gmtime_r(&at, &parts);
  auto text = std::array<char, 64>{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
  return text;
}

constexpr auto actor_form =
    R"({"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1"],)"
    R"("id":"ORIGIN/users/u","type":"Person","preferredUsername":"u","inbox":"ORIGIN/users/u/inbox",)"
    R"("outbox":"ORIGIN/users/u/outbox","followers":"ORIGIN/users/u/followers",)"
    R"("endpoints":{"sharedInbox":"ORIGIN/inbox"},"publicKey":{"id":"ORIGIN/users/u#main-key",)"
    R"("owner":"ORIGIN/users/u","publicKeyPem":"KEY"}})";
constexpr auto finger_form =
    R"({"subject":"acct:u@NAME","links":[{"rel":"self","type":"application/activity+json",)"
    R"("href":"ORIGIN/users/u"}]})";
constexpr auto collection_form =
    R"({"@context":"https://www.w3.org/ns/activitystreams","id":"ORIGINTARGET",)"
    R"("type":"OrderedCollection","totalItems":0,"orderedItems":[]})";
constexpr auto note_form =
    R"({"@context":"https://www.w3.org/ns/activitystreams","id":"ORIGINTARGET","type":"Note",)"
    R"("attributedTo":"ORIGIN/users/u","content":"<p>a note</p>","published":"2026-01-01T00:00:00Z",)"
    R"("to":["https://www.w3.org/ns/activitystreams#Public"]})";

/// Returns the form of what is at `target`; "" for nothing.
std::string_view form_of(std::string_view target) {
  if (target == "/users/u")
    return actor_form;
  if (target.starts_with("/.well-known/webfinger"))
    return finger_form;
  if (target == "/users/u/outbox" || target == "/users/u/followers")
    return collection_form;
  return target.starts_with("/notes/") ? std::string_view{note_form} : std::string_view{};
}

} // namespace

std::string http_answer(int status, std::string_view type, std::string_view body,
                        std::string_view more) {
  auto text = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  if (!body.empty())
    text.append("Content-Type: ").append(type).append("\r\n");
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append(more).append("\r\n").append(body);
}

std::string answer_of_get(const script_turn& turn, const std::string& document) {
  if (turn.status != 202)
    return answer_of_post(turn);
  return http_answer(document.empty() ? 404 : 200, "application/activity+json", document);
}

std::string answer_of_post(const script_turn& turn) {
  if (turn.retry_after == 0)
    return http_answer(turn.status, {}, {});
  const auto when = turn.retry_as_date ? http_date(std::time(nullptr) + turn.retry_after)
                                       : std::to_string(turn.retry_after);
  return http_answer(turn.status, {}, {}, "Retry-After: " + when + "\r\n");
}

std::string read_public_key(const std::string& file) {
  if (file.empty())
    return {};
  auto text = std::stringstream{};
  text << std::ifstream{file}.rdbuf();
  return replaced(text.str(), "\n", "\\n");
}

std::string document_of(std::string_view host, std::string_view target,
                        std::string_view public_key) {
  const auto form = form_of(target);
  if (form.empty())
    return {};
  auto text = replaced(std::string{form}, "ORIGIN", "http://" + std::string{host});
  text = replaced(std::move(text), "TARGET", target);
  text = replaced(std::move(text), "NAME", host);
  return replaced(std::move(text), "KEY", public_key);
}

} // namespace trunkline::bench
