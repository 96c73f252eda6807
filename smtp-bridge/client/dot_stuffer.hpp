// DotStuffer: the other direction: doubles dots at the start of lines, and ends the message
// (RFC 5321 4.5.2).
//
// Pure; fed in pieces cut anywhere. The message itself is CRLF lines, as everything in the queue
// is.
//
// Tested by tests/unit/smtp-bridge/server/data_reader_test.cpp and tests/fuzz/smtp.cpp.
#pragma once

#include <string>
#include <string_view>

namespace smtp_bridge {

class DotStuffer {
  public:
    void feed(std::string_view input, std::string& output);
    /// `.CRLF`, behind a CRLF if the message doesn't end with one (RFC 5321 4.1.1.4).
    void finish(std::string& output);

  private:
    bool line_start_ = true;
    char last_ = '\n';
};

}  // namespace smtp_bridge
