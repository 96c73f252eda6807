// Report parts: what reports of every kind (multipart/report, RFC 6522) are written with. Pure.
//
// Tested by tests/unit/mail/report_test.cpp and tests/unit/mail/feedback_report_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

/// Fit for one line: nothing that comes from outside can start a new field or part.
std::string report_line(std::string_view text);
/// The same, for parts that have to be ASCII.
std::string ascii_line(std::string_view text);
/// Leaves out a field without a value.
void add_field(std::string& out, std::string_view name, std::string_view value);
/// `text` broken at spaces, each line behind `indent`.
std::string wrapped_text(std::string_view text, std::string_view indent);
/// The name of a host, or of a component, for a field whose type is `dns`: in A-labels, as RFC 6533
/// leaves that type to ASCII.
std::string dns_name(std::string_view name);
/// A boundary that is in none of `parts`. `seed`: it is another one for another message.
std::string report_boundary(std::string_view seed, const std::vector<std::string_view>& parts);
void add_report_part(std::string& out, std::string_view boundary, std::string_view type,
                     std::string_view body);
/// The whole lines of `text` that end before the octet at `end`.
std::string_view lines_before(std::string_view text, std::size_t end);

}  // namespace mail
