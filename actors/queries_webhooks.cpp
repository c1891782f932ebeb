#include "actors/queries_webhooks.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

template <class Event>
log_seq seq_in(const Event& event) {
  return event.seq;
}

log_seq seq_in(const host_state_event&) {
  return 0;
}

log_seq seq_of(const engine_event& event) {
  return std::visit([](const auto& one) { return seq_in(one); }, event);
}

/// The messages of a page of the log. A row is taken when its last message is.
std::vector<marked_message> messages_of(const event_page& page, const webhook_wish& wish) {
  auto made = std::vector<marked_message>{};
  auto seqs = std::vector<log_seq>{};
  for (const auto& event : page.events) {
    if (!wish.kinds.has(kind_of(event)))
      continue;
    made.push_back({.message = render_webhook(event, wish.source), .after = {}});
    seqs.push_back(seq_of(event));
  }
  for (auto index = std::size_t{0}; index < made.size(); ++index) {
    const auto is_last_of_row = index + 1 == made.size() || seqs[index + 1] != seqs[index];
    made[index].after.mark = is_last_of_row ? seqs[index] : seqs[index] - 1;
  }
  return made;
}

std::vector<marked_message> messages_of(std::vector<outbox_row> rows, const webhook_wish& wish) {
  auto made = std::vector<marked_message>{};
  for (auto& row : rows) {
    if (!wish.kinds.has(static_cast<event_kind>(row.kind)))
      continue;
    auto body = std::make_shared<const std::string>(std::move(row.body));
    made.push_back({.message = {.id = std::move(row.message), .at = row.at, .body = body},
                    .after = {.mark = 0, .told = row.id}});
  }
  return made;
}

/// Puts both in one order; each keeps its own.
std::vector<marked_message> merge(std::vector<marked_message> logged,
                                  std::vector<marked_message> unlogged, webhook_marks marks) {
  auto merged = std::vector<marked_message>{};
  auto next = unlogged.begin();
  const auto add = [&](marked_message& one) {
    marks.mark = std::max(marks.mark, one.after.mark);
    if (one.after.told)
      marks.told = one.after.told;
    merged.push_back({.message = std::move(one.message), .after = marks});
  };
  for (auto& one : logged) {
    for (; next != unlogged.end() && next->message.at < one.message.at; ++next)
      add(*next);
    add(one);
  }
  for (; next != unlogged.end(); ++next)
    add(*next);
  return merged;
}

caf::expected<webhook_page> read_page(database& db, const webhook_wish& wish) {
  auto events = ask_events_after(wish.after.mark, wish.rows_max, wish.urls).run(db);
  if (!events)
    return std::move(events.error());
  // Later than the rows: what was purged between the two is counted, though it was read.
  const auto lost = log_rows_lost(db, wish.after.mark);
  if (!lost)
    return lost.error();
  auto outbox = caf::expected<outbox_page>{outbox_page{}};
  if (wish.after.told)
    outbox = read_outbox(db, *wish.after.told, wish.rows_max);
  if (!outbox)
    return std::move(outbox.error());
  auto page =
      webhook_page{.messages = merge(messages_of(*events, wish),
                                     messages_of(std::move(outbox->rows), wish), wish.after),
                   .upto = {.mark = events->upto, .told = wish.after.told},
                   .lost = *lost + outbox->lost};
  if (wish.after.told)
    page.upto.told = outbox->upto;
  return page;
}

} // namespace

command<webhook_marks> do_enter_webhook(webhook_entry entry) {
  return {[entry = std::move(entry)](write_context& context) {
    return enter_webhook(context.db, entry, context.now);
  }};
}

command<caf::unit_t> do_save_webhook_marks(std::string name, webhook_marks marks) {
  return {[name = std::move(name), marks](write_context& context) -> caf::expected<caf::unit_t> {
    if (auto failure = save_webhook_marks(context.db, name, marks, context.now))
      return failure;
    return caf::unit;
  }};
}

command<caf::unit_t> do_leave_webhooks(std::vector<std::string> present) {
  return {[present = std::move(present)](write_context& context) -> caf::expected<caf::unit_t> {
    if (auto failure = leave_webhooks(context.db, present))
      return failure;
    return caf::unit;
  }};
}

query<webhook_page> ask_webhook_page(webhook_wish wish) {
  return {[wish = std::move(wish)](database& db) { return read_page(db, wish); }};
}

} // namespace trunkline
