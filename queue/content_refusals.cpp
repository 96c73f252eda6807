#include "queue/content_refusals.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kPatterns = 50;

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
    const std::string text = base::to_lower(reply.text);
    return std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
        return reply.status.klass == 5 && pattern.subject == reply.status.subject &&
               pattern.detail.value_or(reply.status.detail) == reply.status.detail &&
               text.find(pattern.text) != std::string::npos;
    });
}

}  // namespace queue
