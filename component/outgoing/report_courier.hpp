// ReportCourier: tells a peer's component what became of mail that we had accepted from it, and who
// complains of it.
//
// The queue's Courier for Lane::report: each message's content is a queue::PeerReport, or a batch
// of queue::Complaint. Both may be repeated as often as need be (the seq of a report removes
// repeats, and a complaint says the same each time), so there is no fence. Event loop only; owns
// nothing; never throws.
#pragma once

#include "component/discovery/discovery.hpp"
#include "component/stream/link.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace component {

class ReportCourier final : public queue::Courier {
  public:
    /// `links`: our components by their JIDs; they and the rest outlive the courier and its calls.
    ReportCourier(std::map<std::string, Link*> links, Discovery& discovery,
                  std::chrono::milliseconds answer_time = base::limits::kIqTime)
        : links_(std::move(links)), discovery_(discovery), answer_time_(answer_time) {}

    base::Task<queue::Readiness> prepare(queue::Destination destination,
                                         queue::Urgency urgency) override;
    base::Task<void> deliver(queue::Destination destination,
                             std::vector<queue::LeasedMessage> messages, queue::Tell tell) override;
    std::size_t concurrency() const override;

  private:
    Link* link_of(const queue::Destination& destination) const;
    base::Task<queue::Outcome> send(Link& link, std::string peer, queue::Content content);
    base::Task<queue::Outcome> send_complaints(Link& link, std::string peer, std::string text);
    /// Nothing: it takes them.
    base::Task<std::optional<queue::Outcome>> refuse_complaints(Link& link, std::string peer,
                                                                mail::Domain domain);
    base::Task<queue::Outcome> send_part(Link& link, std::string peer, queue::PeerReport part);

    std::map<std::string, Link*> links_;
    Discovery& discovery_;
    std::chrono::milliseconds answer_time_;
};

}  // namespace component
