// check: `packetboat check`: is all as it has to be for mail to go over XMPP?
//
// Asks the daemon, the mail server and the files; prints a line for each finding.
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "app/config/config.hpp"

#include <string>
#include <vector>

namespace app {

/// Is the daemon there, are its links up, does our MTA answer, and what is known of `domains`?
/// Exit status 2 if one of these is no domain, 1 if anything is wrong, else 0.
int check(const Config& config, const std::vector<std::string>& domains);

}  // namespace app
