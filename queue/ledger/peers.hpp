// Operations on what is remembered of components: theirs that were found, ours that are out of
// service.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). All may be
// repeated.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/ledger/intake.hpp"
#include "queue/ports.hpp"

#include <set>
#include <string>
#include <vector>

namespace queue {

/// The next `most` in the order of their domains, behind `after`.
struct LoadPeers {
    using Answer = std::vector<KnownPeer>;
    std::string after;  ///< A-labels; empty: from the start
    std::size_t most = 0;
};
struct RememberPeer {
    using Answer = Nothing;
    KnownPeer peer;
};
struct ForgetPeers {
    using Answer = Nothing;
    std::vector<mail::Domain> domains;
};

/// The components of ours that are out of service.
struct LoadRetired {
    using Answer = std::set<std::string>;
};
struct SetRetired {
    using Answer = Nothing;
    std::string component;
    bool retired = false;
};

}  // namespace queue
