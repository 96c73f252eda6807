// ReplyParser: reads the replies of an SMTP or LMTP server, multi-line ones included
// (RFC 5321 4.2.1).
//
// Pure and incremental; bounded by limits::kReplyLine and kReplyLines. Errc::limit or
// Errc::protocol for what is no reply; then the connection is of no use any more.
#pragma once

#include "base/result.hpp"
#include "mail/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

struct ServerReply {
    int code = 0;                    ///< 200 to 599
    std::vector<std::string> lines;  ///< without the code; at least one

    bool is(int klass) const { return code / 100 == klass; }
    /// With the enhanced status of its lines (RFC 2034 4), or X.0.0 if they have none; one
    /// printable line of text.
    mail::Reply to_mail() const;
};

class ReplyParser {
  public:
    /// Returns how many bytes were used: all, or up to the end of the reply, when done().
    base::Result<std::size_t> feed(std::string_view input);
    bool done() const { return done_; }
    /// The reply; the parser starts anew.
    ServerReply take();

  private:
    base::Result<void> line(std::string_view text);

    std::string partial_;
    ServerReply reply_;
    bool done_ = false;
};

}  // namespace smtp_bridge
