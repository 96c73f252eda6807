#include "mail/own_hops.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/domain.hpp"
#include "mail/header_scanner.hpp"
#include "mail/trace.hpp"

#include <algorithm>
#include <vector>

namespace mail {
namespace {

constexpr std::size_t kWords = 64;  // of one field: ours have fewer than 20

/// Where the comment that begins at `at` ends, behind its parenthesis (RFC 5322 3.2.2).
std::size_t comment_end(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    for (; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '(') {
            ++depth;
        } else if (text[at] == ')' && --depth == 0) {
            return at + 1;
        }
    }
    return text.size();
}

/// The words up to the date; a comment is one word.
std::vector<std::string_view> words_of(std::string_view value) {
    constexpr std::string_view kBlank = " \t\r\n";
    std::vector<std::string_view> words;
    std::size_t at = value.find_first_not_of(kBlank);
    while (at < value.size() && value[at] != ';' && words.size() < kWords) {
        const std::size_t end = value[at] == '('
                                    ? comment_end(value, at)
                                    : std::min(value.find_first_of(" \t\r\n;(", at), value.size());
        words.push_back(value.substr(at, end - at));
        at = value.find_first_not_of(kBlank, end);
    }
    return words;
}

bool is_component(std::string_view name, const std::set<std::string>& components) {
    return std::ranges::any_of(components, [&](const std::string& jid) {
        const auto domain = Domain::parse(jid);
        return base::iequals(name, domain ? domain->ascii() : jid);
    });
}

using Words = std::vector<std::string_view>;

Words::const_iterator find_word(const Words& words, std::string_view wanted) {
    return std::ranges::find_if(words,
                                [&](std::string_view word) { return base::iequals(word, wanted); });
}

/// `by` one of `components` `via XMPP`.
bool is_xmpp_hop(const Words& words, Words::const_iterator by,
                 const std::set<std::string>& components) {
    return words.end() - by > 3 && base::iequals(by[2], "via") && base::iequals(by[3], "XMPP") &&
           is_component(by[1], components);
}

}  // namespace

std::string transfer_of_hop(std::string_view value, const std::set<std::string>& components) {
    const Words words = words_of(value);
    const auto by = find_word(words, "by");
    if (!is_xmpp_hop(words, by, components)) return {};
    const auto id = find_word(words, "id");
    return words.end() - id > 1 ? std::string(id[1]) : std::string();
}

std::size_t own_hops(std::string_view content, const std::set<std::string>& components,
                     std::string_view hostname) {
    std::size_t hops = 0;
    HeaderScanner scanner(content.substr(0, base::limits::kHeader));
    while (const auto field = scanner.next()) {
        if (!base::iequals(field->name, "Received")) continue;
        const auto words = words_of(field->value);
        const auto by = find_word(words, "by");
        if (words.end() - by < 3) continue;
        const std::string_view name = by[1];
        const bool host =
            !hostname.empty() && base::iequals(name, hostname) && by[2] == kPacketboatComment;
        if (host || is_xmpp_hop(words, by, components)) ++hops;
    }
    return hops;
}

}  // namespace mail
