// The error table: what an IQ that got no verdicts means for the transfers in it (protocol, "What
// an IQ error means to a sender").
//
// Pure, so that each row has its test.
#pragma once

#include "component/link.hpp"
#include "mail/status.hpp"

#include <chrono>
#include <optional>

namespace component {

struct Failure {
    enum class Kind {
        silence,         ///< nothing can be concluded: the same transfers again, later
        busy,            ///< come back later; says nothing of the transfers
        too_much,        ///< slow down, and halve what goes into one stanza
        not_there,       ///< no component that takes mail: discover again
        not_authorised,  ///< the peer says that we don't speak for our domain
        malformed,       ///< the peer finds that the request breaks the protocol
        id_reuse,        ///< the peer knows the key with another message
        not_open,        ///< the peer has no such open transfer: open it again
        bad_offset,      ///< the peer has another offset: go on from there
    };
    Kind kind = Kind::silence;
    mail::Reply reply;  ///< what a recipient is deferred with
    std::optional<std::chrono::seconds> retry_after;
    std::uint64_t offset = 0;  ///< of bad_offset
    /// The request itself was looked at and refused, so that its members may fare better alone.
    bool split_batch = false;
};

/// For every reply but Verdicts.
Failure classify(const IqReply& reply);

}  // namespace component
