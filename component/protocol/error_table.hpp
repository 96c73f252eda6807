// The error table: what an IQ that got no verdicts means for the transfers in it (protocol, "What
// an IQ error means to a sender"); the conditions are those of RFC 6120 8.3.3.
//
// Pure, so that each row has its test.
#pragma once

#include "component/stream/link.hpp"
#include "mail/status.hpp"

#include <chrono>
#include <optional>

namespace component {

struct Failure {
    enum class Kind {
        silence,     ///< nobody says that the peer has heard it: the same transfers again, later
        refused,     ///< an answer that decides nothing: likewise, but it is on this request
        busy,        ///< come back later; says nothing of the transfers
        unverified,  ///< the peer can't ask the domain that we send for
        too_much,    ///< slow down, and halve what goes into one stanza
        not_there,   ///< no component that takes mail: discover again
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

    /// Servers have spoken, or nobody: it need not be the request that this is on.
    bool is_unheard() const { return kind == Kind::silence || kind == Kind::not_there; }
};

/// For every reply but Verdicts.
Failure classify(const IqReply& reply);
/// The same, of a request that nobody answered although the peer does answer others: then it is
/// this request that fails, by itself, and not the peer that is silent.
Failure on_request_alone(Failure failure);
/// The peer itself has spoken, whatever it said.
bool is_word_of_peer(const IqReply& reply);
/// False only if it is certain that nothing of the request left.
bool may_have_left(const IqReply& reply);
/// Whether to ask if the peer is there, after this reply: it was not heard, and no end of a stream
/// explains that.
bool is_unexplained(const IqReply& reply);

}  // namespace component
