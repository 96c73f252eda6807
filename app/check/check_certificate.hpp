// check_certificate: does each component's server show a certificate that other servers take?
//
// Finds it by the DNS, as they do, and asks it. Needs no daemon.
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

/// A finding for each server of each component that is in service.
void check_certificates(Findings& findings, const Config& config);

}  // namespace app
