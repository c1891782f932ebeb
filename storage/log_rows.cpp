#include "storage/log_rows.hpp"

#include "protocol/crypto.hpp"
#include "storage/statement.hpp"

namespace trunkline {

namespace {

caf::error append(database& db, log_seq seq, time_point now, const log_draft& draft) {
  auto values = log_row_values(now, draft);
  values.insert(values.begin(), sql_value{seq});
  if (auto row = db.run(insert_log_row, values); !row)
    return std::move(row.error());
  for (const auto endpoint : draft.extra)
    if (auto row = db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)"
                          " ON CONFLICT DO NOTHING",
                          {seq, endpoint});
        !row)
      return std::move(row.error());
  return {};
}

} // namespace

std::vector<sql_value> log_row_values(time_point at, const log_draft& draft) {
  auto values = std::vector<sql_value>{};
  values.reserve(12); // and seq
  values.emplace_back(at);
  values.emplace_back(static_cast<int>(draft.kind));
  values.emplace_back(draft.author);
  values.emplace_back(to_string(draft.object));
  values.emplace_back(static_cast<int>(draft.cls));
  values.emplace_back(draft.is_public);
  values.emplace_back(draft.audience);
  values.emplace_back(draft.ap_id);
  values.emplace_back(draft.signer);
  values.emplace_back(draft.body ? sql_value{blob{*draft.body}} : sql_value{});
  values.emplace_back(draft.body ? sql_value{blob{sha256(*draft.body)}} : sql_value{});
  return values;
}

caf::error check_drafts(const std::vector<log_draft>& drafts) {
  for (const auto& draft : drafts)
    if (draft.ap_id && !is_storable(*draft.ap_id))
      return make_error(errc::invalid, "log.ap_id: must be UTF-8 without NUL");
  return {};
}

caf::expected<commit_receipt> append_to_log(database& db, time_point now,
                                            const std::vector<log_draft>& drafts) {
  auto newest = db.run("SELECT coalesce(max(seq), 0) FROM log");
  if (!newest)
    return std::move(newest.error());
  auto receipt = commit_receipt{};
  receipt.previous = newest->rows[0][0].integer();
  if (drafts.empty())
    return receipt;
  receipt.first = receipt.previous + 1;
  receipt.last = receipt.previous;
  for (const auto& draft : drafts)
    if (auto failure = append(db, ++receipt.last, now, draft))
      return failure;
  return receipt;
}

} // namespace trunkline
