// The part of `packetboat check` that looks at the clock: whether the daemon believes it.
//
// Tested by tests/unit/app/daemon/clock_answer_test.cpp.
#pragma once

#include "app/check/findings.hpp"

#include <boost/json.hpp>

namespace app {

/// `status`: the daemon's. What an older daemon does not say is not looked at.
void check_clock(Findings& findings, const boost::json::object& status);

}  // namespace app
