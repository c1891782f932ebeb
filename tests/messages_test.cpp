#include "actors/messages.hpp"

#include <boost/pfr.hpp>
#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/is_typed_actor.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <type_traits>
#include <utility>

using namespace trunkline;

namespace {

template <class T>
concept handle = std::is_same_v<T, caf::actor> || std::is_same_v<T, caf::actor_addr> ||
    std::is_same_v<T, caf::strong_actor_ptr> || std::is_same_v<T, caf::weak_actor_ptr> ||
    caf::is_typed_actor<T>::value;

template <class T>
concept container = requires {
  typename T::value_type;
}
&&!std::is_same_v<T, std::string>;

template <class T>
consteval bool holds_handle() {
  using bare = std::remove_cvref_t<T>;
  if constexpr (handle<bare>)
    return true;
  else if constexpr (container<bare>)
    return holds_handle<typename bare::value_type>();
  else if constexpr (std::is_aggregate_v<bare> && std::is_class_v<bare>)
    return []<std::size_t... Index>(std::index_sequence<Index...>) {
      return (holds_handle<boost::pfr::tuple_element_t<Index, bare>>() || ...);
    }
  (std::make_index_sequence<boost::pfr::tuple_size_v<bare>>{});
  else return false;
}

template <class Types>
constexpr bool any_holds_handle = true;
template <class... Types>
constexpr bool any_holds_handle<std::tuple<Types...>> = (holds_handle<Types>() || ...);

struct planted {
  account_id account;
  std::vector<account_handle> hidden;
};

// Callers name an id and go through the region: a handle in a message would bypass it.
static_assert(!any_holds_handle<message_types>);
static_assert(holds_handle<planted>(), "the check itself must see a handle");

// Every type of the block stands in message_types, but for the bare ids that answer.
constexpr auto registered = caf::id_block::trunkline::end - caf::id_block::trunkline::begin;
static_assert(std::tuple_size_v<message_types> + 2 == registered);

} // namespace

TEST_CASE("no message type holds a handle", "[messages]") {
  CHECK_FALSE(any_holds_handle<message_types>);
}
