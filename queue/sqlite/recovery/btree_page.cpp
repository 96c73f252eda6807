#include "queue/sqlite/recovery/btree_page.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kFileHeader = 100;  // bytes, at the start of page 1
constexpr std::size_t kSmallestCell = 4;  // bytes that a cell takes in a page, at least
// No record of ours is as large: contents beyond base::limits::kInlineContent are files.
constexpr std::size_t kLargestRecord = 64u << 20;
constexpr std::size_t kOfIntegers[] = {0, 1, 2, 3, 4, 6, 8};  // bytes, by serial type

/// Reads the numbers of variable length that the format is made of.
class Varints {
  public:
    explicit Varints(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}
    std::size_t at() const { return at_; }
    std::optional<std::uint64_t> next() {
        std::uint64_t value = 0;
        for (int i = 0; i < 9; ++i) {
            if (at_ >= bytes_.size()) return std::nullopt;
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            if (i == 8) return value << 8 | byte;
            value = value << 7 | (byte & 0x7fu);
            if ((byte & 0x80u) == 0) return value;
        }
        return value;
    }

  private:
    std::string_view bytes_;
    std::size_t at_;
};

/// Nothing for what our tables do not have.
std::optional<std::size_t> size_of(std::uint64_t serial) {
    if (serial <= 6) return kOfIntegers[serial];
    if (serial == 8 || serial == 9) return 0;
    if (serial < 12) return std::nullopt;
    return (serial - 12) / 2;
}

Value value_of(std::uint64_t serial, std::string_view bytes) {
    if (serial == 0) return std::monostate();
    if (serial == 8 || serial == 9) return static_cast<std::int64_t>(serial - 8);
    if (serial <= 6) {
        std::uint64_t number = (static_cast<unsigned char>(bytes[0]) & 0x80u) != 0 ? ~0ull : 0;
        for (const char byte : bytes)
            number = number << 8 | static_cast<unsigned char>(byte);
        return static_cast<std::int64_t>(number);
    }
    if (serial % 2 == 0) return Blob{std::string(bytes)};
    return std::string(bytes);
}

/// The serial types that stand at the start of a record of `payload` bytes; nothing unless they
/// account for each byte of it.
std::optional<std::vector<std::uint64_t>> serials_of(std::string_view start, std::size_t payload) {
    Varints numbers(start);
    const auto header = numbers.next();
    if (!header || *header > start.size() || *header > payload) return std::nullopt;
    std::vector<std::uint64_t> serials;
    std::size_t total = static_cast<std::size_t>(*header);
    while (numbers.at() < *header) {
        const auto serial = numbers.next();
        if (!serial) return std::nullopt;
        const auto size = size_of(*serial);
        if (!size || *size > payload) return std::nullopt;
        total += *size;
        serials.push_back(*serial);
    }
    if (numbers.at() != *header || total != payload || serials.empty()) return std::nullopt;
    return serials;
}

}  // namespace

std::uint32_t number32(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i)
        number = number << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    return number;
}

BtreePage::BtreePage(std::string bytes, std::size_t start, TreeKind kind, bool leaf)
    : bytes_(std::move(bytes)), start_(start), kind_(kind), leaf_(leaf) {}

std::optional<BtreePage> BtreePage::parse(std::string bytes, std::uint32_t number, TreeKind kind) {
    const std::size_t start = number == 1 ? kFileHeader : 0;
    const char leaf_type = kind == TreeKind::table ? 0x0d : 0x0a;
    const char inner_type = kind == TreeKind::table ? 0x05 : 0x02;
    const char type = bytes[start];
    const bool stated = type == leaf_type || type == inner_type;
    BtreePage as_stated(bytes, start, kind, type != inner_type);
    as_stated.read_cells();
    if (stated && as_stated.is_whole()) return as_stated;
    // It may be the type itself that is damaged: then as what it was it fits to the byte.
    BtreePage other(std::move(bytes), start, kind, type == inner_type);
    other.read_cells();
    if (other.is_whole() && !other.cells_.empty()) return other;
    if (!stated && !(as_stated.is_whole() && !as_stated.cells_.empty())) return std::nullopt;
    return as_stated;
}

std::size_t BtreePage::number16(std::size_t at) const {
    return number32(bytes_, at) >> 16;
}

std::size_t BtreePage::content_start() const {
    const std::size_t stated = number16(start_ + 5);
    return stated == 0 ? 65536 : stated;
}

void BtreePage::read_cells() {
    const std::size_t pointers = start_ + (leaf_ ? 8 : 12);
    const std::size_t count = number16(start_ + 3);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = pointers + 2 * i;
        if (at + 2 > bytes_.size() || !add(number16(at))) ++lost_;
        // The count itself makes no sense.
        if (lost_ > bytes_.size() / kSmallestCell) break;
    }
    whole_ = accounts_fit();
    if (!whole_) {
        // More than it counts: the count may be what is damaged.
        for (std::size_t at = pointers + 2 * count; at + 2 <= bytes_.size(); at += 2) {
            const std::size_t offset = number16(at);
            if (offset < at + 2 || !add(offset)) break;
            ++lost_;  // so that it counts as damaged
            if (accounts_fit()) break;
        }
    }
    if (!leaf_) {
        for (const Cell& cell : cells_)
            children_.push_back(number32(bytes_, cell.offset));
        children_.push_back(number32(bytes_, start_ + 8));
    }
}

