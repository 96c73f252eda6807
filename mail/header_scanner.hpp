// HeaderScanner: walks over the header fields of a message without copying or changing anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

struct HeaderField {
    std::string_view name;   ///< as written, without the colon and white space before it
    std::string_view value;  ///< behind the colon, folded as it was, without the final CRLF
    std::string_view raw;    ///< the whole field with its final CRLF
};

/// Stops at the empty line, at the end, or at the first line that is no field (which starts the
/// body of a malformed message).
class HeaderScanner {
  public:
    explicit HeaderScanner(std::string_view content) : rest_(content) {}
    std::optional<HeaderField> next();
    /// After the last field: true if the empty line or the end of the content came next, false if
    /// the header has a line that is no field. Readers differ in what they take such a line for.
    bool ended_well() const { return ended_well_; }

  private:
    std::string_view rest_;
    bool ended_well_ = false;
};

/// What the queue, the logs and reports want to know of a header.
struct HeaderSummary {
    std::string
        message_id;    ///< with its angle brackets; empty if there is none; bounded, printable
    std::string from;  ///< unfolded value of From; bounded, printable
    bool well_formed = true;   ///< HeaderScanner::ended_well, within limits::kHeader
    std::size_t received = 0;  ///< number of Received fields (RFC 5321 6.3)
    /// Bytes of the fields that a report returns: whole ones, up to limits::kReportHeader.
    std::size_t returned = 0;
    bool bulk = false;  ///< from a list (RFC 2919, RFC 2369), or of low `Precedence`
};
HeaderSummary summarize_header(std::string_view content);

/// The header part with its final CRLF, without the empty line.
std::string_view header_of(std::string_view content);

}  // namespace mail
