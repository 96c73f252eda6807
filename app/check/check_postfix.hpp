// check_postfix: what `packetboat check` finds in this machine's Postfix: may a stranger write our
// Authentication-Results field, does the true one pass, and do filters know whose mail ours is?
//
// Asks postconf(1) and postmap(1), and changes nothing. Where there is no Postfix it says so.
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

void check_postfix(Findings& findings, const Config& config);

}  // namespace app
