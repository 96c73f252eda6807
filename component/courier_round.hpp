// CourierRound: one deliver() of the XmppCourier: batches, sends, and turns answers into outcomes.
//
// Lives in the frame of deliver(). Owns the leased messages; every message gets exactly one
// MessageOutcome.
#pragma once

#include "base/clock.hpp"
#include "component/block_codec.hpp"
#include "component/capability.hpp"
#include "component/error_table.hpp"
#include "component/link.hpp"
#include "component/transfer_codec.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace component {

/// The longest stanza, in bytes, that may go from us to a peer (protocol, "Capability form").
std::size_t stanza_bound(const ComponentSettings& ours, const Capability& theirs);

class CourierRound {
  public:
    CourierRound(std::vector<queue::LeasedMessage> messages, base::TimePoint now,
                 std::chrono::milliseconds answer_time, BlockCodec& codec);

    /// The components that the messages' transfers are for, in order, each once.
    std::vector<std::string> peers() const;
    /// Sends the messages for `peer`, and settles or defers each.
    base::Task<void> deliver_to(Link& link, std::string peer, Capability theirs);
    void defer_all(const mail::Reply& reply);
    std::vector<queue::MessageOutcome> take_outcomes();

    /// About the last deliver_to().
    bool was_too_much() const { return too_much_; }
    bool was_answered() const { return answered_; }
    bool was_not_there() const { return not_there_; }

  private:
    struct Item {
        queue::LeasedMessage message;
        std::vector<queue::RecipientOutcome> outcomes;
        bool done = false;
        bool sent = false;
        /// A stanza with this transfer may have been stored by the peer: the fence is closed.
        bool fenced = false;
    };
    using Batch = std::vector<Item*>;
    struct Peer {
        Link& link;
        std::string jid;
        Capability theirs;
        std::size_t bound = 0;  ///< of a stanza
        bool gone = false;      ///< it, or the link, has failed in this round
    };

    std::vector<Batch> make_batches(const Peer& peer);
    /// True if it can be sent at all; else it has its outcome.
    bool admit(Item& item, const Peer& peer);
    base::Task<void> send_batch(Peer& peer, Batch batch);
    base::Task<void> send_split(Peer& peer, Batch batch);
    void settle(const Peer& peer, const Batch& batch, Verdicts verdicts);
    void settle_one(const Peer& peer, Item& item, const Verdict& verdict);
    void fail(const Peer& peer, Item& item, const Failure& failure);
    void defer(Item& item, const mail::Reply& reply, const std::string& remote,
               std::optional<std::chrono::seconds> retry_after = {});
    /// By SMTP if it was never sent; else the same again, later.
    void reroute_or_defer(Item& item, const std::string& why, mail::EnhancedStatus status,
                          const std::string& remote);
    void give(Item& item, const queue::Outcome& outcome);

    std::vector<std::unique_ptr<Item>> items_;
    base::TimePoint now_;
    std::chrono::milliseconds answer_time_;
    BlockCodec& codec_;
    bool too_much_ = false;
    bool answered_ = false;
    bool not_there_ = false;
};

}  // namespace component
