#include "queue/peer_class.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace queue {
namespace {

constexpr std::array<std::pair<PeerClass, const char*>, kPeerClasses> kWords{
    {{PeerClass::newcomer, "new"},
     {PeerClass::known, "known"},
     {PeerClass::good, "good"},
     {PeerClass::poor, "poor"},
     {PeerClass::blocked, "blocked"},
     {PeerClass::trusted, "trusted"},
     {PeerClass::limited, "limited"}}};

constexpr std::int64_t kWeightOfNewest = 8;

// Less than this says nothing: 10 in the newest period, or 20 in the one before it.
constexpr std::int64_t kBadEnough = 10 * kWeightOfNewest;
constexpr std::int64_t kBadEnoughToBlock = 100 * kWeightOfNewest;
// Percent of the recipients.
constexpr std::int64_t kBlocked = 50;
constexpr std::int64_t kPoor = 10;
constexpr std::int64_t kGood = 2;
// To be known, and to be good.
constexpr int kKnownDays = 3;
constexpr std::int64_t kKnownMessages = 5;
constexpr int kGoodDays = 10;
constexpr std::int64_t kGoodMessages = 50;
constexpr std::chrono::days kGoodAge{30};

template <class Of>
std::int64_t weighed(const std::array<PeerFigures, PeerRecord::kPeriods>& periods, Of of) {
    std::int64_t sum = 0;
    std::int64_t weight = kWeightOfNewest;
    for (const PeerFigures& period : periods) {
        sum += weight * of(period);
        weight /= 2;
    }
    return sum;
}

PeerClass class_by_figures(const PeerRecord& record) {
    const std::int64_t bad = record.bad();
    const auto reaches = [&](std::int64_t percent) {
        return 100 * bad >= percent * record.recipients();
    };
    if (bad >= kBadEnoughToBlock && reaches(kBlocked)) return PeerClass::blocked;
    if (bad >= kBadEnough && reaches(kPoor)) return PeerClass::poor;
    const std::int64_t messages = record.total().messages;
    if (record.days() < kKnownDays || messages < kKnownMessages) return PeerClass::newcomer;
    const bool is_good = record.days() >= kGoodDays && messages >= kGoodMessages &&
                         record.age() >= kGoodAge && !reaches(kGood);
    return is_good ? PeerClass::good : PeerClass::known;
}

}  // namespace

const char* to_text(PeerClass of) {
    for (const auto& [known, word] : kWords) {
        if (known == of) return word;
    }
    return "";
}

base::Result<PeerClass> parse_class(std::string_view word) {
    std::string all;
    for (const auto& [known, text] : kWords) {
        if (word == text) return known;
        all += (all.empty() ? "" : ", ") + std::string(text);
    }
    return base::fail(base::Errc::syntax,
                      "\"" + std::string(word) + "\" is no class of a domain: one of " + all);
}

base::Result<PeerClass> parse_class_by_hand(std::string_view word) {
    for (const PeerClass each : {PeerClass::trusted, PeerClass::limited, PeerClass::blocked}) {
        if (word == to_text(each)) return each;
    }
    return base::fail(base::Errc::syntax, "\"" + std::string(word) +
                                              "\" is no class that is given by hand: trusted, "
                                              "limited or blocked");
}

PeerFigures& PeerFigures::operator+=(const PeerFigures& more) {
    messages += more.messages;
    recipients += more.recipients;
    unknown += more.unknown;
    refused += more.refused;
    complaints += more.complaints;
    return *this;
}

PeerRecord::PeerRecord(std::chrono::sys_days today, std::chrono::sys_days since)
    : today_(today), age_(std::max(today - since, std::chrono::days::zero())) {}

void PeerRecord::add(std::chrono::sys_days day, const PeerFigures& figures) {
    const auto ago = std::max(today_ - day, std::chrono::days::zero()).count();
    if (ago >= kDays) return;
    periods_.at(static_cast<std::size_t>(ago) / kHalfLife) += figures;
    if (figures.messages > 0) ++days_;
}

PeerFigures PeerRecord::total() const {
    PeerFigures total;
    for (const PeerFigures& period : periods_)
        total += period;
    return total;
}

std::int64_t PeerRecord::bad() const {
    return weighed(periods_, [](const PeerFigures& period) { return period.bad(); });
}

std::int64_t PeerRecord::recipients() const {
    return weighed(periods_, [](const PeerFigures& period) { return period.recipients; });
}

PeerRecord PeerRecord::without_complaints() const {
    PeerRecord record = *this;
    for (PeerFigures& period : record.periods_)
        period.complaints = 0;
    return record;
}

bool is_made_by_list(const PeerRecord& record) {
    if (record.by_hand || !record.listed) return false;
    if (*record.listed != PeerClass::good) return true;
    const PeerClass by_figures = class_by_figures(record);
    return by_figures == PeerClass::newcomer || by_figures == PeerClass::known;
}

PeerClass class_of(const PeerRecord& record) {
    if (record.by_hand) return *record.by_hand;
    return is_made_by_list(record) ? *record.listed : class_by_figures(record);
}

}  // namespace queue
