// Complaint command: `packetboat complaint`, for people and their mail filters. It prints, and
// returns the exit status: 0 it was taken, 1 it was not (said on standard error).
//
// Tested by tests/e2e/test_complaints.py.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

namespace app {

/// Of the mail on `in` only the header is looked at, and all of it is read: who writes it need not
/// mind. `recipient`: whose vote it is; empty: whose mailbox the header says that it is in.
int complain_of_mail(const std::filesystem::path& socket, std::istream& in,
                     const std::string& recipient, bool is_spam);

}  // namespace app
