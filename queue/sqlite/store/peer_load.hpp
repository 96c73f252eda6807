// PeerLoad: how much mail of each organisation's peers is in the queue, so that none fills it.
// Storage thread.
//
// Kept in memory, and counted anew at each start: what is in the database decides. Changed only by
// what is committed.
//
// Tested by tests/unit/queue/sqlite/intake/arrivals_test.cpp.
#pragma once

#include "mail/organisation.hpp"
#include "queue/store_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace queue {

class Database;

class PeerLoad {
  public:
    explicit PeerLoad(PeerQuota quota) : quota_(quota) {}
    /// Throws SQLite::Exception.
    void count(Database& database);
    /// Whether `peer` may leave another message of `size` bytes here.
    bool has_room(const std::string& peer, std::size_t size) const;
    void came(const std::string& peer, std::size_t size);
    void went(const std::string& peer, std::size_t size);

  private:
    struct Load {
        std::int64_t messages = 0;
        std::int64_t bytes = 0;
    };
    PeerQuota quota_;
    std::map<mail::Organisation, Load> loads_;  ///< with mail here: never more than messages
};

}  // namespace queue
