// Own trace: by which transfer a mail has come to us, as the trace fields say that we have put
// before it.
//
// Pure. The header may have been written by anybody: what it says is to be looked up, and believed
// only as far as that has it.
//
// Tested by tests/unit/mail/own_trace_test.cpp and tests/fuzz/header.cpp.
#pragma once

#include "mail/domain.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct OwnTrace {
    Domain domain;  ///< that the transfer came for
    std::string transfer_id;
    std::string message_id;  ///< as HeaderSummary has it
    /// Whose mailbox it is in, as mail servers say there: the newest first.
    std::vector<std::string> recipients;
};

/// Nothing if the header has no Authentication-Results field of `authserv_id` about a transfer,
/// with the Received field of one of `components` (JIDs) behind it. The newest counts.
std::optional<OwnTrace> find_own_trace(std::string_view content,
                                       const std::set<std::string>& components,
                                       std::string_view authserv_id);

/// Of the header, what find_own_trace() looks at, each field in one line of printable characters;
/// at most `most` bytes.
std::string own_trace_fields(std::string_view header, std::size_t most);

}  // namespace mail
