// check_space: has the disk room for mail?
//
// Tested by tests/unit/app/check/check_space_test.cpp.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace app {

/// What statvfs(3) says of a file system.
struct FreeSpace {
    std::uintmax_t bytes = 0;   ///< that are free for us
    std::uintmax_t files = 0;   ///< that can still be made
    bool counts_files = false;  ///< it has a bound for them
};
/// What is wrong with it; `reserve`: bytes that the intake leaves free.
std::optional<std::string> lack_of_space(const FreeSpace& space, std::uintmax_t reserve);

void check_space(Findings& findings, const Config& config);

}  // namespace app
