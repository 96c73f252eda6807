#include "queue/complaint.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace queue {
namespace {

constexpr std::string_view kHead = "complaints\r\n";
constexpr auto kFirstPause = std::chrono::minutes(5);
constexpr auto kLongestPause = std::chrono::hours(1);

}  // namespace

std::string encode(const std::vector<Complaint>& complaints) {
    std::string text(kHead);
    for (const Complaint& each : complaints)
        text += fmt::format("{} {} {}\r\n", each.key.id, each.key.domain.ascii(),
                            each.is_spam ? "spam" : "not-spam");
    return text;
}

bool is_complaints(std::string_view text) {
    return text.starts_with(kHead);
}

base::Result<std::vector<Complaint>> decode_complaints(std::string_view text) {
    const auto bad = [] {
        return base::fail(base::Errc::storage, "stored complaints are damaged");
    };
    if (!is_complaints(text)) return bad();
    std::vector<Complaint> complaints;
    for (const std::string_view line : base::split(text.substr(kHead.size()), "\r\n")) {
        const auto words = base::split(line, " ");
        if (words.size() != 3 || (words[2] != "spam" && words[2] != "not-spam")) return bad();
        auto domain = mail::Domain::parse(words[1]);
        if (!domain) return bad();
        complaints.push_back({{std::move(*domain), std::string(words[0])}, words[2] == "spam"});
    }
    return complaints;
}

std::chrono::milliseconds pause_after_complaints(std::int64_t days) {
    if (days <= 0) return std::chrono::milliseconds::zero();
    std::chrono::milliseconds pause = kFirstPause;
    for (std::int64_t day = 1; day < days && pause < kLongestPause; ++day)
        pause *= 2;
    return std::min<std::chrono::milliseconds>(pause, kLongestPause);
}

}  // namespace queue
