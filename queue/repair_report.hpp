// RepairReport: what became of a damaged queue when it was repaired. A value, to print and to log.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

struct RepairReport {
    // Named; what is more is counted. Enough to look at by hand, and for a log.
    static constexpr std::size_t kLines = 200;

    struct Table {
        std::string name;
        std::int64_t copied = 0;  ///< rows that the new database has
        std::int64_t lost = 0;    ///< that are known to be unreadable: there may have been more
    };

    std::filesystem::path kept;  ///< the database as it was
    std::size_t damaged_pages = 0;
    std::vector<Table> tables;
    std::int64_t lost_messages = 0;    ///< of which what is left is in the folder `lost`
    std::int64_t lost_recipients = 0;  ///< of messages that are there
    std::int64_t lost_verdicts = 0;    ///< so that a transfer may be taken twice
    std::int64_t quarantined = 0;      ///< messages
    std::vector<std::string> lines;    ///< each of them, and what was set right; for a person
    std::size_t more = 0;              ///< lines that are not there

    void add(std::string line) {
        if (lines.size() < kLines)
            lines.push_back(std::move(line));
        else
            ++more;
    }
    Table& table(std::string_view name) {
        const auto found = std::ranges::find(tables, name, &Table::name);
        if (found != tables.end()) return *found;
        return tables.emplace_back(Table{std::string(name)});
    }
};

}  // namespace queue
