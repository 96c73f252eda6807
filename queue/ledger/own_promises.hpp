// Operations on what our components have promised to others, and to whom.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). All may be
// repeated.
//
// Tested by tests/unit/queue/peers/own_promises_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/ledger/intake.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace queue {

/// A promise may stand with those that were told.
struct OwnPromise {
    std::string component;                       ///< of ours
    std::set<std::string, std::less<>> domains;  ///< A-labels, that it was announced for last
    base::TimePoint until;                       ///< no later date was ever announced
    bool operator==(const OwnPromise&) const = default;
};
struct LoadOwnPromises {
    using Answer = std::vector<OwnPromise>;
};
struct SetOwnPromise {
    using Answer = Nothing;
    OwnPromise promise;
};
/// With whom was told.
struct EndOwnPromise {
    using Answer = Nothing;
    std::string component;
};

/// A peer that has read the promise of `component`, and nothing else since.
struct Told {
    std::string component;  ///< of ours
    std::string peer;
    base::TimePoint at;
    bool operator==(const Told&) const = default;
};
/// The next `most`, by component and peer, behind `after`.
struct LoadTold {
    using Answer = std::vector<Told>;
    std::optional<Told> after{};
    std::size_t most = 0;
};
struct SetTold {
    using Answer = Nothing;
    Told told;
};
/// It has read that the promise is withdrawn.
struct RemoveTold {
    using Answer = Nothing;
    std::string component;
    std::string peer;
};

}  // namespace queue
