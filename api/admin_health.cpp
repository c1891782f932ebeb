#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"

namespace trunkline {

namespace {

http_response text_answer(int status, std::string text) {
  auto answer = http_response{.status = status, .body = std::move(text)};
  answer.content_type = "text/plain; charset=utf-8";
  return answer;
}

bool is_named(const json_value& node, const std::string& name) {
  return *node.find("id")->as_string() == name || *node.find("name")->as_string() == name;
}

} // namespace

void show_livez(gateway_state&, const matched_request&, http_reply reply) {
  reply(text_answer(200, "ok\n"));
}

void show_readyz(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto verbose = ("&" + request.http.query + "&").find("&verbose") != std::string::npos;
  auto passed = true;
  auto text = std::string{};
  for (const auto& check : gateway.services->admin->readiness()) {
    passed = passed && check.passed;
    if (verbose || !check.passed)
      text += (check.passed ? "[+] " : "[-] ") + check.name +
              (check.detail.empty() ? "" : ": " + check.detail) + "\n";
  }
  reply(text_answer(passed ? 200 : 503, text + (passed ? "ok\n" : "not ready\n")));
}

void show_startupz(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto started = gateway.services->admin->started();
  reply(text_answer(started ? 200 : 503, started ? "ok\n" : "starting\n"));
}

void show_metrics(gateway_state& gateway, const matched_request&, http_reply reply) {
  auto answer = http_response{.status = 200, .body = gateway.services->admin->metrics()};
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply(std::move(answer));
}

void show_version(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& version = gateway.services->options.version;
  reply(admin_answer_of(200, {{"version", version},
                              {"client_api", "4.5.0 (compatible; Trunkline " + version + ")"},
                              {"compiler", __VERSION__}}));
}

void show_cluster(gateway_state& gateway, const matched_request&, http_reply reply) {
  reply(admin_answer_of(200, gateway.services->admin->cluster()));
}

void list_nodes(gateway_state& gateway, const matched_request&, http_reply reply) {
  reply(admin_answer_of(200, gateway.services->admin->nodes()));
}

void show_node(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto all = gateway.services->admin->nodes();
  for (const auto& node : *all.find("nodes")->as_array())
    if (is_named(node, request.segment()))
      return reply(admin_answer_of(200, *node.as_object()));
  reply(gateway.flavour.error(
      make_error(errc::not_found, "node '" + request.segment() + "': not found")));
}

} // namespace trunkline
