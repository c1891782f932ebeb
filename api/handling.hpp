/// What handlers share: reading parameters, asking storage and regions, answering.
#pragma once

#include "actors/queries_lists.hpp"
#include "actors/tasks.hpp"
#include "api/errors.hpp"
#include "api/gateway.hpp"
#include "api/route.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace trunkline {

/// Reads parameters one by one and keeps the first failure: a handler looks at it once.
class param_reader {
public:
  explicit param_reader(const request_params& params) : params_{params} {}

  /// Each returns nothing when the parameter is absent or of another kind.
  std::optional<std::string> text(std::string_view name) { return take(params_.get_string(name)); }
  std::optional<bool> flag(std::string_view name) { return take(params_.get_bool(name)); }
  std::optional<std::int64_t> number(std::string_view name) { return take(params_.get_int(name)); }
  std::optional<std::vector<std::string>> texts(std::string_view name) {
    return take(params_.get_strings(name));
  }

  /// An id of 0 when it is absent or blank; text that is no id is a failure.
  template <class Id>
  Id id(std::string_view name) {
    const auto text = this->text(name);
    if (!text || text->empty())
      return {};
    const auto value = parse_id(*text);
    if (value)
      return Id{*value};
    fail(make_error(errc::invalid, std::string{name} + ": is no id"));
    return {};
  }

  void fail(caf::error failure) {
    if (!failure_)
      failure_ = std::move(failure);
  }

  const caf::error& failure() const { return failure_; }

private:
  template <class T>
  std::optional<T> take(caf::expected<std::optional<T>> value) {
    if (value)
      return std::move(*value);
    fail(std::move(value.error()));
    return std::nullopt;
  }

  const request_params& params_;
  caf::error failure_;
};

/// Reads the id in a path. Fails with `not_found`.
template <class Id>
caf::expected<Id> path_id(const matched_request& request) {
  const auto value = parse_id(request.segment());
  if (!value)
    return make_error(errc::not_found, "Record not found");
  return Id{*value};
}

/// Answers with the failure, and counts it.
void refuse(gateway_state& gateway, const http_reply& reply, const caf::error& failure);

/// Returns what came; `caf::expected<caf::unit_t>` has nothing to give but that it came.
template <class T>
const T& content_of(const caf::expected<T>& answer) {
  return *answer;
}
inline caf::unit_t content_of(const caf::expected<caf::unit_t>&) {
  return caf::unit;
}

/// Asks storage and hands what came to `then`; a failure is answered.
template <class Task, class Then>
void ask(gateway_state& gateway, Task task, const http_reply& reply, Then then) {
  ask_storage(gateway.self, gateway.services->storage, std::move(task),
              [&gateway, reply, then](const auto& answer) {
                if (!answer)
                  return refuse(gateway, reply, answer.error());
                then(content_of(answer));
              });
}

/// Sends `message` to a region and hands its answer to `then`; a failure is answered.
template <class Answer, class Region, class Message, class Then>
void ask_region(gateway_state& gateway, const Region& region, Message message,
                const http_reply& reply, Then then) {
  auto pending =
      gateway.self->request(region, gateway.services->options.deadline, std::move(message));
  const auto failed = [&gateway, reply](const caf::error& failure) {
    refuse(gateway, reply, failure);
  };
  if constexpr (std::is_same_v<Answer, caf::unit_t>)
    pending.then([then] { then(caf::unit); }, failed);
  else
    pending.then([then](const Answer& answer) { then(answer); }, failed);
}

/// The part of a list that a client asks for, `limit` capped to `most`. Reads max_id, since_id,
/// min_id and limit.
page_request read_page(param_reader& reader, std::int64_t usual, std::int64_t most);

/// Returns the Link header of a page with these ids, newest first: `next` and `prev`, at the
/// server's own URL, with the request's other parameters. "" for an empty page.
std::string link_header(const api_services& services, const http_request& request,
                        const std::vector<post_id>& listed);

/// The same for a list that pages by other keys.
std::string link_header(const api_services& services, const http_request& request,
                        const std::vector<std::int64_t>& keys);

/// Answers with a page of a list, and its Link header.
http_response list_response(const api_services& services, const http_request& request,
                            const std::vector<std::int64_t>& keys, json_array entities);

/// Reads a part of a list that pages by keys; `limit` capped to `most`.
list_wish read_list(param_reader& reader, std::int64_t usual, std::int64_t most);

} // namespace trunkline
