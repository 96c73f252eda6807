// VirtualTime: the time of an event loop that does not wait: it goes on to what is due next.
#pragma once

#include "base/clock.hpp"
#include "base/timer.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace support {

/// For as long as it lives, all timers of `io` that are made meanwhile go by it. Only for what runs
/// on that loop alone: what a thread or a socket does meanwhile takes no time.
class VirtualTime final : public base::Waits, public base::Clock {
  public:
    explicit VirtualTime(boost::asio::io_context& io) : io_(io) { set(this); }
    ~VirtualTime() override { set(nullptr); }
    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;

    /// The one of `io`; nullptr: it has the machine's time.
    static VirtualTime* of(boost::asio::io_context& io) {
        if (!boost::asio::has_service<base::LoopTime>(io)) return nullptr;
        return dynamic_cast<VirtualTime*>(boost::asio::use_service<base::LoopTime>(io).waits);
    }

    /// Since it was made.
    std::chrono::milliseconds elapsed() const { return elapsed_; }
    base::TimePoint now() const override {
        return base::TimePoint(std::chrono::seconds(1'800'000'000)) + elapsed_;
    }
    base::SteadyPoint steady() const override {
        return base::SteadyPoint(std::chrono::hours(24)) + elapsed_;
    }

    /// Whatever happens in the next `by` happens.
    void advance(std::chrono::milliseconds by) {
        const auto end = elapsed_ + by;
        for (settle(); !due_.empty() && due_.begin()->first <= end; settle())
            fire_next();
        elapsed_ = end;
    }
    /// Until `condition` holds. False: it does not, and nothing is due any more, or it does not
    /// within a year.
    bool run_until(const std::function<bool()>& condition) {
        const auto end = elapsed_ + std::chrono::hours(24 * 365);
        settle();
        while (!condition()) {
            if (due_.empty() || elapsed_ > end) return false;
            fire_next();
            settle();
        }
        return true;
    }

    void add(const void* whose, std::chrono::milliseconds limit,
             std::function<void()> fire) override {
        remove(whose);
        const auto at = elapsed_ + std::max(limit, std::chrono::milliseconds::zero());
        due_.emplace(at, Wait{whose, std::move(fire)});
    }
    void remove(const void* whose) override {
        std::erase_if(due_, [&](const auto& each) { return each.second.whose == whose; });
    }

  private:
    struct Wait {
        const void* whose;
        std::function<void()> fire;
    };

    void set(VirtualTime* time) { boost::asio::use_service<base::LoopTime>(io_).waits = time; }
    /// All that can go on without time.
    void settle() {
        do {
            io_.restart();
        } while (io_.poll() > 0);
    }
    void fire_next() {
        auto first = due_.extract(due_.begin());
        elapsed_ = std::max(elapsed_, first.key());
        first.mapped().fire();
    }

    boost::asio::io_context& io_;
    std::chrono::milliseconds elapsed_{0};
    std::multimap<std::chrono::milliseconds, Wait> due_;
};

}  // namespace support
