// Crash points: named places at which a test may end the process, as a crash would.
//
// They exist only in builds with PACKETBOAT_CRASH_POINTS (the preset `asan`); in all others
// nothing of them is left. tests/chaos reads the names out of the sources, kills the daemon at each
// of them, and fails if one was never reached. Any thread.
//
// Tested by tests/chaos/chaos.py.
#pragma once

namespace base {

#ifdef PACKETBOAT_CRASH_POINTS
/// Ends the process by SIGKILL if `name:N` is one of those in PACKETBOAT_CRASH, with commas between
/// them, and this is the Nth visit. The file that PACKETBOAT_CRASH_LOG names gets a line `name` at
/// the first visit, and `killed name` then.
void crash_point(const char* name);
#else
inline void crash_point(const char* /*name*/) {}
#endif

}  // namespace base
