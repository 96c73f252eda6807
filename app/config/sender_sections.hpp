// SenderSections: what [senders] and the [sender NAME] sections say, as limits.
//
// Tested by tests/unit/app/config/sender_sections_test.cpp.
#pragma once

#include "app/config/sections.hpp"
#include "queue/sender_limits.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace app {

class SenderSections {
  public:
    /// [senders], or [sender NAME]; in whatever order. Nothing: it is good.
    std::optional<Fault> add(const Section& section);
    /// Of all that was added. What [sender NAME] does not say is as in [senders]; but for
    /// `@DOMAIN`, all of a domain together, where only what it says is a limit.
    queue::SenderLimits limits() const;

  private:
    /// What one section says.
    struct Said {
        std::array<std::optional<std::uint64_t>, queue::kCounted> an_hour;
        std::optional<std::chrono::milliseconds> burst;
        std::optional<queue::Beyond> beyond;
    };

    static std::optional<Fault> read(const Section& section, Said& said);
    std::optional<Fault> add_exempt(const Section& section);
    static queue::SenderRule rule(const Said& said, queue::SenderRule usual);

    Said usual_;
    std::map<std::string, Said> special_;  ///< by queue::sender_name()
    std::set<std::string> exempt_;
};

}  // namespace app
