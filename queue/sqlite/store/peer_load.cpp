#include "queue/sqlite/store/peer_load.hpp"

#include "queue/sqlite/store/database.hpp"

namespace queue {

void PeerLoad::count(Database& database) {
    loads_.clear();
    Query find = database.query(
        "SELECT origin_client, COUNT(*), SUM(size) FROM message"
        " WHERE origin_kind = {from_xmpp} AND ended_at IS NULL GROUP BY origin_client"_sql);
    while (find.step()) {
        Load& load = loads_[mail::Organisation::of(find.text(0))];
        load.messages += find.integer(1);
        load.bytes += find.integer(2);
    }
}

bool PeerLoad::has_room(const std::string& peer, std::size_t size) const {
    const auto found = loads_.find(mail::Organisation::of(peer));
    // One message always has room here, however large: other bounds are there for that.
    if (found == loads_.end()) return true;
    return found->second.messages < quota_.messages &&
           found->second.bytes + static_cast<std::int64_t>(size) <= quota_.bytes;
}

void PeerLoad::came(const std::string& peer, std::size_t size) {
    Load& load = loads_[mail::Organisation::of(peer)];
    ++load.messages;
    load.bytes += static_cast<std::int64_t>(size);
}

void PeerLoad::went(const std::string& peer, std::size_t size) {
    const auto found = loads_.find(mail::Organisation::of(peer));
    if (found == loads_.end()) return;
    found->second.bytes -= static_cast<std::int64_t>(size);
    if (--found->second.messages <= 0) loads_.erase(found);
}

}  // namespace queue
