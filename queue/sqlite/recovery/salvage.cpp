#include "queue/sqlite/recovery/salvage.hpp"

#include "queue/sqlite/recovery/btree_page.hpp"
#include "queue/sqlite/recovery/table_shape.hpp"

#include <limits>

#include <fmt/format.h>

namespace queue {
namespace {

constexpr std::size_t kBatch = 10'000;  // rows of a transaction, so that its journal stays short
// Rows of fewer columns can't be told from those of an index, where nothing says whose they are.
constexpr std::size_t kTelling = 4;
constexpr std::size_t kTrees = 200;  // that are looked at: ours has about forty

// Whose a page is: the number of a tree, or one of these.
constexpr std::uint8_t kOverflow = 253;
constexpr std::uint8_t kFree = 254;
constexpr std::uint8_t kNobody = 255;
static_assert(kTrees < kOverflow);

struct Tree {
    std::string name;
    TreeKind kind = TreeKind::table;
    std::uint32_t root = 0;
    TableShape* shape = nullptr;  ///< nothing for an index
    bool broken = false;          ///< what belongs to it may not be found from its root
};

class Salvaging {
  public:
    Salvaging(const PageFile& file, SQLite::Database& into, RepairReport& report)
        : file_(file),
          into_(into),
          report_(report),
          shapes_(TableShape::all(into)),
          owners_(std::size_t{file.count()} + 1, kNobody),
          claims_(std::size_t{file.count()} + 1, 0) {}

    void run() {
        find_free_pages();
        find_trees();
        for (std::size_t i = 1; i < trees_.size(); ++i)
            walk(i);
        claim_overflow_of_strays();
        begin();
        copy_trees();
        copy_strays(false);
        copy_strays(true);
        copy_destinations();
        commit();
        name_lost_verdicts();
    }

  private:
    /// What is in none of the lists of free pages, and in no tree, belonged to a tree that is
    /// broken: but only if the lists are as they were.
    void find_free_pages() {
        const auto first = file_.read(1);
        if (!first) return;
        std::vector<std::uint32_t> found;
        const std::uint32_t total = number32(*first, 36);
        std::uint32_t trunk = number32(*first, 32);
        while (trunk != 0 && found.size() <= file_.count()) {
            const auto page = file_.read(trunk);
            if (!page) return;
            found.push_back(trunk);
            const std::uint32_t leaves = number32(*page, 4);
            if (leaves > page->size() / 4 - 2) return;
            for (std::uint32_t i = 0; i < leaves; ++i)
                found.push_back(number32(*page, 8 + 4 * std::size_t{i}));
            trunk = number32(*page, 0);
        }
        if (found.size() != total) return;
        for (const std::uint32_t each : found) {
            if (each == 0 || each > file_.count()) return;
        }
        for (const std::uint32_t each : found)
            owners_[each] = kFree;
        free_pages_known_ = true;
    }

    /// From the schema, as far as that can be read.
    void find_trees() {
        trees_.push_back({"sqlite_schema", TreeKind::table, 1, nullptr, false});
        walk(0);
        std::vector<Tree> found;
        each_row(0, [&](const Row& row) {
            if (row.values.size() != 5 || trees_.size() + found.size() >= kTrees) return false;
            const auto* const type = std::get_if<std::string>(&row.values[0]);
            const auto* const name = std::get_if<std::string>(&row.values[1]);
            const auto* const root = std::get_if<std::int64_t>(&row.values[3]);
            if (type == nullptr || name == nullptr || root == nullptr || *root < 2 ||
                *root > file_.count())
                return false;
            Tree tree{*name, TreeKind::index, static_cast<std::uint32_t>(*root), nullptr, false};
            if (*type == "table") {
                tree.shape = shape_of(*name);
                if (tree.shape == nullptr) return false;
                tree.kind = tree.shape->kind();
            }
            found.push_back(std::move(tree));
            return true;
        });
        for (Tree& tree : found)
            trees_.push_back(std::move(tree));
        for (TableShape& shape : shapes_) {
            report_.table(shape.name());
            if (!tree_of(shape.name()))
                trees_.push_back({shape.name(), shape.kind(), 0, &shape, true});
        }
    }

    TableShape* shape_of(const std::string& name) {
        for (TableShape& shape : shapes_) {
            if (shape.name() == name) return &shape;
        }
        return nullptr;
    }

    std::optional<std::size_t> tree_of(std::string_view name) const {
        for (std::size_t i = 0; i < trees_.size(); ++i) {
            if (trees_[i].name == name) return i;
        }
        return std::nullopt;
    }

