#include "queue/sqlite/delivery/due_destinations.hpp"

#include "queue/sqlite/delivery/leases.hpp"

namespace queue {
namespace {

/// The next number of a destination with mail; from one to the next by a leap in the index.
std::optional<std::int64_t> next_with_mail(Store& store, std::int64_t after) {
    Query find = store.database().query(
        "SELECT destination FROM recipient WHERE state IN ({queued}, {deferred}) AND destination > "
        "?1"
        " ORDER BY destination LIMIT 1"_sql);
    if (!find.bind(after).step()) return std::nullopt;
    return find.integer(0);
}

}  // namespace

DuePage due_destinations(Store& store, std::int64_t after, std::size_t most) {
    DuePage page;
    page.next = after;
    while (page.destinations.size() < most) {
        page.next = next_with_mail(store, *page.next);
        if (!page.next) break;
        const auto due = next_due(store, *page.next);
        if (due) page.destinations.push_back({store.destination(*page.next), *due});
    }
    return page;
}

}  // namespace queue
