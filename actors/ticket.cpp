#include "actors/ticket.hpp"

namespace trunkline {

ticket ticket_office::take() {
  if (state_->in_use.fetch_add(1) >= state_->limit) {
    state_->in_use.fetch_sub(1);
    state_->refused.fetch_add(1);
    return nullptr;
  }
  return ticket{state_.get(), [held = state_](const void*) { held->in_use.fetch_sub(1); }};
}

} // namespace trunkline
