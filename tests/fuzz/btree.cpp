// Pages of a damaged database: whatever is on them, what is read lies within them, and its reading
// ends. The first byte says what kind of page the first one is to be; the rest are 512-byte pages.
#include "fuzz/fuzz.hpp"
#include "queue/sqlite/recovery/btree_page.hpp"

#include <algorithm>

#include <sys/mman.h>
#include <unistd.h>

using namespace queue;
using fuzz::check;

namespace {

constexpr std::size_t kPage = 512;

void check_row(const BtreePage& page, const Cell& cell, const PageFile& file) {
    std::size_t visits = 0;
    const auto visit = [&](std::uint32_t at) {
        ++visits;
        return at <= file.count();
    };
    const auto row = page.row(cell, file, visit);
    check(visits <= cell.payload / (kPage - 4) + 1, "no more pages are read than it can have");
    visits = 0;
    const bool fits = page.overflow_fits(cell, file, visit);
    check(fits || !row, "a row whose pages do not fit is none");
    if (!row) return;
    std::size_t total = 0;
    for (const Value& value : row->values) {
        if (const auto* const text = std::get_if<std::string>(&value)) total += text->size();
        if (const auto* const blob = std::get_if<Blob>(&value)) total += blob->bytes.size();
    }
    check(!row->values.empty() && total < cell.payload, "the values are parts of the record");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const TreeKind kind = (data[0] & 1) != 0 ? TreeKind::table : TreeKind::index;
    std::string bytes(fuzz::text_of(data + 1, size - 1));
    bytes.resize((bytes.size() + kPage - 1) / kPage * kPage, '\0');
    const int fd = ::memfd_create("pages", MFD_CLOEXEC);
    check(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
          "the file is written");
    const auto file = PageFile::open("/proc/self/fd/" + std::to_string(fd), kPage, kPage);
    ::close(fd);
    check(file.has_value() && file->count() == bytes.size() / kPage, "each page is there");
    check(!file->read(0) && !file->read(file->count() + 1), "and no other");
    // As the first page, and as any.
    for (const std::uint32_t number : {1u, 2u}) {
        const auto page = BtreePage::parse(bytes.substr(0, kPage), number, kind);
        if (!page) continue;
        auto cells = page->cells();
        std::ranges::sort(cells, {}, &Cell::offset);
        std::size_t end = 0;
        for (const Cell& cell : cells) {
            check(cell.offset >= end && cell.size > 0, "cells do not overlap");
            end = cell.offset + cell.size;
            check(end <= kPage, "a cell ends in its page");
            if (kind == TreeKind::index || page->children().empty()) check_row(*page, cell, *file);
        }
        check(!page->is_whole() || page->lost() == 0, "a whole page has lost nothing");
    }
    return 0;
}
