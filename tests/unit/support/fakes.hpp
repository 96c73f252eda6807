// Doubles for the ports of base/: a clock that is set by hand and repeatable randomness.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "support/virtual_time.hpp"

#include <random>

namespace support {

class ManualClock final : public base::Clock {
  public:
    base::TimePoint now() const override { return now_; }
    base::SteadyPoint steady() const override { return steady_; }
    /// Time passes.
    void advance(std::chrono::milliseconds by) {
        now_ += by;
        steady_ += by;
    }
    /// Time passes until then.
    void set(base::TimePoint now) { advance(now - now_); }
    void set(base::SteadyPoint then) { advance(then - steady_); }
    /// Somebody sets the wall clock: no time passes.
    void jump(std::chrono::milliseconds by) { now_ += by; }

  private:
    base::TimePoint now_ = base::TimePoint(std::chrono::seconds(1'800'000'000));
    base::SteadyPoint steady_ = base::SteadyPoint(std::chrono::hours(24 * 365));
};

class SeededRandom final : public base::Random {
  public:
    explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}
    void fill(std::span<std::uint8_t> bytes) override;

  private:
    std::mt19937_64 engine_;
};

/// Runs `body` on a loop of its own until it has returned (an exception fails the test), and
/// returns its value. The rest of what runs on `io` is left as it is.
template <class T>
T run(boost::asio::io_context& io, std::function<base::Task<T>()> body) {
    std::optional<T> value;
    std::exception_ptr error;
    bool done = false;
    boost::asio::co_spawn(
        io, [&]() -> base::Task<T> { return body(); },
        [&](std::exception_ptr e, T v) {
            error = e;
            if (!e) value.emplace(std::move(v));
            done = true;
        });
    io.restart();
    if (VirtualTime* const time = VirtualTime::of(io)) time->run_until([&] { return done; });
    while (!done && io.run_one_for(std::chrono::seconds(30)) > 0) {
    }
    if (error) std::rethrow_exception(error);
    if (!value) throw std::runtime_error("the coroutine did not end within 30 s");
    return std::move(*value);
}

}  // namespace support
