/// Work for the database, as values: what an actor or a handler asks of storage without seeing it.
///
/// `api/` may not include `storage/`: it calls functions that return a `query` or a `command`, and
/// hands them to `ask_storage`. The work runs on a storage worker's thread; it must not touch
/// anything of the actor that asked.
#pragma once

#include "actors/storage_worker_messages.hpp"
#include "protocol/errc.hpp"

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

/// Deadline of one question or change, from the request on.
inline constexpr auto storage_deadline = std::chrono::seconds{10};

/// Hands `question` to a reader and calls `then(caf::expected<T>)` in `self`, once.
template <class Self, class T, class Continuation>
void ask_storage(Self* self, const storage_handles& storage, query<T> question, Continuation then) {
  auto answer = std::make_shared<std::optional<caf::expected<T>>>();
  auto job = [answer, run = std::move(question.run)](database& db) { answer->emplace(run(db)); };
  self->request(storage.next_reader(), storage_deadline, read_job{std::move(job)})
      .then([answer, then]() mutable { then(std::move(**answer)); },
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
  self->request(storage.writer, storage_deadline, write_job{std::move(job)})
      .then([answer, then]() mutable { then(std::move(**answer)); },
            [then](caf::error& failure) mutable { then(caf::expected<T>{std::move(failure)}); });
}

} // namespace trunkline
