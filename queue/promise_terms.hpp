// PromiseTerms: what a component of ours is to promise, by the configuration, and what its form
// says of that. Plain values.
//
// Tested by tests/unit/queue/peers/own_promises_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <set>
#include <vector>

namespace queue {

struct PromiseTerms {
    std::set<mail::Domain> domains;     ///< of those that it serves; exactly these
    std::chrono::milliseconds lasts{};  ///< from when its form is read
    bool operator==(const PromiseTerms&) const = default;
};

/// What its form says now.
struct Announcement {
    std::vector<mail::Domain> domains;
    base::TimePoint until;
};

}  // namespace queue
