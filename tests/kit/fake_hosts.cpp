#include "kit/fake_hosts.hpp"

#include "actors/messages.hpp"

#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace trunkline::kit {

namespace {

caf::error not_here() {
  return make_error(errc::unavailable, "fake_hosts: only fetches are answered");
}

remote_host_handle::behavior_type table_of_hosts(remote_host_handle::pointer self,
                                                 std::shared_ptr<host_table> table) {
  return {
      [](const offer_units&) -> caf::result<void> { return not_here(); },
      [](const wake_host&) {},
      [table](const note_sign_of_life& note) { table->alive.push_back(to_name(note.host)); },
      [self, table](const fetch_document& wish) -> caf::result<fetched_document> {
        table->asked.push_back(wish);
        if (table->stalled.contains(wish.host.name)) {
          table->waiting.push_back(self->make_response_promise<fetched_document>());
          return table->waiting.back();
        }
        if (const auto failure = table->failures.find(wish.url); failure != table->failures.end())
          return failure->second;
        const auto page = table->pages.find(wish.url);
        return page == table->pages.end() ? fetched_document{.status = 404} : page->second;
      },
      [](const pause_host&) -> caf::result<void> { return not_here(); },
      [](const resume_host&) -> caf::result<void> { return not_here(); },
      [](const retry_host&) -> caf::result<void> { return not_here(); },
      [](const operate_host&) -> caf::result<operated_host> { return not_here(); },
      [](const list_queue&) -> caf::result<host_queue> { return not_here(); },
      [](const describe_host&) -> caf::result<host_report> { return not_here(); },
      [](const host_timer&) {},
      [](const exchange_ended&) {},
      [](const place_granted&) {},
  };
}

} // namespace

fake_hosts::fake_hosts(deterministic_system& actors)
    : region_{actors.spawn(table_of_hosts, table_)} {}

std::vector<std::string> fake_hosts::asked_urls() const {
  auto urls = std::vector<std::string>{};
  for (const auto& wish : table_->asked)
    urls.push_back(wish.url);
  return urls;
}

void fake_hosts::serve(const std::string& url, std::string body, std::string content_type) {
  table_->pages[url] = {.status = 200,
                        .headers = {{"content-type", std::move(content_type)}},
                        .body = std::move(body)};
}

void fake_hosts::redirect(const std::string& url, const std::string& location, int status) {
  table_->pages[url] = {.status = status, .headers = {{"location", location}}, .body = {}};
}

void fake_hosts::answer(const std::string& url, int status) {
  table_->pages[url] = {.status = status, .headers = {}, .body = {}};
}

} // namespace trunkline::kit