    /// False if it can't be part of what `owner` says, or is part of something already: then nobody
    /// knows of what.
    bool claim(std::uint32_t page, std::uint8_t owner) {
        if (page == 0 || page > file_.count() || file_.is_lock_page(page)) return false;
        if (owners_[page] == kFree) return false;
        if (claims_[page] > 0) {
            claims_[page] = 2;
            if (owners_[page] < trees_.size()) trees_[owners_[page]].broken = true;
            return false;
        }
        claims_[page] = 1;
        owners_[page] = owner;
        return true;
    }

    void walk(std::size_t number) {
        Tree& tree = trees_[number];
        if (tree.root == 0) return;
        std::vector<std::uint32_t> waiting{tree.root};
        while (!waiting.empty()) {
            const std::uint32_t at = waiting.back();
            waiting.pop_back();
            if (!claim(at, static_cast<std::uint8_t>(number))) {
                tree.broken = true;
                continue;
            }
            const auto page = read(at, tree.kind);
            if (!page || !page->is_whole()) {
                ++report_.damaged_pages;
                report_.add(fmt::format("page {} is damaged ({})", at, tree.name));
                tree.broken = true;
            }
            if (!page) continue;
            waiting.insert(waiting.end(), page->children().begin(), page->children().end());
            claim_overflow(*page);
        }
    }

    std::optional<BtreePage> read(std::uint32_t number, TreeKind kind) const {
        auto bytes = file_.read(number);
        if (!bytes) return std::nullopt;
        return BtreePage::parse(std::move(*bytes), number, kind);
    }

    void claim_overflow(const BtreePage& page) {
        for (const Cell& cell : page.cells()) {
            std::vector<std::uint32_t> pages;
            const auto note = [&](std::uint32_t at) {
                pages.push_back(at);
                return at <= file_.count() && owners_[at] != kFree;
            };
            // What leads astray has no claim on anything.
            if (!page.overflow_fits(cell, file_, note)) continue;
            for (const std::uint32_t each : pages)
                claim(each, kOverflow);
        }
    }

    /// It belongs to a tree, and nothing leads to it, or two things do.
    bool is_stray(std::uint32_t page) const {
        if (claims_[page] > 1) return true;
        return free_pages_known_ && claims_[page] == 0 && owners_[page] == kNobody &&
               !file_.is_lock_page(page);
    }

    /// The kind that its first byte says.
    static std::optional<TreeKind> kind_of(std::string_view bytes) {
        if (bytes[0] == 0x0d || bytes[0] == 0x05) return TreeKind::table;
        if (bytes[0] == 0x0a || bytes[0] == 0x02) return TreeKind::index;
        return std::nullopt;
    }

    std::optional<BtreePage> read_stray(std::uint32_t number, TreeKind& kind) const {
        auto bytes = file_.read(number);
        if (!bytes) return std::nullopt;
        const auto stated = kind_of(*bytes);
        if (!stated) return std::nullopt;
        kind = *stated;
        return BtreePage::parse(std::move(*bytes), number, kind);
    }

    void claim_overflow_of_strays() {
        for (std::uint32_t at = 1; at <= file_.count(); ++at) {
            TreeKind kind{};
            if (!is_stray(at)) continue;
            if (const auto page = read_stray(at, kind)) claim_overflow(*page);
        }
    }

    std::optional<Row> row_of(const BtreePage& page, const Cell& cell) const {
        return page.row(cell, file_, [this](std::uint32_t at) {
            return at <= file_.count() && owners_[at] == kOverflow && claims_[at] == 1;
        });
    }

    /// Rows that the pages of a tree have, in no order; those that can't be read, or that `take`
    /// says no to, are counted.
    std::int64_t each_row(std::size_t tree, const std::function<bool(const Row&)>& take) {
        std::int64_t lost = 0;
        for (std::uint32_t at = 1; at <= file_.count(); ++at) {
            if (owners_[at] == tree && claims_[at] == 1) lost += each_row_in(at, tree, take);
        }
        return lost;
    }

    std::int64_t each_row_in(std::uint32_t at, std::size_t tree,
                             const std::function<bool(const Row&)>& take) {
        const auto page = read(at, trees_[tree].kind);
        if (!page) return 0;
        // Pages above the leaves of a table have no rows.
        if (trees_[tree].kind == TreeKind::table && !page->children().empty()) return 0;
        auto lost = static_cast<std::int64_t>(page->lost());
        for (const Cell& cell : page->cells()) {
            const auto row = row_of(*page, cell);
            if (!row || !take(*row)) ++lost;
        }
        return lost;
    }

    /// In the order of the pages, not of the trees: the disk likes it better.
    void copy_trees() {
        for (std::uint32_t at = 1; at <= file_.count(); ++at) {
            const std::size_t owner = owners_[at];
            if (claims_[at] != 1 || owner >= trees_.size()) continue;
            TableShape* const shape = trees_[owner].shape;
            if (shape == nullptr) continue;
            report_.table(shape->name()).lost += each_row_in(at, owner, [&](const Row& row) {
                if (!shape->fits(row)) return false;
                put(*shape, row);
                return true;
            });
        }
    }

