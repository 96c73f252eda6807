// The values of the transfer protocol, as they are between XML and queue: transfers, verdicts.
//
// Plain values without behaviour. Those that come from a peer were parsed and bounded by
// TransferParser.
#pragma once

#include "base/clock.hpp"
#include "mail/content.hpp"
#include "mail/envelope.hpp"
#include "queue/ports.hpp"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace component {

/// One message to be sent.
struct OutgoingMessage {
    queue::TransferKey key;
    mail::Envelope envelope;
    mail::Content content;
    base::TimePoint expires;
};

/// One message as a peer's stanza describes it; its content is a slice of the decoded block.
struct IncomingTransfer {
    queue::TransferKey key;
    mail::Envelope envelope;
    base::TimePoint expires;
    mail::Sha256 hash{};  ///< of the content, as the peer says
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// A request: the slices of `transfers` tile the decoded block, in order.
struct IncomingBatch {
    std::vector<IncomingTransfer> transfers;  ///< at least one
    std::string block;                        ///< base64, not yet decoded
    bool deflated = false;
    std::size_t block_size = 0;  ///< of the decoded block, at most limits::kBlock
};

/// The final answer to one transfer.
struct Verdict {
    queue::TransferKey key;
    std::string queue_id;  ///< the receiver's; empty if there is none
    std::vector<queue::RecipientVerdict> recipients;
};
using Verdicts = std::vector<Verdict>;

/// The stanza breaks the protocol.
struct Malformed {
    std::string why;
};

using TransferPayload = std::variant<Malformed, IncomingBatch, Verdicts>;

}  // namespace component
