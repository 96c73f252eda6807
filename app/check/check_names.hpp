// check_names: is what the example's configuration has only as an example still there?
//
// Tested by tests/unit/app/check/check_names_test.cpp.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

/// A finding for each name that is nobody's (RFC 2606 3), and for the example's secret.
void check_names(Findings& findings, const Config& config);

}  // namespace app
