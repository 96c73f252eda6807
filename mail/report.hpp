// Report: builds the RFC 3464 message that tells a sender what became of their mail.
#pragma once

#include "base/clock.hpp"
#include "mail/envelope.hpp"
#include "mail/status.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

/// RFC 3464 2.3.3.
enum class Action { failed, delayed, delivered, relayed, expanded };
std::string_view to_text(Action action);

struct ReportedRecipient {
    std::string address;
    std::string orcpt;
    Action action = Action::failed;
    Reply reply;                  ///< the final word on it
    std::string remote_mta;       ///< who said it; empty if it was us
    std::string final_address{};  ///< where the mail went in the end, if that is another address
    std::optional<base::TimePoint> last_attempt{};
    std::optional<base::TimePoint> retry_until{};  ///< Action::delayed
};

struct ReportInput {
    std::string reporting_mta;  ///< our host name
    std::string message_id;     ///< of the report itself, with angle brackets
    std::string report_from;    ///< `Mail Delivery System <MAILER-DAEMON@mx.a.test>`
    std::string to;             ///< the original sender, or a postmaster
    std::string note;  ///< first words for a postmaster, whose message it was not; or empty
    std::string envid;
    base::TimePoint arrived_at;
    base::TimePoint now;
    std::string queue_id;
    std::vector<ReportedRecipient> recipients;  ///< at least one
    std::string_view original;                  ///< the content, or its header
    /// Ret::full returns the whole `original`, if any recipient has failed (RFC 3461 4.3).
    Ret ret = Ret::unset;
    bool smtputf8 = false;
};

/// A complete message with CRLF lines: plain words first, then message/delivery-status, then the
/// original (text/rfc822-headers, or message/rfc822 for Ret::full). 8-bit clean, so send it as
/// 8BITMIME.
std::string build_report(const ReportInput& input);

}  // namespace mail
