// serve: the daemon's process, from the open queue to the last settled mail.
//
// Tested by tests/e2e/test_reload.py.
#pragma once

#include "app/config/config.hpp"

namespace app {

/// Runs until SIGTERM or SIGINT; SIGHUP has it reload the configuration. Returns 0 then; 1 if it
/// could not start, with one line that says why.
int serve(Config config);

}  // namespace app
