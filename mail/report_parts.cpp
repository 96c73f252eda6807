#include "mail/report_parts.hpp"

#include "base/text.hpp"
#include "mail/content.hpp"
#include "mail/domain.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mail {
namespace {

// Bytes of one value in a field of ours: with the field's name it stays below the 998 of RFC
// 5322 2.1.1.
constexpr std::size_t kValue = 900;
constexpr std::size_t kTextLine = 76;  // characters of a line of the part for people

}  // namespace

std::string report_line(std::string_view text) {
    return base::printable(text, kValue);
}

std::string ascii_line(std::string_view text) {
    std::string line = report_line(text);
    std::ranges::replace_if(
        line, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return line;
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append(name).append(": ").append(value).append("\r\n");
}

std::string wrapped_text(std::string_view text, std::string_view indent) {
    std::string out(indent);
    std::size_t line = indent.size();
    for (const auto word : base::split(text)) {
        if (line > indent.size() && line + 1 + word.size() > kTextLine) {
            out.append("\r\n").append(indent);
            line = indent.size();
        } else if (line > indent.size()) {
            out += ' ';
            ++line;
        }
        out += word;
        line += word.size();
    }
    return out += "\r\n";
}

std::string dns_name(std::string_view name) {
    const auto domain = Domain::parse(name);
    return "dns; " + (domain ? domain->ascii() : ascii_line(name));
}

std::string report_boundary(std::string_view seed, const std::vector<std::string_view>& parts) {
    static constexpr std::size_t kHashBytes = 12;
    for (unsigned attempt = 0;; ++attempt) {
        const Sha256 hash = sha256(fmt::format("{} {}", seed, attempt));
        std::string boundary =
            "=_report_";  // `=_` can occur in neither base64 nor quoted-printable
        for (std::size_t i = 0; i < kHashBytes; ++i)
            boundary += fmt::format("{:02x}", hash.at(i));
        const auto has_it = [&](std::string_view part) {
            return part.find(boundary) != std::string_view::npos;
        };
        if (std::ranges::none_of(parts, has_it)) return boundary;
    }
}

void add_report_part(std::string& out, std::string_view boundary, std::string_view type,
                     std::string_view body) {
    out.append("--").append(boundary).append("\r\n");
    add_field(out, "Content-Type", type);
    if (!base::is_ascii(body)) add_field(out, "Content-Transfer-Encoding", "8bit");
    out.append("\r\n").append(body).append("\r\n");  // this CRLF belongs to the next boundary
}

std::string_view lines_before(std::string_view text, std::size_t end) {
    if (end >= text.size()) return text;
    const std::size_t lf = text.substr(0, end).rfind('\n');
    return text.substr(0, lf == text.npos ? 0 : lf + 1);
}

}  // namespace mail
