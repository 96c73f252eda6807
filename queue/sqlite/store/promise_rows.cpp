#include "queue/sqlite/store/promise_rows.hpp"

#include "base/text.hpp"

namespace queue {

std::vector<PeerPromise> load_promises(Store& store, const std::string& after, std::size_t most) {
    std::vector<PeerPromise> promises;
    Query find = store.database().query(
        "SELECT domain, component, first_read, last_read, until, counts, bound FROM promise"
        " WHERE domain > ?1 ORDER BY domain LIMIT ?2"_sql);
    find.bind(after, static_cast<std::int64_t>(most));
    while (find.step()) {
        auto domain = mail::Domain::parse(find.text(0));
        // A row that can't be read is only a memory lost: the form is read again.
        if (!domain) continue;
        PeerPromise promise{std::move(*domain), find.text(1), from_millis(find.integer(2)),
                            from_millis(find.integer(3)), from_millis(find.integer(4))};
        promise.counts = find.integer(5) != 0;
        const std::string bound = find.text(6);
        for (const std::string_view name : base::split(bound)) {
            if (const auto ours = mail::Domain::parse(name)) promise.bind(*ours);
        }
        promises.push_back(std::move(promise));
    }
    return promises;
}

void keep_promise(Store& store, const PeerPromise& promise) {
    Query keep = store.database().query(
        "INSERT INTO promise (domain, component, first_read, last_read, until, counts, bound)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (domain) DO UPDATE SET component = ?2, first_read = ?3, last_read = ?4,"
        " until = ?5, counts = ?6, bound = ?7"_sql);
    std::string bound;
    for (const mail::Domain& ours : promise.bound)
        bound += (bound.empty() ? "" : " ") + ours.ascii();
    keep.bind(promise.domain.ascii(), promise.component, to_millis(promise.first_read),
              to_millis(promise.last_read), to_millis(promise.until), promise.counts ? 1 : 0, bound)
        .run();
}

void forget_promise(Store& store, const mail::Domain& domain) {
    Query remove = store.database().query("DELETE FROM promise WHERE domain = ?1"_sql);
    remove.bind(domain.ascii()).run();
}

}  // namespace queue
