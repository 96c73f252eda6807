// PolicyLookup: Postfix's policy delegation protocol (SMTPD_POLICY_README), by which it tells us to
// whom mail goes. We only listen: the answer is always DUNNO. Reads the RouteTable, else pure; any
// thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/route_table.hpp"
#include "smtp-bridge/lookup/lookup.hpp"

namespace smtp_bridge {

class PolicyLookup final : public Lookup {
  public:
    /// Both have to outlive it.
    PolicyLookup(const queue::RouteTable& table, const queue::Router& router)
        : table_(table), router_(router) {}

    base::Result<std::size_t> answer(std::string_view input, std::string& output,
                                     const OnMiss& on_miss) const override;

  private:
    const queue::RouteTable& table_;
    const queue::Router& router_;
};

}  // namespace smtp_bridge
