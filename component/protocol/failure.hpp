// Failure: why a request has got no verdicts, and what that asks of its sender. A pure value.
//
// Tested by tests/unit/component/protocol/error_table_test.cpp.
#pragma once

#include "mail/status.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace component {

struct Failure {
    enum class Kind {
        silence,      ///< nobody says that the peer has heard it: the same transfers again, later
        refused,      ///< an answer that decides nothing: likewise, but it is on this request
        busy,         ///< come back later; says nothing of the transfers
        unverified,   ///< the peer can't ask the domain that we send for
        beyond_rate,  ///< the peer has taken as much of that domain as it does for now
        too_much,     ///< slow down, and halve what goes into one stanza
        not_there,    ///< no component that takes mail: discover again
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
    /// What was between us and the peer may be over: the same once more, at once.
    bool once_more = false;

    /// It is on the domain that we send for: mail of others may fare better.
    bool is_on_domain() const { return kind == Kind::unverified || kind == Kind::beyond_rate; }
    /// Servers have spoken, or nobody: it need not be the request that this is on.
    bool is_unheard() const { return kind == Kind::silence || kind == Kind::not_there; }
};

}  // namespace component
