#include "queue/delivery/fallback.hpp"

#include "queue/store/rows.hpp"

#include <chrono>

namespace queue {
namespace {

std::string goes_on(const Destination& way) {
    if (way.lane == Lane::xmpp) return "goes on by " + way.component + ": ";
    return way.lane == Lane::local ? "is delivered here: " : "goes on by SMTP: ";
}

void move(Store& store, const Destination& way, QueueId message, std::int64_t n,
          const std::string& why) {
    Query update = store.database().query(
        "UPDATE recipient SET state = 1, attempts = 0, due_at = ?3, destination = ?4, transfer = "
        "NULL"
        " WHERE message = ?1 AND n = ?2");
    update.bind(message.value, n, to_millis(store.now()), store.number_of(way)).run();
    add_event(store, message, static_cast<std::uint32_t>(n), "rerouted", goes_on(way) + why);
}

/// How long mail of `destination` waits for its peer; nothing: as long as it may.
std::optional<std::chrono::milliseconds> patience(Store& store, const Destination& destination) {
    if (destination.lane != Lane::xmpp) return std::nullopt;
    const LaneRule rule = store.router().rule(destination.domain);
    return rule.required ? std::nullopt : rule.fallback_after;
}

}  // namespace

Destination way_around(const Store& store, const Destination& destination) {
    const auto domain = mail::Domain::parse(destination.domain);
    const Router& router = store.router();
    return domain && router.serves(*domain) ? router.local(*domain) : kRelay;
}

bool is_orphaned(const Store& store, const Destination& destination) {
    return destination.lane == Lane::xmpp &&
           !store.router().components().contains(destination.component);
}

base::Result<std::optional<Destination>> move_from_component(Store& store,
                                                             const Destination& destination,
                                                             QueueId message, std::int64_t n,
                                                             const std::string& why) {
    const auto row = read_message(store, message);
    if (!row) return row.error();
    const auto heir = store.router().component_for(row->envelope.from);
    if (heir && *heir != destination.component) {
        Destination way{Lane::xmpp, *heir, destination.domain};
        move(store, way, message, n, why);
        return std::optional(std::move(way));
    }
    if (must_wait(store, destination, why)) return std::optional<Destination>();
    return std::optional(move_around(store, destination, message, n, why));
}

std::string required_text(const Destination& destination, const std::string& why) {
    return "mail to " + destination.domain +
           " goes over XMPP or not at all (policy = require): " + why;
}

std::optional<base::TimePoint> given_up_until(Store& store, const Destination& destination,
                                              const Deferred& why) {
    const auto most = patience(store, destination);
    if (!most || !store.may_end_by_time()) return std::nullopt;
    // Who has been out for so long gets no new mail either.
    const bool given_up = why.since && store.steady() - *why.since >= *most;
    return given_up ? store.now() : store.now() - *most;
}

std::optional<Deferred> must_wait(const Store& store, const Destination& destination,
                                  const std::string& why) {
    if (!store.router().rule(destination.domain).required) return std::nullopt;
    return Deferred{{451, {4, 7, 0}, required_text(destination, why)}, "", false, {}};
}

std::optional<std::string> waits_too_long(Store& store, const Destination& destination,
                                          base::TimePoint received_at) {
    const auto most = patience(store, destination);
    if (!most || store.now() - received_at < *most) return std::nullopt;
    if (!store.may_end_by_time()) return std::nullopt;
    return "not taken over XMPP in time (fallback-after)";
}

Destination move_around(Store& store, const Destination& destination, QueueId message,
                        std::int64_t n, const std::string& why) {
    Destination way = way_around(store, destination);
    move(store, way, message, n, why);
    return way;
}

}  // namespace queue