    void put(TableShape& shape, const Row& row) {
        if (shape.insert(into_, row)) ++report_.table(shape.name()).copied;
        if (++in_batch_ < kBatch) return;
        commit();
        begin();
    }
    void begin() {
        into_.exec("BEGIN");
        in_batch_ = 0;
    }
    void commit() { into_.exec("COMMIT"); }

    /// Tables that miss pages, and whose rows `row` may be one of.
    std::vector<TableShape*> fitting(const Row& row, TreeKind kind) {
        std::vector<TableShape*> fit;
        for (const Tree& tree : trees_) {
            if (!tree.broken || tree.shape == nullptr || tree.kind != kind) continue;
            if (kind == TreeKind::index && tree.shape->columns() < kTelling) continue;
            if (tree.shape->fits(row)) fit.push_back(tree.shape);
        }
        return fit;
    }

    /// A header and a content look alike. `unclear`: only those, once the messages are known.
    void copy_strays(bool unclear) {
        for (std::uint32_t at = 1; at <= file_.count(); ++at) {
            TreeKind kind{};
            if (!is_stray(at)) continue;
            const auto page = read_stray(at, kind);
            if (!page || (kind == TreeKind::table && !page->children().empty())) continue;
            for (const Cell& cell : page->cells()) {
                const auto row = row_of(*page, cell);
                if (!row) continue;
                const auto fit = fitting(*row, kind);
                if (fit.empty() || (fit.size() > 1) != unclear) continue;
                TableShape* shape = fit.front();
                if (unclear) shape = is_content(*row) ? shape_of("content") : shape_of("header");
                if (shape != nullptr) put(*shape, *row);
            }
        }
    }

    bool is_content(const Row& row) {
        const auto* const bytes = std::get_if<Blob>(&row.values.back());
        if (bytes == nullptr) return true;
        SQLite::Statement find(into_, "SELECT size FROM message WHERE id = ?1");
        find.bind(1, row.rowid);
        return !find.executeStep() ||
               find.getColumn(0).getInt64() == static_cast<std::int64_t>(bytes->bytes.size());
    }

    bool misses_rows(const std::string& table) {
        const auto tree = tree_of(table);
        return (tree && trees_[*tree].broken) || report_.table(table).lost > 0;
    }

    /// The index that keeps them unique has all that their rows have.
    void copy_destinations() {
        const auto index = tree_of("sqlite_autoindex_destination_1");
        TableShape* const shape = shape_of("destination");
        if (!index || shape == nullptr || !misses_rows("destination")) return;
        each_row(*index, [&](const Row& row) {
            const auto* const id =
                row.values.size() == 4 ? std::get_if<std::int64_t>(&row.values[3]) : nullptr;
            if (id == nullptr) return false;
            const Row whole{*id, {std::monostate(), row.values[0], row.values[1], row.values[2]}};
            if (shape->fits(whole)) put(*shape, whole);
            return true;
        });
    }

    /// The index by which they expire has their keys.
    void name_lost_verdicts() {
        const auto index = tree_of("verdict_expiry");
        if (!misses_rows("verdict")) return;
        if (index) {
            SQLite::Statement find(into_, "SELECT 1 FROM verdict WHERE id = ?1 AND domain = ?2");
            each_row(*index, [&](const Row& row) {
                if (row.values.size() != 3) return false;
                const auto* const id = std::get_if<std::string>(&row.values[1]);
                const auto* const domain = std::get_if<std::string>(&row.values[2]);
                if (id == nullptr || domain == nullptr) return false;
                find.bind(1, *id);
                find.bind(2, *domain);
                if (!find.executeStep()) {
                    ++report_.lost_verdicts;
                    report_.add(
                        fmt::format("the verdict on transfer {} of {} is lost: if it is "
                                    "sent again, it may be taken twice",
                                    *id, *domain));
                }
                find.reset();
                return true;
            });
        }
        report_.lost_verdicts = std::max(report_.lost_verdicts, report_.table("verdict").lost);
    }

    const PageFile& file_;
    SQLite::Database& into_;
    RepairReport& report_;
    std::vector<TableShape> shapes_;
    std::vector<Tree> trees_;
    std::vector<std::uint8_t> owners_;  // by page
    std::vector<std::uint8_t> claims_;
    bool free_pages_known_ = false;
    std::size_t in_batch_ = 0;
};

}  // namespace

void salvage(const PageFile& file, SQLite::Database& into, RepairReport& report) {
    Salvaging(file, into, report).run();
}

}  // namespace queue
