#include "mail/status.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace mail {

std::string EnhancedStatus::to_text() const {
    return fmt::format("{}.{}.{}", klass, subject, detail);
}

base::Result<EnhancedStatus> EnhancedStatus::parse(std::string_view text) {
    const auto bad = [] { return base::fail(base::Errc::syntax, "not an enhanced status code"); };
    std::array<std::uint16_t, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const bool last = i + 1 == numbers.size();
        const std::size_t end = last ? text.size() : std::min(text.find('.'), text.size());
        const std::string_view digits = text.substr(0, end);
        const auto number = base::parse_number(digits, 999);
        // RFC 3463 2: "without leading zero digits"
        if (!number || (digits.size() > 1 && digits.front() == '0')) return bad();
        if (!last && end == text.size()) return bad();
        numbers.at(i) = static_cast<std::uint16_t>(*number);
        text.remove_prefix(last ? end : end + 1);
    }
    if (numbers[0] != 2 && numbers[0] != 4 && numbers[0] != 5) return bad();
    return EnhancedStatus{numbers[0], numbers[1], numbers[2]};
}

bool Reply::is_about_recipient() const {
    const auto detail = status.detail;
    return is_permanent() && status.subject == 1 &&
           ((detail >= 1 && detail <= 3) || detail == 6 || detail == 10);
}

std::string Reply::to_text() const {
    return fmt::format("{} {}{}{}", code, status.to_text(), text.empty() ? "" : " ", text);
}

}  // namespace mail
