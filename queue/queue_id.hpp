// QueueId: the name of a message in this queue, ordered by time of arrival.
//
// Tested by tests/unit/queue/sqlite/intake/arrivals_test.cpp.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace queue {

struct QueueId {
    std::int64_t value = 0;  ///< microseconds since 1970, made unique by the store; > 0

    /// 11 characters of [0-9A-Z] without I, L, O, U (Crockford's base 32).
    std::string to_text() const;
    /// Either case. Errc::syntax.
    static base::Result<QueueId> parse(std::string_view text);
    auto operator<=>(const QueueId&) const = default;
};

}  // namespace queue
