#include "queue/sqlite/store/own_promise_rows.hpp"

#include "base/text.hpp"

namespace queue {

std::vector<OwnPromise> load_own_promises(Store& store) {
    std::vector<OwnPromise> promises;
    Query find = store.database().query("SELECT component, domains, until FROM own_promise"_sql);
    while (find.step()) {
        OwnPromise promise{find.text(0), {}, from_millis(find.integer(2))};
        const std::string domains = find.text(1);
        for (const std::string_view domain : base::split(domains, " "))
            promise.domains.emplace(domain);
        promises.push_back(std::move(promise));
    }
    return promises;
}

void set_own_promise(Store& store, const OwnPromise& promise) {
    std::string domains;
    for (const std::string& domain : promise.domains)
        domains += (domains.empty() ? "" : " ") + domain;
    Query insert = store.database().query(
        "INSERT INTO own_promise (component, domains, until) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (component) DO UPDATE SET domains = ?2, until = ?3"_sql);
    insert.bind(promise.component, domains, to_millis(promise.until)).run();
}

void end_own_promise(Store& store, const std::string& component) {
    {
        Query remove =
            store.database().query("DELETE FROM own_promise_told WHERE component = ?1"_sql);
        remove.bind(component).run();
    }
    Query remove = store.database().query("DELETE FROM own_promise WHERE component = ?1"_sql);
    remove.bind(component).run();
}

std::vector<Told> load_told(Store& store, const LoadTold& op) {
    std::vector<Told> all;
    Query find = store.database().query(
        "SELECT component, peer, at FROM own_promise_told WHERE (component, peer) > (?1, ?2)"
        " ORDER BY component, peer LIMIT ?3"_sql);
    find.bind(op.after ? op.after->component : std::string(),
              op.after ? op.after->peer : std::string(), static_cast<std::int64_t>(op.most));
    while (find.step())
        all.push_back({find.text(0), find.text(1), from_millis(find.integer(2))});
    return all;
}

void set_told(Store& store, const Told& told) {
    Query insert = store.database().query(
        "INSERT INTO own_promise_told (component, peer, at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (component, peer) DO UPDATE SET at = ?3"_sql);
    insert.bind(told.component, told.peer, to_millis(told.at)).run();
}

void remove_told(Store& store, const std::string& component, const std::string& peer) {
    Query remove = store.database().query(
        "DELETE FROM own_promise_told WHERE component = ?1 AND peer = ?2"_sql);
    remove.bind(component, peer).run();
}

}  // namespace queue
