#include "component/incoming/class_rules.hpp"

namespace component {
namespace {

constexpr std::uint64_t kGigabyte = 1u << 30;

// A domain that nobody knows may send what a large site sends on its first day here; all of them
// together, as much as ten of these: a name that is fresh buys nothing.
constexpr PeerRates kOfNewcomer{2'000, 10'000, 4 * kGigabyte};
constexpr PeerRates kOfNewcomers{20'000, 100'000, 40 * kGigabyte};
// Wide: they end what has gone wrong at the other side.
constexpr PeerRates kOfKnown{20'000, 100'000, 40 * kGigabyte};
constexpr PeerRates kOfGood{100'000, 500'000, 200 * kGigabyte};
// As much as a few people write.
constexpr PeerRates kOfPoor{60, 300, kGigabyte / 4};
// Of refusals, each of which is kept for days.
constexpr PeerRates kOfBlocked{300, 1'500, kGigabyte};

ClassRule rule(const PeerRates& an_hour) {
    ClassRule rule;
    rule.an_hour = an_hour;
    return rule;
}

}  // namespace

const char* to_text(PeerCount what) {
    switch (what) {
        case PeerCount::messages:
            return "messages";
        case PeerCount::recipients:
            return "recipients";
        case PeerCount::bytes:
            return "bytes";
    }
    return "messages";
}

ClassRules::ClassRules() {
    using queue::PeerClass;
    set(PeerClass::newcomer, rule(kOfNewcomer));
    rules_.at(index(PeerClass::newcomer)).an_hour_of_all = kOfNewcomers;
    set(PeerClass::known, rule(kOfKnown));
    set(PeerClass::good, rule(kOfGood));
    set(PeerClass::poor, rule(kOfPoor));
    set(PeerClass::limited, rule(kOfPoor));
    set(PeerClass::blocked, rule(kOfBlocked));
    rules_.at(index(PeerClass::blocked)).refuse = true;
}

ClassRules ClassRules::unlimited() {
    ClassRules none;
    none.rules_ = {};
    return none;
}

}  // namespace component
