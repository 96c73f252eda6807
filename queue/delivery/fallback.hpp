// Fallback: which mail of Lane::xmpp goes by SMTP after all, and which must not. Pure.
//
// Tested by tests/unit/queue/delivery/fallback_test.cpp.
#pragma once

#include "queue/destination.hpp"
#include "queue/moment.hpp"
#include "queue/ports.hpp"

#include <optional>
#include <string>

namespace queue {

inline const Destination kRelay{Lane::relay, "", ""};

/// The way of mail of `destination` that does not go over XMPP: by SMTP; or into our own MTA, where
/// the domain is served here by now.
Destination way_around(const Router& router, const Destination& destination);

/// Whether the component that was to send it is none of ours any more.
bool is_orphaned(const Router& router, const Destination& destination);

/// The peer can't be reached now, for `why`: what came until this time, and was never sent, has
/// waited for it too long and goes by SMTP. Nothing: all waits on.
std::optional<base::TimePoint> given_up_until(const Router& router, const Destination& destination,
                                              const Deferred& why, const Moment& moment);

/// Where the administrator requires XMPP: what mail that can't go over it now, for `why`, is told.
std::optional<Deferred> must_wait(const Router& router, const Destination& destination,
                                  const std::string& why);

/// Why a message that came at `received_at` is not to wait for its peer any longer, if so.
std::optional<std::string> waits_too_long(const Router& router, const Destination& destination,
                                          base::TimePoint received_at, const Moment& moment);

/// What mail to `domain`, whose `rule` requires XMPP, is told instead of going by SMTP.
std::string required_text(const LaneRule& rule, const std::string& domain, const std::string& why);

}  // namespace queue
