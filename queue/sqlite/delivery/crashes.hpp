// Crashes: what was under way when a process ended without being stopped, and may be the reason.
//
// A kill and a power cut look like a crash, and most of what was under way is always innocent. So
// the guilty one is told from its neighbours: after one crash, such a message is due at once, and
// leased alone; from the second one in a row on it waits, anew after each start, and is leased only
// while no other of these is under way. What was under way in kMostCrashes in a row goes to
// quarantine. Any outcome of a message, and a stop while it is under way, set its count back to 0.
//
// For an innocent one, each count from the third on takes a crash in the short time in which it is
// the only such message under way, minutes after a start. Three such chances in a row are
// practically impossible, however often the process is killed; a message that does end the process
// has no other chance. Storage thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/queue_id.hpp"
#include "queue/sqlite/store/store.hpp"

#include <chrono>
#include <optional>

namespace queue {

/// In a row.
inline constexpr int kMostCrashes = 5;

/// At the start: puts back what the last process had leased, in steps, each a transaction of its
/// own. Returns the number of recipients.
std::int64_t recover_leased(Store& store);

/// `crashes` (MessageRow): nothing else may be in its lease.
inline bool goes_alone(int crashes) {
    return crashes > 0;
}
/// It can't be leased now, as another one like it is under way.
bool has_to_wait(Store& store, int crashes);
/// Of those that have to, unless call_next() calls them before.
inline constexpr auto kSuspectPause = std::chrono::seconds(10);
/// Something has become of a message with so many crashes: if others had to wait for that, one of
/// them is due now. Its destination.
std::optional<Destination> call_next(Store& store, int crashes);

}  // namespace queue
