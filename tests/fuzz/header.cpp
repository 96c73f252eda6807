// A message's header and lines: fields tile the header; a summary is bounded and printable, and so
// is what a complaint passes on; with_trace() takes away whole Authentication-Results fields of
// ours and no other byte, and all of them; LineCheck says the same wherever the content is cut, and
// what RFC 5321 says.
#include "base/limits.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "mail/content.hpp"
#include "mail/header_scanner.hpp"
#include "mail/own_trace.hpp"
#include "mail/trace.hpp"

#include <string>
#include <vector>

using namespace mail;
using fuzz::check;

namespace {

constexpr std::string_view kTrace = "Received: by us\r\n";

std::vector<HeaderField> check_fields(std::string_view content) {
    std::vector<HeaderField> fields;
    std::size_t size = 0;
    std::size_t received = 0;
    HeaderScanner scanner(content);
    while (const auto field = scanner.next()) {
        check(!field->name.empty(), "a field has a name");
        check(field->raw == content.substr(size, field->raw.size()), "fields follow each other");
        check(field->raw.starts_with(field->name), "a field starts with its name");
        size += field->raw.size();
        received += base::iequals(field->name, "received") ? 1 : 0;
        fields.push_back(*field);
    }
    check(header_of(content) == content.substr(0, size), "header_of() is the fields");
    const auto rest = content.substr(size);
    check(scanner.ended_well() ==
              (rest.empty() || rest.starts_with("\r\n") || rest.starts_with('\n')),
          "a header ends with an empty line");
    const auto summary = summarize_header(content);
    const auto bounded = [](std::string_view text) {
        return text == base::printable(text, base::limits::kHeaderValue);
    };
    check(bounded(summary.message_id) && bounded(summary.from), "a summary is bounded, printable");
    check(summary.received == received, "all Received fields are counted");
    check(summary.well_formed == scanner.ended_well(), "well_formed");
    return fields;
}

void check_trace(std::string_view content, const std::vector<HeaderField>& fields,
                 std::string_view id) {
    std::string expected(kTrace);
    std::size_t size = 0;
    for (const auto& field : fields) {
        const auto alone = with_trace("", field.raw, id);
        check(alone.empty() || alone == field.raw, "a field stays as it is, or goes");
        check(!alone.empty() || base::iequals(field.name, "Authentication-Results"),
              "no other field goes");
        expected += alone;
        size += field.raw.size();
    }
    expected += content.substr(size);
    const auto traced = with_trace(kTrace, content, id);
    check(traced == expected, "no other byte changes");
    // What has a line that is no field is refused: as the first one, it would belong to the trace.
    if (!summarize_header(content).well_formed) return;
    check(with_trace("", traced, id) == traced, "nothing is left to take away");
}

/// What a complaint passes on of a header is bounded, one field a line, and the same when it is
/// passed on again; and what is found in it is fit for a look-up.
void check_own_trace(std::string_view content) {
    constexpr std::size_t kMost = 4096;
    const std::string fields = own_trace_fields(content, kMost);
    check(fields.size() <= kMost, "it is bounded");
    check(base::is_utf8(fields), "and can be written as JSON");
    check(own_trace_fields(fields, kMost) == fields, "and the same the next time");
    for (const std::string_view text : {content, std::string_view(fields)}) {
        const auto trace = find_own_trace(text, {"mail.b.test"}, "mx.b.test");
        if (!trace) continue;
        check(!trace->transfer_id.empty(), "a trace names a transfer");
        check(Domain::parse(trace->domain.ascii()).has_value(), "and a domain");
        check(trace->recipients.size() <= 10, "and a few mailboxes");
    }
}

/// Protocol rule 7, in other words than the program's.
bool has_clean_lines(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == '\0') return false;
        if (bytes[i] == '\r' && bytes.substr(i + 1, 1) != "\n") return false;
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) return false;
    }
    return bytes.empty() || bytes.back() == '\n';
}

void check_line_check(std::string_view content) {
    LineCheck lines;
    Sha256Stream hash;
    fuzz::in_pieces(content, [&](std::string_view piece) {
        lines.add(piece);
        hash.add(piece);
        return true;
    });
    check(lines.finish().has_value() == has_clean_lines(content), "LineCheck, cut anywhere");
    check(check_lines(content).has_value() == has_clean_lines(content), "check_lines()");
    check(hash.finish() == sha256(content), "Sha256Stream, cut anywhere");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto content = fuzz::text_of(data, size);
    const auto fields = check_fields(content);
    for (const std::string_view id : {"mx.b.test", "xn--bcher-kva.test"})
        check_trace(content, fields, id);
    check_own_trace(content);
    check_line_check(content);
    return 0;
}
