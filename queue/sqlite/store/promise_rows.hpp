// PromiseRows: what peers have promised of the closed lane, as rows. Storage thread.
//
// Tested by tests/unit/queue/peers/promise_book_test.cpp.
#pragma once

#include "queue/ledger/promises.hpp"
#include "queue/sqlite/store/store.hpp"

#include <string>
#include <vector>

namespace queue {

std::vector<PeerPromise> load_promises(Store& store, const std::string& after, std::size_t most);
void keep_promise(Store& store, const PeerPromise& promise);
void forget_promise(Store& store, const mail::Domain& domain);

}  // namespace queue
