// mapped(): a content in a file that is mapped into memory, as the queue makes them.
#pragma once

#include "mail/content.hpp"

#include <cstdio>
#include <stdexcept>

#include <sys/mman.h>

namespace support {

inline mail::Content mapped(std::string_view bytes) {
    std::FILE* const file = std::tmpfile();
    if (file == nullptr) throw std::runtime_error("no temporary file");
    const std::size_t size = bytes.size();
    const bool written = std::fwrite(bytes.data(), 1, size, file) == size && std::fflush(file) == 0;
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, ::fileno(file), 0);
    std::fclose(file);
    if (!written || start == MAP_FAILED) throw std::runtime_error("can't map a temporary file");
    const std::shared_ptr<const void> owner(
        start, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
    return mail::Content::mapped(owner, std::string_view(static_cast<const char*>(start), size));
}

}  // namespace support
