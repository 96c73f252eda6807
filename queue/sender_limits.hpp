// SenderLimits: how much a sender of ours may send, and what becomes of more. Pure values,
// immutable; any thread.
//
// Tested by tests/unit/queue/sender_counts_test.cpp.
#pragma once

#include "base/token_bucket.hpp"
#include "mail/address.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace queue {

/// What becomes of what is beyond a limit. Whatever it is, there is an alarm.
enum class Beyond : std::uint8_t {
    log,     ///< nothing else
    hold,    ///< it is taken, and waits for an administrator; refused once that is much
    refuse,  ///< it is to come later
};
const char* to_text(Beyond beyond);

/// What is counted of a sender.
enum class Counted : std::uint8_t { messages, recipients, unknown };
inline constexpr std::size_t kCounted = 3;
const char* to_text(Counted what);

struct SenderRule {
    /// Of each Counted, in its order; nothing: as many as come. No person reaches these, and a
    /// machine that sends what it is told does within minutes.
    std::array<std::optional<std::uint64_t>, kCounted> an_hour{200, 1000, 30};
    /// What may come in so long may come at once.
    std::chrono::milliseconds burst = std::chrono::hours(1);
    Beyond beyond = Beyond::log;

    const std::optional<std::uint64_t>& limit(Counted what) const {
        return an_hour.at(static_cast<std::size_t>(what));
    }
    /// Meaningless without a limit.
    base::Rate rate(Counted what) const { return base::Rate::of(limit(what).value_or(0), burst); }
};

/// Why mail is held ...
inline constexpr std::string_view kSenderHeld =
    "this sender has sent more than the limit of its mail server";
/// ... and what who is refused hears.
inline constexpr std::string_view kSenderRefused =
    "this sender has sent more than the limit of its mail server; try again later";

/// Under which name a login or an address counts: `alice@a.test` is also `Alice+x@A.test`, whatever
/// the case and the part behind a `+`. Local parts count together if their first 64 octets are the
/// same, so that a name is bounded.
std::string sender_name(std::string_view login_or_address);
std::string sender_name(const mail::Mailbox& address);
/// All senders of a domain together: `@a.test`; of a name without a domain, nothing.
std::string domain_of(std::string_view sender_name);

class SenderLimits {
  public:
    SenderLimits() = default;
    /// All names as sender_name() and domain_of() give them. `special`: rules of these names.
    /// `exempt`: who is not counted: logins, addresses, and domains (`a.test`), each of whose
    /// senders is meant.
    SenderLimits(SenderRule usual, std::map<std::string, SenderRule> special,
                 std::set<std::string> exempt);

    /// Of a login or an address; nullptr: it is not counted.
    const SenderRule* rule(const std::string& name) const;
    /// Of all addresses of a domain together (`@a.test`); nullptr: they are not counted.
    const SenderRule* rule_together(const std::string& domain) const;

  private:
    SenderRule usual_;
    std::map<std::string, SenderRule> special_;
    std::set<std::string> exempt_;
};

}  // namespace queue
