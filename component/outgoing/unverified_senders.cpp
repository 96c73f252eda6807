#include "component/outgoing/unverified_senders.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kTryAgain = 1h;             // a domain that was given up is tried so often
constexpr auto kForgotten = 24h;           // what was not refused for so long begins anew
constexpr std::size_t kRemembered = 2000;  // pairs of our domains and peers; they are ours to name

}  // namespace

bool UnverifiedSenders::refused(const mail::Domain& domain, const std::string& peer,
                                std::string why, base::SteadyPoint now) {
    const Key key{domain, peer};
    const auto found = entries_.find(key);
    const bool is_new = found == entries_.end() || now - found->second.last >= kForgotten;
    if (found == entries_.end()) make_room(now);
    Entry& entry = entries_[key];
    if (is_new) entry.since = now;
    entry.last = now;
    entry.why = std::move(why);
    return is_new;
}

void UnverifiedSenders::make_room(base::SteadyPoint now) {
    if (entries_.size() < kRemembered) return;
    std::erase_if(entries_, [&](const auto& item) { return now - item.second.last >= kForgotten; });
    if (entries_.size() < kRemembered) return;
    entries_.erase(
        std::ranges::min_element(entries_, {}, [](const auto& item) { return item.second.last; }));
}

void UnverifiedSenders::verified(const mail::Domain& domain, const std::string& peer) {
    entries_.erase(Key{domain, peer});
}

std::optional<std::string> UnverifiedSenders::given_up(const mail::Domain& domain,
                                                       const std::string& peer,
                                                       std::chrono::milliseconds patience) const {
    const auto found = entries_.find(Key{domain, peer});
    // Its own last word counts, and not that nothing was heard since.
    if (found == entries_.end() || found->second.last - found->second.since < patience)
        return std::nullopt;
    return found->second.why;
}

bool UnverifiedSenders::is_to_be_tried(const mail::Domain& domain, const std::string& peer,
                                       base::SteadyPoint now) const {
    const auto found = entries_.find(Key{domain, peer});
    return found == entries_.end() || now - found->second.last >= kTryAgain;
}

}  // namespace component
