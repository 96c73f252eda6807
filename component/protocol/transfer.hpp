// The values of the transfer protocol, as they are between XML and queue: transfers, verdicts.
//
// Plain values without behaviour. Those that come from a peer were parsed and bounded by
// the transfer parser.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/mirror.hpp"
#include "mail/envelope.hpp"
#include "queue/complaint.hpp"
#include "queue/ports.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace component {

/// One message to be sent.
struct OutgoingMessage {
    queue::TransferKey key;
    mail::Envelope envelope;
    queue::Content content;  ///< in memory, if it goes as a whole
    base::TimePoint expires;
    /// The peer takes ret, envid, notify and orcpt; without it they are left out, as
    /// RFC 3461 5.2.2 has it for a next hop without DSN.
    bool dsn = true;
};

/// One message as a peer's stanza describes it; its content is a slice of the decoded block.
struct IncomingTransfer {
    queue::TransferKey key;
    mail::Envelope envelope;
    base::TimePoint expires;
    mail::Sha256 hash{};     ///< of the content, as the peer says
    std::size_t offset = 0;  ///< of the slice; 0 for <open/>
    std::size_t size = 0;    ///< of the content
};

/// A request: the slices of `transfers` tile the decoded block, in order.
struct IncomingBatch {
    std::vector<IncomingTransfer> transfers;  ///< at least one
    std::string block;                        ///< base64, not yet decoded
    bool deflated = false;
    std::size_t block_size = 0;  ///< of the decoded block, at most limits::kBlock
};

/// <open/>: a message whose content will come in pieces; the transfer's slice is all of it.
struct IncomingOpen {
    IncomingTransfer transfer;
};

/// <chunk/>: a part of an open transfer's content.
struct IncomingChunk {
    queue::TransferKey key;
    std::uint64_t offset = 0;
    std::size_t size = 0;  ///< of the decoded block, 1 to limits::kBlock
    bool deflated = false;
    std::string block;  ///< base64, not yet decoded
};

/// <commit/>: the content is complete.
struct IncomingCommit {
    queue::TransferKey key;
};

/// <status/>: what is known of the transfer?
struct IncomingStatus {
    queue::TransferKey key;
    std::optional<mail::Sha256> digest;  ///< of the transfer that is meant; nothing: whichever
};

/// <abort/>: the transfer is called back.
struct IncomingAbort {
    queue::TransferKey key;
    base::TimePoint expires;
    std::optional<mail::Sha256> digest;  ///< as that of IncomingStatus
};

/// <report/>: what became later of recipients that the component had accepted from us.
struct IncomingReport {
    queue::PeerReport report;  ///< at least one line
};

/// <complaint/>: one who got the message says that it is spam, or that it is not after all.
struct IncomingComplaint {
    queue::Complaint complaint;
};

/// <ack/>: what is on the receiver's disk.
struct Ack {
    queue::TransferKey key;
    std::uint64_t offset = 0;  ///< bytes from the start of the content
};

/// The answer to one transfer: final if it is done.
struct Verdict {
    /// What the receiver knows of the key. `committing`: it has everything, and decides.
    enum class State : std::uint8_t { done, open, committing, aborted, unknown };

    queue::TransferKey key;
    State state = State::done;
    std::string queue_id;  ///< the receiver's; empty if there is none
    std::vector<queue::RecipientVerdict> recipients;
    std::uint64_t offset = 0;  ///< open: as that of Ack
    std::size_t window = 0;    ///< open: bytes of content that may be unacknowledged
};
using Verdicts = std::vector<Verdict>;
/// The word for it in XML.
const char* to_text(Verdict::State state);

/// The stanza breaks the protocol.
struct Malformed {
    std::string why;
};

using TransferPayload = std::variant<Malformed, IncomingBatch, IncomingOpen, IncomingChunk,
                                     IncomingCommit, IncomingStatus, IncomingAbort, IncomingReport,
                                     IncomingComplaint, IncomingMirror, Ack, Verdicts, Mirrored>;

}  // namespace component
