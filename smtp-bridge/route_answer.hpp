// RouteAnswer: what a socketmap request of Postfix is answered with. Pure but for reading the
// RouteTable.
//
// Any thread.
#pragma once

#include "queue/destination.hpp"
#include "queue/route_table.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace smtp_bridge {

/// The map that Postfix names in `socketmap:inet:HOST:PORT:route`.
inline constexpr std::string_view kRouteMap = "route";

/// `request` is `NAME SP KEY`. `on_miss` hears of a domain that the table knows nothing of.
std::string route_answer(std::string_view request, std::string_view ok_answer,
                         const queue::RouteTable& table, const queue::Router& router,
                         const std::function<void(const mail::Domain&)>& on_miss);

}  // namespace smtp_bridge
