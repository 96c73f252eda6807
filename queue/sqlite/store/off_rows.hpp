// OffRows: the emergency switch, as a row. Storage thread.
//
// Tested by tests/unit/queue/peers/off_switch_test.cpp.
#pragma once

#include "queue/ledger/off.hpp"
#include "queue/sqlite/store/store.hpp"

#include <optional>

namespace queue {

/// As the operations of queue/ledger/off say.
std::optional<Off> load_off(Store& store);
void set_off(Store& store, const std::optional<Off>& off);

}  // namespace queue
