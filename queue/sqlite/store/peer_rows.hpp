// PeerRows: what is remembered of components, as rows. Storage thread.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/ledger/peers.hpp"
#include "queue/sqlite/store/store.hpp"

#include <set>
#include <string>
#include <vector>

namespace queue {

/// As the operations of queue/ledger/peers say.
std::vector<KnownPeer> load_peers(Store& store, const std::string& after, std::size_t most);
void remember_peer(Store& store, const KnownPeer& peer);
void forget_peers(Store& store, const std::vector<mail::Domain>& domains);
std::set<std::string> load_retired(Store& store);
void set_retired(Store& store, const std::string& component, bool retired);

}  // namespace queue
