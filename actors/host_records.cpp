#include "actors/host_records.hpp"

#include "actors/host_address_record.hpp"

namespace trunkline {

/// A document, or why there is none.
struct fetch_outcome {
  std::uint8_t failure = 0; ///< An `errc`; 0: none.
  std::string words;
  std::optional<time_point> until;
  fetched_document document;
};

template <class Archive, is_record<fetch_document> Fetch>
void carry(Archive& archive, Fetch& wanted) {
  auto bytes_max = static_cast<std::uint64_t>(wanted.bytes_max);
  archive(wanted.host, wanted.url, wanted.accept, bytes_max, wanted.is_signed);
  if constexpr (!std::is_const_v<Fetch>)
    wanted.bytes_max = static_cast<std::size_t>(bytes_max);
}

template <class Archive, is_record<fetch_outcome> Outcome>
void carry(Archive& archive, Outcome& outcome) {
  archive(outcome.failure, outcome.words, outcome.until, outcome.document.status,
          outcome.document.headers, outcome.document.body);
}

void check(const fetch_document& wanted) {
  check_record(wanted.bytes_max <= fetch_document{}.bytes_max, "more than is ever fetched");
}

void check(const fetch_outcome& outcome) {
  check_record(outcome.failure <= static_cast<std::uint8_t>(errc_last), "an unknown failure");
}

std::string encode(const host_address& host) {
  return write_record(host);
}

caf::expected<host_address> decode_host(std::string_view bytes) {
  return decode_record(bytes, "host", read_record<host_address>);
}

std::string encode(const fetch_document& wanted) {
  return write_record(wanted);
}

caf::expected<fetch_document> decode_fetch(std::string_view bytes) {
  return decode_record(bytes, "fetch", read_record<fetch_document>);
}

std::string encode(const caf::expected<fetched_document>& outcome) {
  if (outcome)
    return write_record(
        fetch_outcome{.failure = 0, .words = {}, .until = {}, .document = *outcome});
  return write_record(fetch_outcome{.failure = static_cast<std::uint8_t>(code_of(outcome.error())),
                                    .words = context_of(outcome.error()),
                                    .until = until_of(outcome.error()),
                                    .document = {}});
}

caf::expected<fetched_document> decode_fetched(std::string_view bytes) {
  auto read = decode_record(bytes, "document", read_record<fetch_outcome>);
  if (!read)
    return std::move(read.error());
  if (read->failure == 0)
    return std::move(read->document);
  const auto code = static_cast<errc>(read->failure);
  return read->until ? make_error(code, read->words, *read->until) : make_error(code, read->words);
}

} // namespace trunkline
