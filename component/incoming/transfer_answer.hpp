// TransferAnswer: the one answer that a request with transfers gets, whatever happens to it.
//
// Shared by whoever works on the request; when the last one lets go without having answered, an
// internal-server-error does. Event loop only; the link outlives it.
//
// Tested by tests/unit/component/incoming/transfer_receiver_test.cpp.
#pragma once

#include "component/incoming/transfer_judge.hpp"
#include "component/stream/link.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace component {

/// What is known of a transfer, as its sender is told. `window`: for one that is open.
Verdict verdict_of(const queue::TransferKey& key, const queue::KnownTransfer& known,
                   std::size_t window);

/// What a peer is told of `transfer` once it is on the disk, as `receipt` proves.
Verdict stored_verdict(LogLimiter& limiter, const std::string& peer,
                       const IncomingTransfer& transfer, const Replies& replies,
                       const queue::Committed<queue::Receipt>& receipt);

class TransferAnswer {
  public:
    /// `peer`: the bare JID that asked. `held` is let go with it.
    TransferAnswer(Link& link, IqHead head, std::string peer, std::shared_ptr<void> held);
    ~TransferAnswer();
    TransferAnswer(const TransferAnswer&) = delete;
    TransferAnswer& operator=(const TransferAnswer&) = delete;

    const std::string& peer() const { return peer_; }
    void fail(const StanzaError& error);
    /// The payload of an IQ result.
    void give(std::string_view payload);
    /// The same; texts are cut as far as a stanza of `bound` bytes needs it.
    void give(const Verdicts& verdicts, std::size_t bound);

  private:
    Link& link_;
    IqHead head_;
    std::string peer_;
    std::shared_ptr<void> held_;
    bool given_ = false;
};

}  // namespace component
