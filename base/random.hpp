// Random: randomness as a port. Ids and jitter come from here, so that tests can repeat them.
#pragma once

#include <cstdint>
#include <span>

namespace base {

class Random {
  public:
    virtual ~Random() = default;
    /// Fills `bytes`; unpredictable to others in production.
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
    /// A number in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
};

/// getrandom(2). Any thread. Throws std::system_error if the kernel has none (start-up only).
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace base
