#include "smtp-bridge/client/dot_stuffer.hpp"

namespace smtp_bridge {

void DotStuffer::feed(std::string_view input, std::string& output) {
    while (!input.empty()) {
        if (line_start_ && input.front() == '.') output += '.';
        const auto newline = input.find('\n');
        const bool whole = newline != std::string_view::npos;
        const auto line = input.substr(0, whole ? newline + 1 : newline);
        output += line;
        last_ = line.back();
        line_start_ = whole;
        input.remove_prefix(line.size());
    }
}

void DotStuffer::finish(std::string& output) {
    output += last_ == '\n' ? ".\r\n" : "\r\n.\r\n";
}

}  // namespace smtp_bridge
