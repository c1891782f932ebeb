#include "tests/kit/failing_database.hpp"

namespace trunkline::kit {

namespace {

/// More calls than any operation makes: a walk that gets here never ends.
constexpr std::size_t calls_max = 10'000;

} // namespace

void failing_database::fail_at(std::size_t call, errc code, failing how) {
  call_ = 0;
  failed_ = 0;
  fail_at_ = call;
  code_ = code;
  how_ = how;
}

caf::error failing_database::next_call() {
  ++call_;
  const auto fails =
      fail_at_ != 0 && (how_ == failing::once ? call_ == fail_at_ : call_ >= fail_at_);
  if (!fails)
    return {};
  ++failed_;
  return make_error(code_, "injected at call " + std::to_string(call_));
}

bool failing_database::answer_is_lost(const caf::error& failure) const {
  return failure && code_of(failure) == errc::commit_unknown;
}

caf::expected<sql_result> failing_database::run(std::string_view sql,
                                                std::span<const sql_value> values) {
  if (!levels_.empty() && levels_.back())
    return levels_.back();
  if (auto failure = next_call()) {
    if (!levels_.empty())
      levels_.back() = failure;
    return failure;
  }
  return inner_.run(sql, values);
}

caf::error failing_database::transact(const std::function<caf::error(database&)>& body) {
  if (!levels_.empty() && levels_.back())
    return levels_.back();
  if (auto failure = next_call()) {
    if (!levels_.empty())
      levels_.back() = failure;
    return failure;
  }
  auto lost_answer = caf::error{};
  auto failure = inner_.transact([&](database&) -> caf::error {
    levels_.emplace_back();
    auto result = body(*this);
    if (!result)
      result = levels_.back();
    levels_.pop_back();
    if (result)
      return result;
    auto at_commit = next_call();
    if (!answer_is_lost(at_commit))
      return at_commit;
    lost_answer = std::move(at_commit);
    return {};
  });
  return failure ? failure : lost_answer;
}

caf::expected<commit_receipt> failing_database::commit_batch(
    std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
    const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) {
  if (auto failure = next_call())
    return failure;
  auto lost_answer = caf::error{};
  auto receipt = inner_.commit_batch(batch_id, now, fence,
                                     [&](database&) -> caf::expected<std::vector<log_draft>> {
                                       levels_.emplace_back();
                                       auto drafts = body(*this);
                                       auto failure = std::move(levels_.back());
                                       levels_.pop_back();
                                       if (!drafts)
                                         return drafts;
                                       if (!failure)
                                         failure = next_call();
                                       if (answer_is_lost(failure))
                                         lost_answer = std::move(failure);
                                       else if (failure)
                                         return failure;
                                       return drafts;
                                     });
  if (receipt && lost_answer)
    return lost_answer;
  return receipt;
}

std::size_t walk_every_n(database& db, const std::function<caf::error(database&)>& operation,
                         errc code) {
  const auto before = dump(db);
  auto failing_db = failing_database{db};
  for (auto call = std::size_t{1}; call < calls_max; ++call) {
    CAPTURE(call);
    for (const auto how : {failing::for_ever, failing::once}) {
      failing_db.fail_at(call, code, how);
      const auto failure = failing_db.transact(operation);
      if (failing_db.failed() == 0) {
        must(failure);
        return call - 1;
      }
      REQUIRE(failure);
      REQUIRE(code_of(failure) == code);
      REQUIRE(dump(db) == before);
    }
  }
  FAIL("the operation makes no end of calls");
  return 0;
}

} // namespace trunkline::kit
