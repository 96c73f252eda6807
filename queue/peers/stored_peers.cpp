#include "queue/peers/stored_peers.hpp"

namespace queue {
namespace {

struct Nothing {};

std::vector<KnownPeer> load_peers(Store& store, const std::string& after, std::size_t most) {
    std::vector<KnownPeer> peers;
    Query find = store.database().query(
        "SELECT domain, component, first_seen, last_seen, sent_at, received_at FROM peer"
        " WHERE domain > ?1 ORDER BY domain LIMIT ?2");
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

base::Result<void> without_value(const base::Result<Committed<Nothing>>& answer) {
    if (!answer) return answer.error();
    return {};
}

}  // namespace

base::Task<base::Result<std::vector<KnownPeer>>> StoredPeers::load(
    std::optional<mail::Domain> after, std::size_t most) {
    std::function<base::Result<std::vector<KnownPeer>>(Store&)> operation =
        [after = after ? after->ascii() : std::string(), most](Store& store) {
            return base::Result<std::vector<KnownPeer>>(load_peers(store, after, most));
        };
    base::Result<std::vector<KnownPeer>> peers =
        co_await storage_.read<std::vector<KnownPeer>>(std::move(operation));
    co_return peers;
}

base::Task<base::Result<void>> StoredPeers::remember(KnownPeer peer) {
    std::function<base::Result<Nothing>(Store&)> operation = [peer =
                                                                  std::move(peer)](Store& store) {
        Query insert = store.database().query(
            "INSERT INTO peer (domain, component, first_seen, last_seen, sent_at, received_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (domain) DO UPDATE SET component = ?2, first_seen = ?3, last_seen = ?4,"
            " sent_at = ?5, received_at = ?6");
        insert
            .bind(peer.domain.ascii(), peer.component, to_millis(peer.first_seen),
                  to_millis(peer.last_seen), to_millis(peer.sent), to_millis(peer.received))
            .run();
        return base::Result<Nothing>(Nothing{});
    };
    const base::Result<Committed<Nothing>> answer =
        co_await storage_.write<Nothing>(std::move(operation));
    co_return without_value(answer);
}

base::Task<base::Result<void>> StoredPeers::forget(std::vector<mail::Domain> domains) {
    std::function<base::Result<Nothing>(Store&)> operation =
        [domains = std::move(domains)](Store& store) {
            for (const mail::Domain& domain : domains) {
                Query remove = store.database().query("DELETE FROM peer WHERE domain = ?1");
                remove.bind(domain.ascii()).run();
            }
            return base::Result<Nothing>(Nothing{});
        };
    const base::Result<Committed<Nothing>> answer =
        co_await storage_.write<Nothing>(std::move(operation));
    co_return without_value(answer);
}

}  // namespace queue
