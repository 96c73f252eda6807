#include "support/fakes.hpp"

namespace support {

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(engine_());
}

}  // namespace support
