#include "mail/header_scanner.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

namespace mail {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
/// RFC 5322 2.2: printable ASCII without the colon.
bool is_name_char(char c) {
    return c > ' ' && c <= '~' && c != ':';
}

/// Where the line that holds `at` ends, behind its LF.
std::size_t line_end(std::string_view text, std::size_t at) {
    const std::size_t lf = text.find('\n', at);
    return lf == std::string_view::npos ? text.size() : lf + 1;
}

std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

/// The value without its folding (RFC 5322 2.2.3) and outer white space, bounded and printable.
/// Hardly more than what is kept is copied, however long the field is.
std::string unfolded(std::string_view value) {
    static constexpr std::size_t kLongestChar =
        4;  // so that the last character that is kept is whole
    std::string out;
    for (const char c : value) {
        if (c == '\r' || c == '\n' || (out.empty() && is_blank(c))) continue;
        if (out.size() >= base::limits::kHeaderValue + kLongestChar) break;
        out += c == '\t' ? ' ' : c;
    }
    return base::printable(base::trim(out), base::limits::kHeaderValue);
}

/// `<id@host>` out of a value that may have comments around it; all of the value if it has no
/// brackets.
std::string message_id(std::string_view value) {
    std::string text = unfolded(value);
    const std::size_t open = text.find('<');
    if (open == std::string::npos) return text;
    const std::size_t close = text.find('>', open);
    return close == std::string::npos ? text : text.substr(open, close - open + 1);
}

}  // namespace

std::optional<HeaderField> HeaderScanner::next() {
    std::size_t name = 0;
    while (name < rest_.size() && is_name_char(rest_[name]))
        ++name;
    std::size_t colon = name;
    while (colon < rest_.size() && is_blank(rest_[colon]))
        ++colon;  // RFC 5322 4.5.8
    if (name == 0 || colon == rest_.size() || rest_[colon] != ':') {
        ended_well_ = rest_.empty() || rest_.starts_with("\r\n") || rest_.starts_with('\n');
        rest_ = {};
        return std::nullopt;
    }
    std::size_t end = line_end(rest_, colon);
    while (end < rest_.size() && is_blank(rest_[end]))
        end = line_end(rest_, end);
    const HeaderField field{rest_.substr(0, name),
                            without_line_end(rest_.substr(colon + 1, end - colon - 1)),
                            rest_.substr(0, end)};
    rest_.remove_prefix(end);
    return field;
}

namespace {

/// Whether the field says that nobody waits for this mail.
bool says_bulk(const HeaderField& field) {
    if (base::iequals(field.name, "List-Id") || base::iequals(field.name, "List-Unsubscribe"))
        return true;
    if (!base::iequals(field.name, "Precedence")) return false;
    const auto words = base::split(field.value, " \t\r\n");
    return !words.empty() && (base::iequals(words[0], "bulk") || base::iequals(words[0], "list") ||
                              base::iequals(words[0], "junk"));
}

}  // namespace

HeaderSummary summarize_header(std::string_view content) {
    HeaderSummary summary;
    const bool longer = content.size() > base::limits::kHeader;
    HeaderScanner scanner(content.substr(0, base::limits::kHeader));
    std::size_t size = 0;
    while (const auto field = scanner.next()) {
        if (size == summary.returned && size + field->raw.size() <= base::limits::kReportHeader)
            summary.returned += field->raw.size();
        size += field->raw.size();
        summary.bulk = summary.bulk || says_bulk(*field);
        if (base::iequals(field->name, "Received")) {
            ++summary.received;
        } else if (summary.message_id.empty() && base::iequals(field->name, "Message-ID")) {
            summary.message_id = message_id(field->value);
        } else if (summary.from.empty() && base::iequals(field->name, "From")) {
            summary.from = unfolded(field->value);
        }
    }
    summary.well_formed = scanner.ended_well() && !(longer && size + 2 >= base::limits::kHeader);
    return summary;
}

std::string_view header_of(std::string_view content) {
    HeaderScanner scanner(content);
    std::size_t size = 0;
    while (const auto field = scanner.next())
        size += field->raw.size();
    return content.substr(0, size);
}

}  // namespace mail
