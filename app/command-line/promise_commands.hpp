// packetboat promise list|show|forget|ours: what peers have promised of the closed lane, and we.
// Each returns the exit status.
//
// Tested by tests/e2e/test_promise.py and tests/e2e/test_promising.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

namespace app {

int promise_list(const Config& config, bool as_json);
int promise_show(const Config& config, const std::string& domain, bool as_json);
int promise_forget(const Config& config, const std::string& domain);
/// What our components promise, and who was told.
int promise_ours(const Config& config, bool as_json);

}  // namespace app
