// check_hand_over: do deliver-to and return-to each do what they are there for?
//
// Tested by tests/e2e/test_bad_input.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

/// Asks the mail servers, for 20 seconds at most, without sending mail.
void check_hand_over(Findings& findings, const Config& config);

}  // namespace app
