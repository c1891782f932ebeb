/// INTERNAL to net: names that wait to be looked up, and how many may be asked for at once.
///
/// Turns go round the registrable domains, each of which has a share: one whose name servers hang
/// holds nobody up, however many names it has. Belongs to one thread.
#pragma once

#include "protocol/registrable_domain.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace trunkline {

class lookup_queue {
public:
  /// A name whose turn has come; `end` must be called once.
  struct turn {
    std::string name;
    std::string domain;
  };

  /// At most `all_max` turns at once, `domain_max` of them for one domain.
  lookup_queue(std::size_t all_max, std::size_t domain_max)
      : all_max_{all_max}, domain_max_{domain_max} {}

  void push(std::string name) {
    auto domain = registrable_domain(name);
    auto& of = domains_[domain];
    of.waiting.push_back(std::move(name));
    stand_in_line(of, std::move(domain));
  }

  /// Returns the next one and counts it; nothing when nobody may have a turn now.
  std::optional<turn> next() {
    if (in_use_ >= all_max_ || line_.empty())
      return std::nullopt;
    auto domain = std::move(line_.front());
    line_.pop_front();
    auto& of = domains_.at(domain);
    auto name = std::move(of.waiting.front());
    of.waiting.pop_front();
    of.is_in_line = false;
    ++of.in_use;
    ++in_use_;
    stand_in_line(of, domain);
    return turn{.name = std::move(name), .domain = std::move(domain)};
  }

  void end(const std::string& domain) {
    const auto found = domains_.find(domain);
    --found->second.in_use;
    --in_use_;
    if (found->second.in_use == 0 && found->second.waiting.empty())
      domains_.erase(found);
    else
      stand_in_line(found->second, domain);
  }

  std::size_t domains() const { return domains_.size(); }

private:
  struct domain_names {
    std::deque<std::string> waiting;
    std::size_t in_use = 0;
    bool is_in_line = false;
  };

  /// Only who has a name that may have a turn stands there.
  void stand_in_line(domain_names& of, std::string domain) {
    if (of.waiting.empty() || of.in_use >= domain_max_ || std::exchange(of.is_in_line, true))
      return;
    line_.push_back(std::move(domain));
  }

  std::size_t all_max_;
  std::size_t domain_max_;
  std::size_t in_use_ = 0;
  std::unordered_map<std::string, domain_names> domains_; ///< With a name that waits or is asked.
  std::deque<std::string> line_;
};

} // namespace trunkline
