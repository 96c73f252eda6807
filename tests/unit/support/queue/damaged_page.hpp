// A page of a store's database that makes no sense any more.
#pragma once

#include "support/queue/fixture.hpp"

#include <fstream>

namespace support {

/// Overwrites the second leaf of `table`, which has more than one, while the store is open. How
/// many rows that were.
inline std::int64_t overwrite_second_leaf(StoreFixture& queue, const std::string& table) {
    const std::string leaf = " FROM dbstat WHERE name = '" + table +
                             "' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 1";
    const auto page = queue.count("SELECT pageno" + leaf);
    const auto rows = queue.count("SELECT ncell" + leaf);
    SQLite::Database& connection = queue.store().database().connection();
    connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    {
        std::fstream file(queue.folder.path() / "queue.db",
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekp((page - 1) * 4096);
        file << std::string(4096, '\0');
    }
    // So that it reads the page again.
    connection.exec("PRAGMA shrink_memory");
    return rows;
}

}  // namespace support
