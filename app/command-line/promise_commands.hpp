// packetboat promise list|show|forget: what peers have promised of the closed lane. Each returns
// the exit status.
//
// Tested by tests/e2e/test_promise.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

namespace app {

int promise_list(const Config& config, bool as_json);
int promise_show(const Config& config, const std::string& domain, bool as_json);
int promise_forget(const Config& config, const std::string& domain);

}  // namespace app
