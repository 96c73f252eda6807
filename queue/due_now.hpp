// DueNow: destinations that have got mail by an operation (reports, changes of lane), and are to be
// looked at now.
//
// Tested by tests/unit/queue/sqlite/delivery/settlement_test.cpp.
#pragma once

#include "queue/destination.hpp"

#include <vector>

namespace queue {

using DueNow = std::vector<Destination>;

/// Adds those of `more` that `all` does not have.
void add_all(DueNow& all, const DueNow& more);

}  // namespace queue
