// ComplaintSection: what [complaints] says.
//
// Tested by tests/unit/app/config/complaint_section_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "base/result.hpp"
#include "queue/complaint.hpp"
#include "queue/store_settings.hpp"

#include <filesystem>

namespace app {

struct ComplaintConfig {
    queue::ComplaintSettings which;
    queue::ComplaintPlan plan;
    std::filesystem::path socket;  ///< on which complaining is all that can be done; empty: none
    unsigned socket_mode = 0660;
};

/// The error's text begins with the key that it is about.
base::Result<ComplaintConfig> read_complaints(const Section& section);

}  // namespace app
