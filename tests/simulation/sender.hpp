// Sender: the queue of mail.a.test as a model in memory, around the real XmppCourier.
//
// The disk (mails, recipients, transfers) survives a crash; leases and settlements are durable
// steps on it, with the rules of queue/sqlite/delivery/leases and queue/sqlite/delivery/settlement.
#pragma once

#include "component/outgoing/xmpp_courier.hpp"
#include "process.hpp"

#include <optional>
#include <vector>

namespace simulation {

struct Mail {
    std::string content;
    base::TimePoint received;
    base::TimePoint expires;
    std::int64_t added = 0;  ///< of the timeline
    bool poison = false;     ///< the peer finds every stanza with it malformed
};

enum class State { waiting, leased, held, delivered, smtp, failed, expired };

struct Recipient {
    std::size_t mail = 0;
    std::uint32_t n = 0;
    std::string address;
    State state = State::waiting;
    base::TimePoint due{};
    int attempts = 0;
    std::int64_t ended = 0;  ///< of the timeline: when it was last seen to have ended
    std::optional<std::size_t> transfer{};
    bool unclear = false;  ///< it ended while something of it may have been at a peer
};

struct SentTransfer {
    queue::TransferKey key;
    std::size_t mail = 0;
    std::string peer;
    int sends = 0;
    base::TimePoint expires;
};

struct SenderDisk {
    std::vector<Mail> mails;
    std::vector<Recipient> recipients;
    std::vector<SentTransfer> transfers;

    bool all_ended() const;
};

class Sender {
  public:
    Sender(Surroundings& around, SenderDisk& disk, ComponentSettings settings,
           std::chrono::milliseconds skew, KeptClock& kept, std::uint64_t seed);
    ~Sender();

    /// Looks what is due.
    void wake();
    void die();
    Process& process() { return *process_; }
    std::size_t at_work() const { return passes_; }
    std::size_t holds() const {
        return passes_ + courier_->holds() + process_->discovery->holds() + process_->waits();
    }

  private:
    base::Task<void> pass();
    void correct_arrivals();
    bool is_over(const Mail& mail);
    std::vector<queue::LeasedMessage> lease(const queue::Ready& ready);
    void reroute();
    void put_off(std::optional<std::chrono::seconds> wait);
    void settle(const std::vector<queue::MessageOutcome>& outcomes);
    void settle_one(Recipient& recipient, const queue::Outcome& outcome);
    void put_off(Recipient& recipient, std::optional<std::chrono::seconds> asked);
    bool is_due(const Recipient& recipient) const;

    Surroundings& around_;
    SenderDisk& disk_;
    std::shared_ptr<Process> process_;
    std::unique_ptr<XmppCourier> courier_;
    queue::Destination destination_{queue::Lane::xmpp, "mail.a.test", "b.test"};
    std::size_t passes_ = 0;
    std::uint64_t believed_ = 0;
};

}  // namespace simulation
