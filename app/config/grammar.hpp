// The sections and keys of packetboat.conf, their types and defaults: what packetboat.conf(5)
// tells.
//
// Tested by tests/unit/app/config/config_test.cpp.
#pragma once

#include "app/config/sections.hpp"

namespace app {

Grammar make_grammar();

}  // namespace app
