// Clock offset: how far tests/chaos has moved the wall clock of this process.
//
// Only in builds with PACKETBOAT_CRASH_POINTS; in all others nothing of it is left. Any thread.
//
// Tested by tests/chaos/daemons.py.
#pragma once

#include <chrono>

namespace base {

#ifdef PACKETBOAT_CRASH_POINTS
/// What the file that PACKETBOAT_CLOCK_OFFSET names says at this moment: milliseconds, as a 64-bit
/// integer of this machine. 0 without such a file.
std::chrono::milliseconds clock_offset();
#else
inline std::chrono::milliseconds clock_offset() {
    return {};
}
#endif

}  // namespace base