/// False if there is no sound cell, or one is there already.
bool BtreePage::add(std::size_t offset) {
    const auto cell = cell_at(offset);
    if (!cell) return false;
    for (const Cell& each : cells_) {
        if (each.offset < cell->offset + cell->size && cell->offset < each.offset + each.size)
            return false;
    }
    cells_.push_back(*cell);
    return true;
}

std::optional<Cell> BtreePage::cell_at(std::size_t offset) const {
    if (offset < start_ + 8 || offset >= bytes_.size()) return std::nullopt;
    Cell cell;
    cell.offset = offset;
    Varints numbers(bytes_, offset + (leaf_ ? 0 : 4));
    if (kind_ == TreeKind::table && !leaf_) {
        const auto key = numbers.next();
        if (!key) return std::nullopt;
        cell.rowid = static_cast<std::int64_t>(*key);
        cell.size = numbers.at() - offset;
        return cell;
    }
    const auto payload = numbers.next();
    if (!payload || *payload > kLargestRecord) return std::nullopt;
    cell.payload = static_cast<std::size_t>(*payload);
    if (kind_ == TreeKind::table) {
        const auto rowid = numbers.next();
        if (!rowid) return std::nullopt;
        cell.rowid = static_cast<std::int64_t>(*rowid);
    }
    const std::size_t usable = bytes_.size();
    const std::size_t most = kind_ == TreeKind::table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
    const std::size_t least = (usable - 12) * 32 / 255 - 23;
    cell.local = cell.payload;
    if (cell.payload > most) {
        const std::size_t even = least + (cell.payload - least) % (usable - 4);
        cell.local = even <= most ? even : least;
    }
    cell.local_offset = numbers.at();
    std::size_t end = cell.local_offset + cell.local;
    if (end > usable) return std::nullopt;
    if (cell.local < cell.payload) {
        cell.overflow = number32(bytes_, end);
        end += 4;
    }
    cell.size = std::max(end - offset, kSmallestCell);
    if (offset + cell.size > usable) return std::nullopt;
    if (!has_sound_record(cell)) return std::nullopt;
    return cell;
}

bool BtreePage::has_sound_record(const Cell& cell) const {
    const auto start = std::string_view(bytes_).substr(cell.local_offset, cell.local);
    return serials_of(start, cell.payload).has_value();
}

/// What is not a cell is free, and is listed as such.
bool BtreePage::accounts_fit() const {
    const std::size_t content = content_start();
    if (content > bytes_.size()) return content == 65536 && bytes_.size() == 65536;
    std::size_t used = static_cast<unsigned char>(bytes_[start_ + 7]);  // fragments
    for (const Cell& cell : cells_)
        used += cell.size;
    std::size_t block = number16(start_ + 1);
    while (block != 0) {
        if (block < content || block + 4 > bytes_.size()) return false;
        used += number16(block + 2);
        const std::size_t next = number16(block);
        if (next != 0 && next <= block) return false;
        block = next;
    }
    return used == bytes_.size() - content;
}

bool BtreePage::overflow_fits(const Cell& cell, const PageFile& file,
                              const std::function<bool(std::uint32_t)>& visit) const {
    std::uint32_t page = cell.overflow;
    std::size_t left = cell.payload - cell.local;
    while (left > 0) {
        if (page == 0 || !visit(page)) return false;
        const auto bytes = file.read(page);
        if (!bytes) return false;
        left -= std::min(left, bytes->size() - 4);
        page = number32(*bytes, 0);
    }
    return page == 0;
}

std::optional<Row> BtreePage::row(const Cell& cell, const PageFile& file,
                                  const std::function<bool(std::uint32_t)>& visit) const {
    std::string record = bytes_.substr(cell.local_offset, cell.local);
    std::uint32_t page = cell.overflow;
    while (record.size() < cell.payload) {
        if (page == 0 || !visit(page)) return std::nullopt;
        const auto bytes = file.read(page);
        if (!bytes) return std::nullopt;
        record.append(*bytes, 4, std::min(cell.payload - record.size(), bytes->size() - 4));
        page = number32(*bytes, 0);
    }
    if (page != 0) return std::nullopt;
    const auto serials = serials_of(record, cell.payload);
    if (!serials) return std::nullopt;
    Row row;
    row.rowid = cell.rowid;
    Varints header(record);
    std::size_t at = static_cast<std::size_t>(*header.next());
    for (const std::uint64_t serial : *serials) {
        const std::size_t size = *size_of(serial);
        row.values.push_back(value_of(serial, std::string_view(record).substr(at, size)));
        at += size;
    }
    return row;
}

}  // namespace queue
