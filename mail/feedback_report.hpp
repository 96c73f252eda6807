// FeedbackReport: builds the message that tells a domain's abuse address that another domain's
// people complain of one of its senders (RFC 5965). Pure.
//
// Tested by tests/unit/mail/feedback_report_test.cpp.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

struct FeedbackInput {
    std::string reporting_mta;  ///< our host name
    std::string message_id;     ///< of the report itself, with angle brackets
    std::string to;             ///< the abuse address
    std::string sender;         ///< of whose mail they complain: an address
    std::string domain;         ///< whose people complain
    std::int64_t incidents = 1;
    base::TimePoint arrived_at{};  ///< of the last mail that is complained of
    base::TimePoint now;
    std::string consequence;    ///< what happens by itself: a sentence
    std::string_view original;  ///< the header of that mail, as far as it is known
};

/// A complete message with CRLF lines: plain words first, then message/feedback-report, then
/// text/rfc822-headers.
std::string build_feedback_report(const FeedbackInput& input);

}  // namespace mail
