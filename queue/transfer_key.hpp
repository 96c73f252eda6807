// TransferKey: what names a transfer, on both sides and for ever (protocol, Names).
//
// Tested by tests/unit/queue/sqlite/intake/verdicts_test.cpp.
#pragma once

#include "mail/domain.hpp"

#include <compare>
#include <string>

namespace queue {

struct TransferKey {
    mail::Domain domain;  ///< the sending domain
    std::string id;
    auto operator<=>(const TransferKey&) const = default;
};

}  // namespace queue
