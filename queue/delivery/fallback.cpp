#include "queue/delivery/fallback.hpp"

#include <chrono>

namespace queue {
namespace {

/// How long mail of `destination` waits for its peer; nothing: as long as it may.
std::optional<std::chrono::milliseconds> patience(const Router& router,
                                                  const Destination& destination) {
    if (destination.lane != Lane::xmpp) return std::nullopt;
    const LaneRule rule = router.rule(destination);
    return rule.required ? std::nullopt : rule.fallback_after;
}

}  // namespace

Destination way_around(const Router& router, const Destination& destination) {
    const auto domain = mail::Domain::parse(destination.domain);
    return domain && router.serves(*domain) ? router.local(*domain) : kRelay;
}

bool is_orphaned(const Router& router, const Destination& destination) {
    return destination.lane == Lane::xmpp && !router.components().contains(destination.component);
}

std::optional<base::TimePoint> given_up_until(const Router& router, const Destination& destination,
                                              const Deferred& why, const Moment& moment) {
    const auto most = patience(router, destination);
    if (!most || !moment.is_believed) return std::nullopt;
    // Who has been out for so long gets no new mail either.
    const bool given_up = why.since && moment.steady - *why.since >= *most;
    return given_up ? moment.now : moment.now - *most;
}

std::optional<Deferred> must_wait(const Router& router, const Destination& destination,
                                  const std::string& why) {
    const LaneRule rule = router.rule(destination);
    if (!rule.required) return std::nullopt;
    return Deferred{{451, {4, 7, 0}, required_text(rule, destination.domain, why)}, "", false, {}};
}

std::optional<std::string> waits_too_long(const Router& router, const Destination& destination,
                                          base::TimePoint received_at, const Moment& moment) {
    const auto most = patience(router, destination);
    if (!most || moment.now - received_at < *most || !moment.is_believed) return std::nullopt;
    return "not taken over XMPP in time (fallback-after)";
}

std::string required_text(const LaneRule& rule, const std::string& domain, const std::string& why) {
    const char* const by = rule.promised ? "we have promised that to it" : "policy = require";
    return "mail to " + domain + " goes over XMPP or not at all (" + by + "): " + why;
}

}  // namespace queue
