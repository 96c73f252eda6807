#include "queue/queue_id.hpp"

namespace queue {
namespace {
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLength = 11;  // 55 bits: microseconds until the year 3111
}  // namespace

std::string QueueId::to_text() const {
    std::string text(kLength, '0');
    auto rest = static_cast<std::uint64_t>(value);
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, rest >>= 5)
        *digit = kDigits[rest & 31];
    return text;
}

base::Result<QueueId> QueueId::parse(std::string_view text) {
    const auto bad = [] { return base::fail(base::Errc::syntax, "not a queue id"); };
    if (text.size() != kLength) return bad();
    std::uint64_t value = 0;
    for (const char c : text) {
        const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        const auto digit = kDigits.find(upper);
        if (digit == std::string_view::npos) return bad();
        value = value << 5 | digit;
    }
    if (value == 0) return bad();
    return QueueId{static_cast<std::int64_t>(value)};
}

}  // namespace queue
