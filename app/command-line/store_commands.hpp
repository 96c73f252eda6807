// Store commands: `packetboat queue verify`, `backup` and `restore`: the queue as a whole, with or
// without a running daemon.
//
// They print, and return the exit status: 0 all is well, 1 something is wrong (said on standard
// error, or found).
//
// Tested by tests/e2e/test_backup.py and tests/e2e/test_damage.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

namespace app {

/// By the daemon if one runs, else on the directory itself.
int queue_verify(const Config& config, bool as_json);
/// Brings back what can be. Only without a daemon.
int queue_repair(const Config& config, bool as_json);
int backup(const Config& config, const std::string& file);
/// Only without a daemon.
int restore(const Config& config, const std::string& file);

}  // namespace app
