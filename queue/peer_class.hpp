// PeerClass: what is thought of a domain that sends mail to us, by one formula that can be worked
// out with a pencil. packetboat-peers(8) has it in words, with an example. Pure.
//
// Tested by tests/unit/queue/peer_class_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace queue {

/// Stored as a number with each message, and with what an administrator has said.
enum class PeerClass : std::uint8_t {
    none = 0,  ///< it was authenticated by nobody, or the message came before there were classes
    newcomer = 1,  ///< `new`: too little is known
    known = 2,
    good = 3,
    poor = 4,
    blocked = 5,
    trusted = 6,  ///< by hand, or by a list
    limited = 7,  ///< by hand, or by a list
};
inline constexpr std::size_t kPeerClasses = 7;  ///< `none` aside
/// `new`, `known`, and so on; nothing for `none`.
const char* to_text(PeerClass of);
/// The other way. Errc::syntax.
base::Result<PeerClass> parse_class(std::string_view word);
/// What an administrator may say: `trusted`, `limited`, `blocked`. Errc::syntax.
base::Result<PeerClass> parse_class_by_hand(std::string_view word);

/// What came in a time, or is to be added to that. Nothing in it names a person.
struct PeerFigures {
    std::int64_t messages = 0;    ///< of which at least one recipient was taken
    std::int64_t recipients = 0;  ///< that were taken, or are unknown here
    std::int64_t unknown = 0;     ///< of these, at once or later
    std::int64_t refused = 0;  ///< by the site's filter, for their content, after they were taken
    std::int64_t complaints = 0;  ///< of recipients

    PeerFigures& operator+=(const PeerFigures& more);
    bool operator==(const PeerFigures&) const = default;
    bool is_nothing() const { return *this == PeerFigures(); }
    /// What speaks against the domain: an unknown recipient is a mistake, a refusal is none.
    std::int64_t bad() const { return unknown + 2 * refused + 10 * complaints; }
};

/// Days of UTC.
inline std::chrono::sys_days day_of(base::TimePoint time) {
    return std::chrono::floor<std::chrono::days>(time);
}

/// All that the class is made of.
class PeerRecord {
  public:
    /// After so many days a figure counts half, and half again ...
    static constexpr int kHalfLife = 30;
    /// ... and after four times as many, nothing.
    static constexpr std::size_t kPeriods = 4;
    static constexpr int kDays = kHalfLife * static_cast<int>(kPeriods);

    /// As seen on `today`, of a domain that is known `since`. A day that has not come yet counts as
    /// today: then the clock was wrong.
    PeerRecord(std::chrono::sys_days today, std::chrono::sys_days since);
    /// Each day once. What is too old is passed over.
    void add(std::chrono::sys_days day, const PeerFigures& figures);

    std::chrono::sys_days today() const { return today_; }
    std::chrono::days age() const { return age_; }
    /// Days on which a message was taken.
    int days() const { return days_; }
    /// The newest first.
    const std::array<PeerFigures, kPeriods>& periods() const { return periods_; }
    PeerFigures total() const;
    /// Of each period from the newest: 8, 4, 2 and 1 times as many.
    std::int64_t bad() const;
    std::int64_t recipients() const;
    /// As if nobody had complained.
    PeerRecord without_complaints() const;

    std::optional<PeerClass> by_hand{};  ///< what an administrator says counts alone
    /// What a list makes of the domain (queue/peer_lists), whatever its figures say; but for
    /// `good`, which is somebody else's praise: with bad figures it counts for nothing.
    std::optional<PeerClass> listed{};

  private:
    std::chrono::sys_days today_;
    std::chrono::days age_;
    std::array<PeerFigures, kPeriods> periods_{};
    int days_ = 0;
};

PeerClass class_of(const PeerRecord& record);
/// Whether it is a list that makes the class.
bool is_made_by_list(const PeerRecord& record);

}  // namespace queue
