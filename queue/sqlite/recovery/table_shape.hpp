// TableShape: what the rows of a table look like in the file, by which they are known without
// their tree, and how they get into another database.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include "queue/sqlite/recovery/btree_page.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

class TableShape {
  public:
    /// Those of all tables of `database`. Throws SQLite::Exception.
    static std::vector<TableShape> all(SQLite::Database& database);

    const std::string& name() const { return name_; }
    TreeKind kind() const { return kind_; }
    std::size_t columns() const { return columns_.size(); }
    /// As many columns as it may have had, each of a type that it may have.
    bool fits(const Row& row) const;
    /// False if it is there already. Throws SQLite::Exception.
    bool insert(SQLite::Database& into, const Row& row);

  private:
    struct Column {
        std::string name;
        std::string type;
        bool optional = false;     ///< may be NULL
        bool has_default = false;  ///< came with a later version, perhaps
        bool is_rowid = false;
    };
    std::string name_;
    TreeKind kind_ = TreeKind::table;
    std::vector<Column> columns_;  // in the order of the record
    std::size_t least_ = 0;        // columns of a record that its first version wrote
    /// By number of columns; kept, as there are many rows.
    std::map<std::size_t, std::unique_ptr<SQLite::Statement>> inserts_;
};

}  // namespace queue
