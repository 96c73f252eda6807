// PolicyLookup: Postfix's policy service (SMTPD_POLICY_README). By it we hear to whom mail goes, so
// that domains of which nothing is known are looked up while the mail takes its usual way; and who
// has logged in to send it, who is slowed or stopped beyond what a sender may send.
//
// Reads the RouteTable, and counts in SenderCounts; else pure; any thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/route_table.hpp"
#include "queue/sender_counts.hpp"
#include "smtp-bridge/lookup/lookup.hpp"

namespace smtp_bridge {

class PolicyLookup final : public Lookup {
  public:
    /// All have to outlive it. `senders`: nullptr: no login has limits.
    PolicyLookup(const queue::RouteTable& table, const queue::Router& router,
                 queue::SenderCounts* senders = nullptr)
        : table_(table), router_(router), senders_(senders) {}

    base::Result<std::size_t> answer(std::string_view input, std::string& output,
                                     const OnMiss& on_miss) const override;

  private:
    struct Request;

    std::string action_on(const Request& request) const;

    const queue::RouteTable& table_;
    const queue::Router& router_;
    queue::SenderCounts* senders_;
};

}  // namespace smtp_bridge
