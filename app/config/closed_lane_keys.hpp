// ClosedLaneKeys: what [policy-service] says of mail that breaks a promise.
//
// Tested by tests/unit/app/config/closed_lane_keys_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "smtp-bridge/lookup/closed_lane.hpp"

#include <optional>
#include <string>

namespace app {

/// Nothing: `settings` is what the section says.
std::optional<Fault> read_closed_lane(const Section& section,
                                      smtp_bridge::ClosedLaneSettings& settings);

}  // namespace app
