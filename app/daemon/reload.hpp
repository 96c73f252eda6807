// Reload: the configuration is read again (SIGHUP), and what can be changed in a running daemon is.
//
// All of the file has to be good, or nothing of it counts. What a changed key needs a restart for
// is named in the log, each time, until there was one. Event loop; never throws.
#pragma once

#include "app/config/config.hpp"

#include <string>
#include <vector>

namespace app {

class Daemon;

/// Keys, as `[kind name] key`, that another reading gives another value.
struct ConfigChanges {
    std::vector<std::string> now;      ///< take effect at once
    std::vector<std::string> restart;  ///< need a restart
};
ConfigChanges compare(const Config& in_force, const Config& read);

/// Reads the file that `in_force` came from, and has `daemon` adopt it; `in_force` is then what it
/// works with. An error is logged, and changes nothing.
void reload(Daemon& daemon, Config& in_force);

}  // namespace app
