#include "queue/fallback.hpp"

#include "queue/log.hpp"
#include "queue/rows.hpp"

#include <chrono>

namespace queue {
namespace {

/// Recipients that wait, and of whose mail nothing has left.
constexpr const char* kNeverSent =
    " WHERE destination = ?1 AND state IN (1, 3)"
    " AND (transfer IS NULL OR (SELECT sends FROM transfer WHERE number = recipient.transfer) = 0)"
    " AND (SELECT received_at FROM message WHERE id = recipient.message) <= ?5";

std::string goes_on(const Destination& way) {
    return way.lane == Lane::local ? "is delivered here: " : "goes on by SMTP: ";
}

/// Those of messages that came until `latest`. Returns how many.
int move_never_sent(Store& store, const Destination& destination, const std::string& why,
                    base::TimePoint latest) {
    const Destination way = way_around(store, destination);
    static const std::string note_sql =
        std::string(
            "INSERT INTO event (message, at, n, what, detail)"
            " SELECT message, ?2, n, 'rerouted', ?3 FROM recipient") +
        kNeverSent;
    static const std::string move_sql =
        std::string(
            "UPDATE recipient SET state = 1, attempts = 0, due_at = ?2, destination = ?4,"
            " transfer = NULL") +
        kNeverSent;
    const std::int64_t number = store.number_of(destination);
    const std::int64_t now = to_millis(store.now());
    {
        Query note = store.database().query(note_sql.c_str());
        note->bind(1, number);
        note->bind(2, now);
        note->bind(3, goes_on(way) + why);
        note->bind(5, to_millis(latest));
        note.run();
    }
    Query move = store.database().query(move_sql.c_str());
    move->bind(1, number);
    move->bind(2, now);
    move->bind(4, store.number_of(way));
    move->bind(5, to_millis(latest));
    move.run();
    const int moved = store.database().changes();
    if (moved > 0)
        store.after_commit([=] { log::destination_rerouted(destination, way, why, moved); });
    return moved;
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

std::string required_text(const Destination& destination, const std::string& why) {
    return "mail to " + destination.domain +
           " goes over XMPP or not at all (policy = require): " + why;
}

base::Result<RerouteResult> reroute_destination(Store& store, const Destination& destination,
                                                const Rerouted& why) {
    if (store.router().rule(destination.domain).required) {
        const Deferred waits{{451, {4, 7, 0}, required_text(destination, why.why)}, "", false, {}};
        const auto until = store.now() + store.settings().retry.wait(1, store.random());
        auto woken = defer_destination(store, destination, waits, until);
        if (!woken) return woken.error();
        return RerouteResult{std::move(*woken), true};
    }
    RerouteResult result;
    if (move_never_sent(store, destination, why.why, store.now()) > 0)
        result.woken.push_back(way_around(store, destination));
    return result;
}

Woken fall_back(Store& store, const Destination& destination, const Deferred& why) {
    const auto most = patience(store, destination);
    if (!most) return {};
    // Who has been out for so long gets no new mail either.
    const bool given_up = why.since && store.now() - *why.since >= *most;
    const auto latest = given_up ? store.now() : store.now() - *most;
    const std::string text = "not reached over XMPP in time (fallback-after): " + why.reply.text;
    const int moved = move_never_sent(store, destination, text, latest);
    return moved > 0 ? Woken{way_around(store, destination)} : Woken();
}

std::optional<std::string> waits_too_long(Store& store, const Destination& destination,
                                          base::TimePoint received_at) {
    const auto most = patience(store, destination);
    if (!most || store.now() - received_at < *most) return std::nullopt;
    return "not taken over XMPP in time (fallback-after)";
}

Destination move_around(Store& store, const Destination& destination, QueueId message,
                        std::int64_t n, const std::string& why) {
    Destination way = way_around(store, destination);
    Query update = store.database().query(
        "UPDATE recipient SET state = 1, attempts = 0, due_at = ?3, destination = ?4, transfer = "
        "NULL"
        " WHERE message = ?1 AND n = ?2");
    update.bind(message.value, n, to_millis(store.now()), store.number_of(way)).run();
    add_event(store, message, static_cast<std::uint32_t>(n), "rerouted", goes_on(way) + why);
    return way;
}

}  // namespace queue
