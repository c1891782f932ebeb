#include "actors/blocked_domains.hpp"

#include "storage/domain_block_store.hpp"

#include <utility>

namespace trunkline {

namespace {

constexpr std::int64_t page_size = 1'000;

} // namespace

bool blocked_domains::contains(std::string_view host) const {
  const auto lock = std::scoped_lock{guard_};
  if (all_.empty())
    return false;
  while (!all_.contains(host)) {
    const auto dot = host.find('.');
    if (dot == std::string_view::npos)
      return false;
    host.remove_prefix(dot + 1);
  }
  return true;
}

void blocked_domains::apply(const log_entry& row) {
  const auto is_about_blocks =
      row.kind == log_kind::domain_block || row.kind == log_kind::undo_domain_block;
  if (is_about_blocks && row.object.actor == whole_server.value)
    is_stale_ = true;
}

void blocked_domains::replace(names all) {
  const auto lock = std::scoped_lock{guard_};
  all_ = std::move(all);
}

caf::expected<blocked_domains::names> read_blocked_domains(database& db) {
  auto all = blocked_domains::names{};
  auto after = std::string{};
  while (true) {
    const auto page = list_domain_blocks(db, whole_server, after, page_size);
    if (!page)
      return page.error();
    for (const auto& row : *page)
      if (row.severity == domain_severity::suspend)
        all.insert(row.host);
    if (static_cast<std::int64_t>(page->size()) < page_size)
      return all;
    after = page->back().host;
  }
}

} // namespace trunkline
