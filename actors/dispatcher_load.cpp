#include "actors/dispatcher_load.hpp"

#include "storage/log_store.hpp"

#include <utility>

namespace trunkline {

caf::expected<loaded_books> read_books(database& db, const shard_set& wanted) {
  auto books = load_books(db, wanted);
  if (!books)
    return std::move(books.error());
  auto waiting = waiting_hosts(db, wanted);
  if (!waiting)
    return std::move(waiting.error());
  auto blocked = read_blocked_domains(db);
  if (!blocked)
    return std::move(blocked.error());
  auto drained = drained_hosts(db, wanted);
  if (!drained)
    return std::move(drained.error());
  auto newest = newest_seq(db);
  if (!newest)
    return std::move(newest.error());
  return loaded_books{.books = std::move(*books),
                      .blocked = std::move(*blocked),
                      .waiting = std::move(*waiting),
                      .drained = std::move(*drained),
                      .newest = *newest};
}

} // namespace trunkline
