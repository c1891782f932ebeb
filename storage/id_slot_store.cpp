#include "storage/id_slot_store.hpp"

namespace trunkline {

caf::expected<std::int64_t> id_slot_store::reserve(std::uint8_t slot) {
  auto found = db_.run("SELECT ids_until FROM id_slot WHERE slot = $1", {std::int64_t{slot}});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? 0 : found->rows[0][0].integer();
}

caf::error id_slot_store::raise(std::uint8_t slot, std::int64_t until) {
  auto raised = db_.run("INSERT INTO id_slot(slot, ids_until) VALUES ($1, $2)"
                        " ON CONFLICT(slot) DO UPDATE SET ids_until = excluded.ids_until"
                        " WHERE id_slot.ids_until < excluded.ids_until",
                        {std::int64_t{slot}, until});
  return raised ? caf::error{} : std::move(raised.error());
}

} // namespace trunkline
