// What every fuzz target is written with: the input, cuts of it, and the one way to say that a
// property does not hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fuzz {

/// Ends the process with `property`, the promise that was broken; libFuzzer keeps the input.
inline void check(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "BROKEN PROPERTY: %s\n", property);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Calls `feed` with the pieces of `input`, cut at places that depend on the input alone: single
/// bytes, short pieces, or long ones. Stops when `feed` returns false.
template <class Feed>
void in_pieces(std::string_view input, Feed feed) {
    std::uint64_t state = 14695981039346656037u;  // FNV-1a, then an LCG
    for (const char c : input)
        state = (state ^ static_cast<unsigned char>(c)) * 1099511628211u;
    static constexpr std::size_t kLongest[] = {1, 3, 16, 500};
    const std::size_t longest = kLongest[(state >> 60) % 4];
    while (!input.empty()) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const std::size_t size = std::min<std::size_t>(1 + (state >> 33) % longest, input.size());
        if (!feed(input.substr(0, size))) return;
        input.remove_prefix(size);
    }
}

}  // namespace fuzz
