// Under way: what is leased when a process begins or ends, and how it is put back. Storage thread.
//
// Tested by tests/unit/queue/sqlite/delivery/crashes_test.cpp.
#pragma once

#include "queue/queue_id.hpp"
#include "queue/sqlite/store/store.hpp"

#include <functional>
#include <vector>

namespace queue {

/// At the stop: what is under way still is due again, and has survived it.
void release_leased(Store& store);

/// Something has become of it: no crash is counted of it any more.
void has_survived(Store& store, QueueId message);

/// The first messages that are under way.
std::vector<QueueId> messages_under_way(Store& store);
/// Its recipients that are under way are due now. How many they are.
int put_back(Store& store, QueueId message);

/// Runs `step` in transactions of its own until it says that nothing is left.
void in_steps(Store& store, const std::function<bool()>& step);

}  // namespace queue
