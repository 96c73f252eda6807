#include "queue/sqlite/store/peer_rows.hpp"

namespace queue {

std::vector<KnownPeer> load_peers(Store& store, const std::string& after, std::size_t most) {
    std::vector<KnownPeer> peers;
    Query find = store.database().query(
        "SELECT domain, component, first_seen, last_seen, sent_at, received_at FROM peer"
        " WHERE domain > ?1 ORDER BY domain LIMIT ?2"_sql);
    find.bind(after, static_cast<std::int64_t>(most));
    while (find.step()) {
        auto domain = mail::Domain::parse(find.text(0));
        // A row that can't be read is only a memory lost: the domain is looked up again.
        if (!domain) continue;
        peers.push_back({std::move(*domain), find.text(1), from_millis(find.integer(2)),
                         from_millis(find.integer(3)), from_millis(find.integer(4)),
                         from_millis(find.integer(5))});
    }
    return peers;
}

void remember_peer(Store& store, const KnownPeer& peer) {
    Query insert = store.database().query(
        "INSERT INTO peer (domain, component, first_seen, last_seen, sent_at, received_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (domain) DO UPDATE SET component = ?2, first_seen = ?3, last_seen = ?4,"
        " sent_at = ?5, received_at = ?6"_sql);
    insert
        .bind(peer.domain.ascii(), peer.component, to_millis(peer.first_seen),
              to_millis(peer.last_seen), to_millis(peer.sent), to_millis(peer.received))
        .run();
}

void forget_peers(Store& store, const std::vector<mail::Domain>& domains) {
    for (const mail::Domain& domain : domains) {
        Query remove = store.database().query("DELETE FROM peer WHERE domain = ?1"_sql);
        remove.bind(domain.ascii()).run();
    }
}

std::set<std::string> load_retired(Store& store) {
    std::set<std::string> names;
    Query find = store.database().query("SELECT component FROM retired"_sql);
    while (find.step())
        names.insert(find.text(0));
    return names;
}

void set_retired(Store& store, const std::string& component, bool retired) {
    if (retired) {
        Query insert = store.database().query(
            "INSERT INTO retired (component, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING"_sql);
        insert.bind(component, to_millis(store.now())).run();
    } else {
        Query remove = store.database().query("DELETE FROM retired WHERE component = ?1"_sql);
        remove.bind(component).run();
    }
}

}  // namespace queue
