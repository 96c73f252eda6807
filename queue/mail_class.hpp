// MailClass: which mail goes first, and which must not take all the room. Pure.
//
// Tested by tests/unit/queue/sqlite/delivery/leases_test.cpp.
#pragma once

#include "base/limits.hpp"
#include "mail/header_scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace queue {

/// Stored as a number with each recipient.
enum class MailClass : std::uint8_t {
    interactive = 0,  ///< somebody may be waiting for it
    bulk = 1,         ///< from a list, of low precedence, or for many
    large = 2,  ///< takes long, so that only some of a destination's deliveries may be of these
};
inline const char* to_text(MailClass of) {
    switch (of) {
        case MailClass::interactive:
            return "interactive";
        case MailClass::bulk:
            return "bulk";
        case MailClass::large:
            return "large";
    }
    return "unknown";
}

/// `priority`: what the client said (RFC 6710 4.1), which counts more than what the mail looks
/// like; 0 is the usual one.
inline MailClass classify(const mail::HeaderSummary& header, std::size_t size,
                          std::size_t recipients, std::optional<int> priority) {
    constexpr std::size_t kMany = 20;  // recipients: more than people write to
    if (size > base::limits::kInlineContent) return MailClass::large;
    if (priority.value_or(0) != 0) return *priority < 0 ? MailClass::bulk : MailClass::interactive;
    return header.bulk || recipients > kMany ? MailClass::bulk : MailClass::interactive;
}

}  // namespace queue
