#include "queue/sqlite/recovery/table_shape.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace queue {

std::vector<TableShape> TableShape::all(SQLite::Database& database) {
    std::vector<TableShape> shapes;
    SQLite::Statement tables(database,
                             "SELECT name, wr FROM pragma_table_list WHERE schema = 'main'"
                             " AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
    while (tables.executeStep()) {
        TableShape shape;
        shape.name_ = tables.getColumn(0).getString();
        shape.kind_ = tables.getColumn(1).getInt() != 0 ? TreeKind::index : TreeKind::table;
        SQLite::Statement columns(database,
                                  "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk"
                                  " FROM pragma_table_info(?1) ORDER BY (CASE WHEN ?2 AND pk > 0"
                                  " THEN pk ELSE 1000 END), cid");
        columns.bind(1, shape.name_);
        columns.bind(2, shape.kind_ == TreeKind::index ? 1 : 0);
        while (columns.executeStep()) {
            const bool in_key = columns.getColumn(4).getInt() > 0;
            Column column;
            column.name = columns.getColumn(0).getString();
            column.type = columns.getColumn(1).getString();
            column.optional = columns.getColumn(2).getInt() == 0 && !in_key;
            column.has_default = columns.getColumn(3).getInt() != 0;
            column.is_rowid = in_key && shape.kind_ == TreeKind::table;
            shape.columns_.push_back(std::move(column));
            const Column& last = shape.columns_.back();
            if (!last.optional && !last.has_default) shape.least_ = shape.columns_.size();
        }
        shapes.push_back(std::move(shape));
    }
    return shapes;
}

bool TableShape::fits(const Row& row) const {
    if (row.values.size() < least_ || row.values.size() > columns_.size()) return false;
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        const Column& column = columns_[i];
        const Value& value = row.values[i];
        if (std::holds_alternative<std::monostate>(value)) {
            if (!column.optional && !column.is_rowid) return false;
            continue;
        }
        const bool right = column.type == "TEXT" ? std::holds_alternative<std::string>(value)
                           : column.type == "BLOB"
                               ? std::holds_alternative<Blob>(value)
                               : std::holds_alternative<std::int64_t>(value) && !column.is_rowid;
        if (!right) return false;
    }
    return true;
}

bool TableShape::insert(SQLite::Database& into, const Row& row) {
    auto& insert = inserts_[row.values.size()];
    if (!insert) {
        std::string names;
        std::string places;
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            names += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", columns_[i].name);
            places += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
        }
        insert = std::make_unique<SQLite::Statement>(
            into,
            fmt::format("INSERT OR IGNORE INTO \"{}\" ({}) VALUES ({})", name_, names, places));
    }
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        const int place = static_cast<int>(i) + 1;
        const Value& value = row.values[i];
        if (columns_[i].is_rowid)
            insert->bind(place, row.rowid);
        else if (const auto* const number = std::get_if<std::int64_t>(&value))
            insert->bind(place, *number);
        else if (const auto* const text = std::get_if<std::string>(&value))
            insert->bindNoCopy(place, *text);
        else if (const auto* const blob = std::get_if<Blob>(&value))
            insert->bindNoCopy(place, blob->bytes.data(), static_cast<int>(blob->bytes.size()));
        else
            insert->bind(place);
    }
    const int done = insert->exec();
    insert->reset();
    insert->clearBindings();
    return done > 0;
}

}  // namespace queue
