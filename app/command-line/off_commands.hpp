// The subcommands off and on: the emergency switch.
//
// Tested by tests/e2e/test_off.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

namespace app {

/// All our mail goes by SMTP from now on, `until` then (empty: until turn_on()).
int turn_off(const Config& config, const std::string& until, bool json);
int turn_on(const Config& config, bool json);

}  // namespace app
