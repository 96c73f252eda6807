// RouteLookup: Postfix's socketmap, in which it asks whether an address goes to Packetboat
// (socketmap_table(5)). Reads the RouteTable, else pure; any thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/route_table.hpp"
#include "smtp-bridge/lookup/lookup.hpp"

namespace smtp_bridge {

/// The map that Postfix names in `socketmap:inet:HOST:PORT:route`.
inline constexpr std::string_view kRouteMap = "route";

class RouteLookup final : public Lookup {
  public:
    /// `ok`: for domains that take mail over XMPP, `lmtp:inet:[127.0.0.1]:2424`. `table` and
    /// `router` have to outlive it.
    RouteLookup(std::string ok, const queue::RouteTable& table, const queue::Router& router)
        : ok_(std::move(ok)), table_(table), router_(router) {}

    base::Result<LookupAnswer> answer(std::string_view input, std::string& output,
                                      const OnMiss& on_miss) const override;
    /// `request` is `NAME SP KEY`.
    std::string answer_to(std::string_view request, const OnMiss& on_miss) const;

  private:
    std::string ok_;
    const queue::RouteTable& table_;
    const queue::Router& router_;
};

}  // namespace smtp_bridge
