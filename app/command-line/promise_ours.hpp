// The subcommand promise ours: what our components promise to others, and who was told.
//
// Tested by tests/e2e/test_promising.py.
#pragma once

#include "app/config/config.hpp"

namespace app {

int promise_ours(const Config& config, bool json);

}  // namespace app
