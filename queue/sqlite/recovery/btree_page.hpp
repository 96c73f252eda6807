// BtreePage: one page of a SQLite database's tree, read with distrust: of a damaged one, the cells
// that are sound.
//
// SQLite refuses a page as a whole for one wrong byte, and with it, in a page above others, all of
// those. Here each cell stands for itself. Pure; the format is https://sqlite.org/fileformat.html.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp and tests/fuzz/btree.cpp.
#pragma once

#include "queue/sqlite/recovery/page_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace queue {

struct Blob {
    std::string bytes;
};
/// Our tables have no floating-point columns.
using Value = std::variant<std::monostate, std::int64_t, std::string, Blob>;

struct Row {
    std::int64_t rowid = 0;  ///< of a table with rowids
    std::vector<Value> values;
};

/// A table with rowids has its rows in its leaves; an index, and a table without rowids, in all
/// pages.
enum class TreeKind { table, index };

struct Cell {
    std::size_t offset = 0;
    std::size_t size = 0;  ///< bytes of it in this page
    std::int64_t rowid = 0;
    std::size_t payload = 0;       ///< bytes of the record
    std::size_t local = 0;         ///< those of them in this page ...
    std::size_t local_offset = 0;  ///< ... which begin here
    std::uint32_t overflow = 0;    ///< the page where the rest begins; 0: there is none
};

class BtreePage {
  public:
    /// Nothing if it is no page of such a tree. `number` says where its header is.
    static std::optional<BtreePage> parse(std::string bytes, std::uint32_t number, TreeKind kind);

    /// The pages below. Some may be none.
    const std::vector<std::uint32_t>& children() const { return children_; }
    /// Those that make sense, in the order of their keys.
    const std::vector<Cell>& cells() const { return cells_; }
    /// Cells that make none, or that nothing leads to: at least so many.
    std::size_t lost() const { return lost_; }
    /// Each byte of it is accounted for.
    bool is_whole() const { return whole_ && lost_ == 0; }
    /// The record of `cell`; what is in other pages is read from `file`. Nothing if it makes no
    /// sense. `visit` is told of each of the other pages, and says no to those that can't be.
    std::optional<Row> row(const Cell& cell, const PageFile& file,
                           const std::function<bool(std::uint32_t)>& visit) const;
    /// Walks the other pages of `cell`. False if they do not fit.
    bool overflow_fits(const Cell& cell, const PageFile& file,
                       const std::function<bool(std::uint32_t)>& visit) const;

  private:
    BtreePage(std::string bytes, std::size_t start, TreeKind kind, bool leaf);
    void read_cells();
    std::optional<Cell> cell_at(std::size_t offset) const;
    bool has_sound_record(const Cell& cell) const;
    bool add(std::size_t offset);
    bool accounts_fit() const;
    std::size_t content_start() const;
    std::size_t number16(std::size_t at) const;

    std::string bytes_;
    std::size_t start_;
    TreeKind kind_;
    bool leaf_;
    bool whole_ = false;
    std::size_t lost_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::uint32_t> children_;
};

/// The bytes at `at` as the format's 32-bit number; 0 beyond the end.
std::uint32_t number32(std::string_view bytes, std::size_t at);

}  // namespace queue
