// Looks whether the files of domains that the configuration names are good ([lists]).
//
// Tested by tests/e2e/test_lists.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

void check_lists(Findings& findings, const Config& config);

}  // namespace app
