// check_resolver: does the DNS server answer by which other domains are found?
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

/// Asks it, for ten seconds at most. Any answer will do.
void check_resolver(Findings& findings, const Config& config);

}  // namespace app
