// serve: the daemon's process, from the open queue to the last settled mail.
//
// Tested by tests/e2e/test_reload.py and tests/e2e/test_bad_input.py.
#pragma once

#include "app/config/config.hpp"

namespace app {

/// Runs until SIGTERM or SIGINT; SIGHUP has it reload the configuration. Returns the exit status: 0
/// then; 1 if it could not start, or gave up, and 75 if its database is damaged, with a line in the
/// log that says why.
int serve(Config config);

/// In its place, if the configuration can't be used: says why in the log, and returns 78, as
/// another try can't succeed before a person has changed something (sysexits.h).
int refuse_to_serve(const base::Error& error);

}  // namespace app
