// Receiver: a process that takes mail, with the real TransferReceiver, on a disk in memory.
#pragma once

#include "component/incoming/transfer_receiver.hpp"
#include "process.hpp"
#include "support/memory_reports.hpp"
#include "support/memory_transfers.hpp"

#include <memory>
#include <string>
#include <vector>

namespace simulation {

constexpr std::int64_t kFaults = 36 * kHour;  // then the world calms down
constexpr std::size_t kStanza = 12000;        // so that mails of some ten kilobytes need pieces

inline ComponentSettings settings_of(const std::string& jid, const std::string& serves) {
    ComponentSettings settings;
    settings.jid = jid;
    settings.max_stanza = kStanza;
    if (!serves.empty()) settings.domains = {domain(serves)};
    return settings;
}

/// Bob is known; Carol's mailbox is full at times; nobody else is here.
class Mailboxes final : public queue::RecipientCheck {
  public:
    explicit Mailboxes(Timeline& timeline) : timeline_(timeline) {}
    base::Task<std::vector<mail::Reply>> check(mail::ReversePath, bool,
                                               std::vector<mail::Mailbox> recipients) override {
        std::vector<mail::Reply> replies;
        for (const auto& recipient : recipients) {
            const bool full = recipient.local_part() == "carol" && timeline_.now() < kFaults &&
                              timeline_.chance(50);
            if (full)
                replies.push_back({452, {4, 2, 2}, "full"});
            else if (recipient.local_part() == "nobody")
                replies.push_back({550, {5, 1, 1}, "No such user here"});
            else
                replies.push_back({250, {2, 1, 5}, {}});
        }
        co_return replies;
    }

  private:
    Timeline& timeline_;
};

struct Receiver {
    Receiver(Surroundings& around, const std::string& jid, const std::string& serves,
             support::MemoryDisk& disk, Mailboxes& mailboxes, std::chrono::milliseconds skew,
             KeptClock& kept, std::uint64_t seed)
        : process(std::make_shared<Process>(around, settings_of(jid, serves), skew, kept, seed)),
          transfers(disk),
          router({{domain("b.test"), jid}}, jid) {
        transfers.step = [this] { return process->step(); };
        taker = std::make_unique<TransferReceiver>(process->io.get_executor(), *process,
                                                   *process->discovery, gate, transfers, transfers,
                                                   reports, &mailboxes, router, process->clock);
    }
    /// What it holds that a request, or an answer that it waits for, is the reason for.
    std::size_t holds() const {
        return taker->holds() + process->discovery->holds() + process->waits();
    }
    std::shared_ptr<Process> process;
    support::MemoryTransfers transfers;
    support::MemoryReports reports;
    ClassGate gate{ClassRules::unlimited(), process->clock};
    queue::Router router;
    std::unique_ptr<TransferReceiver> taker;
};

}  // namespace simulation
