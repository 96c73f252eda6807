// Timeline: virtual time, what happens when, and chance. Everything follows from the seed.
#pragma once

#include "support/fakes.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace simulation {

constexpr std::int64_t kSecond = 1000;  // the timeline counts milliseconds
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

class Timeline {
  public:
    Timeline(std::uint64_t seed, bool tell) : random(seed), tell_(tell) {}

    std::int64_t now() const { return now_; }
    void after(std::int64_t wait, std::function<void()> what) {
        events_.emplace(std::pair(now_ + wait, ++count_), std::move(what));
    }
    /// Does the next thing, unless that is later than `until`.
    bool next(std::int64_t until) {
        if (events_.empty() || events_.begin()->first.first > until) return false;
        const auto event = events_.extract(events_.begin());
        now_ = event.key().first;
        event.mapped()();
        return true;
    }

    /// True in `percent` of the cases, as long as there are faults.
    bool chance(std::uint64_t percent) { return random.below(100) < percent; }
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(
                           random.below(static_cast<std::uint64_t>(most - least + 1)));
    }
    void note(const std::string& what) {
        if (tell_) history += std::to_string(now_) + " " + what + "\n";
    }

    support::SeededRandom random;
    std::string history;

  private:
    std::int64_t now_ = 0;
    std::uint64_t count_ = 0;
    bool tell_;
    std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace simulation
