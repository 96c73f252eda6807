// The version of the program, from CMake's project().
#pragma once

namespace app {

inline constexpr const char* kVersion = PACKETBOAT_VERSION;

}  // namespace app
