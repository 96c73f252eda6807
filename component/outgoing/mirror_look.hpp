// look_in_mirror(): asks a peer how it sees us, and measures the way there and its clock.
//
// A coroutine without state of its own: one request, kMirrorTime at most. Never throws. What the
// peer says is believed of nothing but itself.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/mirror.hpp"
#include "component/stream/link.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace component {

/// Longer than a peer takes to look our domains up (MirrorReceiver::kLookTime).
inline constexpr std::chrono::seconds kMirrorTime{60};

struct MirrorLook {
    enum class Kind : std::uint8_t {
        seen,        ///< it has answered
        older,       ///< it does not know the question
        refused,     ///< it does not believe that we speak for the first of the domains
        unverified,  ///< it can't ask the first of the domains
        busy,        ///< later
        silent,      ///< nobody answered in time
        failed,      ///< anything else, `why` says what
    };
    Kind kind = Kind::failed;
    std::string why;  ///< unless it is seen: for people, printable, bounded
    // If it is seen:
    Mirrored mirrored;  ///< of the domains that were asked for, in that order, and no others
    /// Without what the peer says it took itself.
    std::chrono::milliseconds round_trip{};
    /// How far its clock is ahead of ours; wrong by half of the round trip at most.
    std::chrono::milliseconds ahead{};
    base::TimePoint ours;  ///< our clock as its answer left
};
/// The word for it on the control socket.
const char* to_text(MirrorLook::Kind kind);

/// `peer`: a component that announces `mirror`. `domains`: ours, 1 to kMirrorDomains, each once; it
/// is asked in the name of the first. `link` and `clock` outlive the call.
base::Task<MirrorLook> look_in_mirror(Link& link, std::string peer,
                                      std::vector<mail::Domain> domains, const base::Clock& clock);

}  // namespace component
