/// Work for the database, as values: what an actor or a handler asks of storage without seeing it.
///
/// `api/` may not include `storage/`: it calls functions that return a `query` or a `command`, and
/// hands them to `ask_storage`. The work runs on a storage worker's thread; it must not touch
/// anything of the actor that asked.
#pragma once

#include "actors/storage_worker_messages.hpp"
#include "protocol/errc.hpp"

#include <caf/duration.hpp>
#include <caf/expected.hpp>
#include <caf/unit.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace trunkline {

/// A question, answered from one pooled reader's connection.
template <class T>
struct query {
  std::function<caf::expected<T>(database&)> run;
};

/// A change, made by the writer in a savepoint of its own; what it appends to `write_context::log`
/// is committed with it. The answer comes after the commit.
template <class T>
struct command {
  std::function<caf::expected<T>(write_context&)> run;
};

/// Lets the request behind `response`, whose answer goes to `answer`, end after `storage_deadline`.
template <class Self, class Response>
void limit_time(Self* self, const storage_handles& storage, const Response& response,
                const std::shared_ptr<const void>& answer) {
  const auto now = self->clock().now();
  storage.deadlines->add({.due = now + storage_deadline,
                          .asker = caf::weak_actor_ptr{self->ctrl()},
                          .response = response.id(),
                          .answer = answer},
                         now);
}

/// Hands `question` to a reader and calls `then(caf::expected<T>)` in `self`, once.
template <class Self, class T, class Continuation>
void ask_storage(Self* self, const storage_handles& storage, query<T> question, Continuation then) {
  auto answer = std::make_shared<std::optional<caf::expected<T>>>();
  auto job = [answer, run = std::move(question.run)](database& db) { answer->emplace(run(db)); };
  auto response = self->request(storage.next_reader(), caf::infinite, read_job{std::move(job)});
  limit_time(self, storage, response, answer);
  response.then(
      [answer, then]() mutable { then(std::move(**answer)); },
      [then](caf::error& failure) mutable { then(caf::expected<T>{std::move(failure)}); });
}

/// Hands `change` to the writer and calls `then(caf::expected<T>)` in `self`, once, after the
/// commit or the refusal.
template <class Self, class T, class Continuation>
void ask_storage(Self* self, const storage_handles& storage, command<T> change, Continuation then) {
  auto answer = std::make_shared<std::optional<caf::expected<T>>>();
  auto job = [answer, run = std::move(change.run)](write_context& context) -> caf::error {
    answer->emplace(run(context));
    return **answer ? caf::error{} : (*answer)->error();
  };
  auto response = self->request(storage.writer, caf::infinite, write_job{std::move(job)});
  limit_time(self, storage, response, answer);
  response.then(
      [answer, then]() mutable { then(std::move(**answer)); },
      [then](caf::error& failure) mutable { then(caf::expected<T>{std::move(failure)}); });
}

} // namespace trunkline
