#include "queue/sqlite/delivery/rerouting.hpp"

#include "queue/sqlite/store/rows.hpp"

namespace queue {
namespace {

std::string goes_on(const Destination& way) {
    if (way.lane == Lane::xmpp) return "goes on by " + way.component + ": ";
    return way.lane == Lane::local ? "is delivered here: " : "goes on by SMTP: ";
}

void move(Store& store, const Destination& way, QueueId message, std::int64_t n,
          const std::string& why) {
    Query update = store.database().query(
        "UPDATE recipient SET state = {queued}, attempts = 0, due_at = ?3, destination = ?4, "
        "transfer = NULL WHERE message = ?1 AND n = ?2"_sql);
    update.bind(message.value, n, to_millis(store.now()), store.number_of(way)).run();
    add_event(store, message, static_cast<std::uint32_t>(n), "rerouted", goes_on(way) + why);
}

}  // namespace

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
    if (must_wait(store.router(), destination, why)) return std::optional<Destination>();
    return std::optional(move_around(store, destination, message, n, why));
}

Destination move_around(Store& store, const Destination& destination, QueueId message,
                        std::int64_t n, const std::string& why) {
    Destination way = way_around(store.router(), destination);
    move(store, way, message, n, why);
    return way;
}

}  // namespace queue
