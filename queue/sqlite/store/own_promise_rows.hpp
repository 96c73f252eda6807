// OwnPromiseRows: what our components have promised, as rows. Storage thread.
//
// Tested by tests/unit/queue/peers/own_promises_test.cpp.
#pragma once

#include "queue/ledger/own_promises.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// As the operations of queue/ledger/own_promises say.
std::vector<OwnPromise> load_own_promises(Store& store);
void set_own_promise(Store& store, const OwnPromise& promise);
void end_own_promise(Store& store, const std::string& component);
std::vector<Told> load_told(Store& store, const LoadTold& op);
void set_told(Store& store, const Told& told);
void remove_told(Store& store, const std::string& component, const std::string& peer);

}  // namespace queue
