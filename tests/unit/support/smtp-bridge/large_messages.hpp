// Messages of any size for the tests, as they are and as they go over the wire.
#pragma once

#include "smtp-bridge/client/dot_stuffer.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace support {

/// Lines of all lengths, many with dots in front, of at least `size` bytes.
inline std::string large_message(std::size_t size) {
    std::string text = "Subject: large\r\n\r\n";
    for (std::size_t i = 0; text.size() < size; ++i)
        text += std::string(i % 4, '.') + std::to_string(i) + std::string(i * 7 % 75, 'x') + "\r\n";
    return text;
}

/// As it stands behind DATA, with its end.
inline std::string on_the_wire(std::string_view message) {
    smtp_bridge::DotStuffer stuffer;
    std::string wire;
    stuffer.feed(message, wire);
    stuffer.finish(wire);
    return wire;
}

/// True as soon as `condition` holds, which another thread brings about; false after 10 s.
inline bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
}

}  // namespace support
