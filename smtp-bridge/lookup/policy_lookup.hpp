// PolicyLookup: Postfix's policy service (SMTPD_POLICY_README). By it we hear to whom mail goes, so
// that domains of which nothing is known are looked up while the mail takes its usual way; who has
// logged in to send it, who is slowed or stopped beyond what a sender may send; and which mail has
// come by SMTP though its domain has promised that it would not (closed_lane).
//
// Reads the RouteTable, and counts in SenderCounts; else pure; any thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/peer_promise.hpp"
#include "queue/route_table.hpp"
#include "queue/sender_counts.hpp"
#include "smtp-bridge/lookup/closed_lane.hpp"
#include "smtp-bridge/lookup/lookup.hpp"

#include <memory>

namespace smtp_bridge {

class PolicyLookup final : public Lookup {
  public:
    /// All have to outlive it. `senders`: nullptr: no login has limits; `lane`: nullptr: nobody has
    /// promised anything.
    PolicyLookup(const queue::RouteTable& table, const queue::Router& router,
                 queue::SenderCounts* senders = nullptr, ClosedLaneSettings settings = {},
                 queue::ClosedLane* lane = nullptr)
        : table_(table),
          router_(router),
          senders_(senders),
          settings_(std::make_shared<const ClosedLaneSettings>(std::move(settings))),
          lane_(lane) {}

    base::Result<LookupAnswer> answer(std::string_view input, std::string& output,
                                      const OnMiss& on_miss) const override;

  private:
    struct Request;

    std::string action_on(const Request& request) const;
    /// The question to ask of mail by which nobody has logged in; nothing: it is none of ours.
    std::optional<queue::LaneQuestion> lane_question(const Request& request) const;
    /// The answer, appended; or how to get it.
    std::optional<OpenAnswer> answer_on_lane(queue::LaneQuestion question, std::string instance,
                                             std::string& output) const;

    const queue::RouteTable& table_;
    const queue::Router& router_;
    queue::SenderCounts* senders_;
    std::shared_ptr<const ClosedLaneSettings> settings_;
    queue::ClosedLane* lane_;
    /// Shared with answers that are open when this is gone.
    std::shared_ptr<MarkedMessages> marked_ = std::make_shared<MarkedMessages>();
};

}  // namespace smtp_bridge
