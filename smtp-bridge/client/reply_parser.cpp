#include "smtp-bridge/client/reply_parser.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using base::Errc;
using base::fail;

/// Splits `5.1.1 text` if the status fits the code.
bool take_status(std::string_view& line, int code, mail::EnhancedStatus& status) {
    const auto space = line.find(' ');
    const auto parsed = mail::EnhancedStatus::parse(line.substr(0, space));
    if (!parsed || parsed->klass != code / 100) return false;
    status = *parsed;
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    return true;
}

}  // namespace

mail::Reply ServerReply::to_mail() const {
    mail::Reply reply;
    reply.code = code;
    reply.status = {static_cast<std::uint16_t>(code / 100), 0, 0};
    std::string text;
    bool first = true;
    for (std::string_view line : lines) {
        mail::EnhancedStatus status;
        if (take_status(line, code, status) && first) reply.status = status;
        first = false;
        line = base::trim(line);
        if (!text.empty() && !line.empty()) text += ' ';
        text += line;
        if (text.size() > base::limits::kStatusText) break;
    }
    reply.text = base::printable(text, base::limits::kStatusText);
    return reply;
}

base::Result<std::size_t> ReplyParser::feed(std::string_view input) {
    std::size_t used = 0;
    while (!done_ && used < input.size()) {
        const auto rest = input.substr(used);
        const auto newline = rest.find('\n');
        const auto piece = rest.substr(0, newline == rest.npos ? rest.npos : newline + 1);
        if (partial_.size() + piece.size() > base::limits::kReplyLine)
            return fail(Errc::limit, "the server's reply has too long a line");
        partial_ += piece;
        used += piece.size();
        if (newline == rest.npos) break;
        std::string_view text = partial_;
        text.remove_suffix(1);
        if (text.ends_with('\r')) text.remove_suffix(1);
        const auto parsed = line(text);
        if (!parsed) return parsed.error();
        partial_.clear();
    }
    return used;
}

base::Result<void> ReplyParser::line(std::string_view text) {
    const auto bad = [&] {
        return fail(Errc::protocol,
                    fmt::format("no SMTP reply: \"{}\"", base::printable(text, 80)));
    };
    const auto parsed = base::parse_number(text.substr(0, 3), 599);
    const auto code = parsed && text.size() >= 3 ? *parsed : 0;
    if (code < 200) return bad();
    const char separator = text.size() > 3 ? text[3] : ' ';
    if (separator != ' ' && separator != '-') return bad();
    if (!reply_.lines.empty() && reply_.code != static_cast<int>(code)) return bad();
    if (reply_.lines.size() >= base::limits::kReplyLines)
        return fail(Errc::limit, "the server's reply has too many lines");
    reply_.code = static_cast<int>(code);
    reply_.lines.emplace_back(text.size() > 4 ? text.substr(4) : std::string_view());
    done_ = separator == ' ';
    return {};
}

ServerReply ReplyParser::take() {
    done_ = false;
    return std::exchange(reply_, ServerReply());
}

}  // namespace smtp_bridge
