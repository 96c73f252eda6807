// EnhancedStatus (RFC 3463 2) and Reply (RFC 5321 4.2): how SMTP says what became of something.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

/// `5.1.1`: class 2, 4 or 5; subject and detail 0 to 999.
struct EnhancedStatus {
    std::uint16_t klass = 5;
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;

    std::string to_text() const;
    /// Exactly the three numbers. Errc::syntax.
    static base::Result<EnhancedStatus> parse(std::string_view text);
    auto operator<=>(const EnhancedStatus&) const = default;
};

/// A reply of an SMTP or LMTP server, or a recipient's line in a verdict.
struct Reply {
    int code = 250;  ///< 200 to 599
    EnhancedStatus status{2, 0, 0};
    std::string text;  ///< one line, without code and status; at most limits::kStatusText bytes

    bool is_success() const { return code >= 200 && code < 300; }
    bool is_transient() const { return code >= 400 && code < 500; }
    bool is_permanent() const { return code >= 500; }
    /// The recipient itself is wrong, whoever writes to it: RFC 3463 3.2, 5.1.1 to 5.1.3 and 5.1.6;
    /// 5.1.10 (RFC 7505).
    bool is_about_recipient() const;
    /// `550 5.1.1 No such user here`
    std::string to_text() const;

    bool operator==(const Reply&) const = default;
};

}  // namespace mail
