// Another part of `acting_account`: what it does with posts, requests and its own profile.
#include "actors/account_changes.hpp"
#include "protocol/errc.hpp"

namespace trunkline {

namespace {

caf::error not_here() {
  return make_error(errc::unavailable, "account: this change cannot be made yet");
}

} // namespace

caf::expected<caf::unit_t> acting_account::favourite(write_context&, post_id) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::unfavourite(write_context&, post_id) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::bookmark(write_context&, post_id, bool) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::pin(write_context&, post_id, bool) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::vote(write_context&, post_id, const std::vector<std::int64_t>&) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::answer_request(write_context&, account_id, bool) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::drop_follower(write_context&, account_id) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::block_domain(write_context&, const std::string&, bool) {
  return not_here();
}

caf::expected<std::int64_t> acting_account::report(write_context&, const report_account&) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::change(write_context&, const profile_changes&) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::move(write_context&, account_id) {
  return not_here();
}

caf::expected<caf::unit_t> acting_account::rotate(write_context&, const rotate_key&) {
  return not_here();
}

} // namespace trunkline
