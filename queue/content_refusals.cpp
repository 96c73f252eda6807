#include "queue/content_refusals.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cctype>

namespace queue {
namespace {

constexpr std::size_t kPatterns = 50;

bool is_of_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// Without addresses: who has the mailbox `spam@` is no spammer.
std::string without_addresses(const std::string& text) {
    std::string left;
    left.reserve(text.size());
    int depth = 0;
    for (const char c : text) {
        if (c == '<') ++depth;
        if (depth == 0) left += c;
        if (c == '>' && depth > 0) --depth;
    }
    return left;
}

/// In whole words: `spam` is not in `spamhaus.org`.
bool has_words(const std::string& text, const std::string& words) {
    if (words.empty()) return true;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
        const std::size_t end = at + words.size();
        const bool begins = at == 0 || !is_of_word(text[at - 1]) || !is_of_word(words.front());
        const bool ends = end == text.size() || !is_of_word(text[end]) || !is_of_word(words.back());
        if (begins && ends) return true;
    }
    return false;
}

}  // namespace

base::Result<ContentRefusals::Pattern> ContentRefusals::parse_pattern(std::string_view text) {
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    std::string status(text.substr(0, end));
    Pattern pattern;
    pattern.text = base::to_lower(base::trim(text.substr(end)));
    const bool any_detail = status.ends_with(".*");
    if (any_detail) status.back() = '0';
    const auto parsed = mail::EnhancedStatus::parse(status);
    if (!parsed || parsed->klass != 5)
        return base::fail(base::Errc::syntax, "\"" + std::string(text) +
                                                  "\" does not begin with a status such as 5.7.1 "
                                                  "or 5.7.*");
    pattern.subject = parsed->subject;
    if (!any_detail) pattern.detail = parsed->detail;
    return pattern;
}

base::Result<ContentRefusals> ContentRefusals::parse(std::string_view text) {
    ContentRefusals refusals;
    if (base::trim(text) == "none") return refusals;
    for (const std::string_view part : base::split(text, ",")) {
        if (refusals.patterns_.size() == kPatterns)
            return base::fail(base::Errc::limit, "more than 50 patterns");
        auto pattern = parse_pattern(base::trim(part));
        if (!pattern) return pattern.error();
        refusals.patterns_.push_back(std::move(*pattern));
    }
    if (refusals.patterns_.empty()) return base::fail(base::Errc::syntax, "there is no pattern");
    return refusals;
}

bool ContentRefusals::has(const mail::Reply& reply) const {
    if (!reply.is_permanent() || patterns_.empty()) return false;
    const std::string text = without_addresses(base::to_lower(reply.text));
    return std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
        return reply.status.klass == 5 && pattern.subject == reply.status.subject &&
               pattern.detail.value_or(reply.status.detail) == reply.status.detail &&
               has_words(text, pattern.text);
    });
}

}  // namespace queue
