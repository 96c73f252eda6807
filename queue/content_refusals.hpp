// ContentRefusals: which refusals of the site's own mail server say that a mail is unwanted for
// what it is. Only these count against the domain that sent it: an unknown client, a relay that is
// closed or a policy of ours is no fault of theirs. Immutable value.
//
// Tested by tests/unit/queue/content_refusals_test.cpp.
#pragma once

#include "base/result.hpp"
#include "mail/status.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

class ContentRefusals {
  public:
    /// What rspamd, Amavis, ClamAV's milter and Postfix's checks of headers and bodies say.
    static constexpr const char* kDefault =
        "5.7.* spam, 5.7.* junk, 5.7.* virus, 5.7.* malware, 5.7.* phishing, 5.7.* infected, "
        "5.7.* message content rejected";

    /// Of none.
    ContentRefusals() = default;
    /// Patterns with commas between them: an enhanced status (RFC 3463 2), whose last number may be
    /// `*`, and behind it what the text has to have in it, in whole words and whatever case,
    /// addresses in `<>` aside; or `none`.
    /// Errc::syntax; Errc::limit for more than 50.
    static base::Result<ContentRefusals> parse(std::string_view text);

    /// `reply` is one of them: it is permanent, and fits a pattern.
    bool has(const mail::Reply& reply) const;

  private:
    struct Pattern {
        std::uint16_t subject = 0;
        std::optional<std::uint16_t> detail{};
        std::string text{};  ///< in lower case
    };
    static base::Result<Pattern> parse_pattern(std::string_view text);

    std::vector<Pattern> patterns_;
};

}  // namespace queue
