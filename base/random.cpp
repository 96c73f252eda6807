#include "base/random.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/random.h>

namespace base {

std::uint64_t Random::below(std::uint64_t bound) {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value % bound;  // the bias is below 2^-30 for every bound in use (jitter in ms)
}

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace base
