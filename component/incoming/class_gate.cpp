#include "component/incoming/class_gate.hpp"

#include "base/limits.hpp"
#include "mail/organisation.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace component {
namespace {

/// Of kRemembered, how many go at once when there is no room: so the look at all of them is rare.
constexpr std::size_t kForgottenAtOnce = ClassGate::kRemembered / 10;
constexpr std::chrono::seconds kLongestLater{86'400};  // the schema's secondsType

constexpr std::size_t index_of(PeerCount what) {
    return static_cast<std::size_t>(what);
}

/// The key of the configuration that the limit is.
const char* limit_name(PeerCount what, bool of_all) {
    switch (what) {
        case PeerCount::messages:
            return of_all ? "all-messages-per-hour" : "messages-per-hour";
        case PeerCount::recipients:
            return of_all ? "all-recipients-per-hour" : "recipients-per-hour";
        case PeerCount::bytes:
            return of_all ? "all-bytes-per-hour" : "bytes-per-hour";
    }
    return "";
}

/// The key that the refusal is by, and the reply; nothing if the rule has nothing against it. None
/// of the replies is one that lets its sender use SMTP (protocol rule 9): that it is on the domain
/// says RFC 3463 3.8, that it is the size that is taken here, and not that of the hop, RFC
/// 3463 3.3.
std::optional<ClassGate::Answer::Refused> refusal_by(const ClassRule& rule,
                                                     const ClassGate::Asking& asking) {
    const std::string& domain = asking.domain.ascii();
    const char* const of_class = queue::to_text(asking.peer_class);
    if (rule.refuse)
        return ClassGate::Answer::Refused{
            {550,
             {5, 7, 0},
             fmt::format("no mail of {} is taken here (class {}), by whatever way", domain,
                         of_class)},
            "refuse"};
    // The strongest comes first.
    if (asking.links > rule.assurance)
        return ClassGate::Answer::Refused{
            {550,
             {5, 7, 0},
             fmt::format("mail of {} (class {}) is taken over links of assurance {} only", domain,
                         of_class, to_text(rule.assurance))},
            "assurance"};
    if (rule.max_size && asking.size > *rule.max_size)
        return ClassGate::Answer::Refused{
            {552,
             {5, 2, 3},
             fmt::format("the message is larger than the {} octets that are taken of {} (class {})",
                         *rule.max_size, domain, of_class)},
            "max-size"};
    return std::nullopt;
}

}  // namespace

void ClassGate::Pass::end() {
    ClassGate* const gate = std::exchange(gate_, nullptr);
    if (gate == nullptr) return;
    gate->give_back(key_, used_);
    gate->give_back({key_.first, ""}, used_);
}

ClassGate::Answer ClassGate::ask(const Asking& asking) {
    const ClassRule& rule = rules_.of(asking.peer_class);
    const Key own{asking.peer_class, whose(asking.domain)};
    const Key all{asking.peer_class, ""};
    Answer answer;
    if (!asking.is_resumed) {
        std::optional<Full> full;
        find_full(own, rule, full);
        find_full(all, rule, full);
        if (full) {
            ++today(own).put_off;
            ++today(all).put_off;
            answer.later = Answer::Later{
                std::clamp(full->wait, kLeastWait, kLongestLater),
                limit_name(full->what, full->of_all),
                fmt::format("mail of {} has to wait: {} {} an hour are taken of {} (class {})",
                            asking.domain.ascii(), full->limit, to_text(full->what),
                            full->of_all ? "all such domains together" : "it",
                            queue::to_text(asking.peer_class))};
            return answer;
        }
    }
    answer.refused = refusal_by(rule, asking);
    if (answer.refused) {
        ++today(own).refused;
        ++today(all).refused;
    }
    if (asking.is_resumed) return answer;
    // Of what is refused, no byte stays; but a postmaster gets it whole.
    const bool stays = !answer.refused || asking.reaches_postmaster;
    const Amounts more{1.0, static_cast<double>(asking.recipients),
                       stays ? static_cast<double>(asking.size) : 0.0};
    add(own, rule, more);
    add(all, rule, more);
    answer.pass = Pass(this, own, more);
    return answer;
}

const std::string& ClassGate::whose(const mail::Domain& domain) {
    if (last_.first != domain.ascii())
        last_ = {domain.ascii(), mail::Organisation::of(domain.ascii()).name()};
    return last_.second;
}

/// There is room while anything is left: what is the last may be more than that, or a large message
/// would never come.
void ClassGate::find_full(const Key& key, const ClassRule& rule, std::optional<Full>& worst) const {
    const auto found = uses_.find(key);
    if (found == uses_.end()) return;
    const bool of_all = key.second.empty();
    const PeerRates& limits = of_all ? rule.an_hour_of_all : rule.an_hour;
    for (const PeerCount what : kPeerCounts) {
        const auto& limit = limits.at(index_of(what));
        if (!limit) continue;
        const base::Rate rate = base::Rate::of(*limit, rule.burst);
        const auto wait = found->second.buckets.at(index_of(what)).wait(rate, clock_.steady());
        if (wait > std::chrono::seconds(0) && (!worst || wait > worst->wait))
            worst = Full{wait, what, *limit, of_all};
    }
}

void ClassGate::add(const Key& key, const ClassRule& rule, const Amounts& more) {
    const PeerRates& limits = key.second.empty() ? rule.an_hour_of_all : rule.an_hour;
    if (std::ranges::none_of(limits, [](const auto& limit) { return limit.has_value(); })) return;
    Use& use = use_of(key);
    for (const PeerCount what : kPeerCounts) {
        const auto& limit = limits.at(index_of(what));
        if (!limit) continue;
        use.buckets.at(index_of(what))
            .add(more.at(index_of(what)), base::Rate::of(*limit, rule.burst), clock_.steady());
    }
}

void ClassGate::give_back(const Key& key, const Amounts& less) {
    const auto found = uses_.find(key);
    if (found == uses_.end()) return;
    for (const PeerCount what : kPeerCounts)
        found->second.buckets.at(index_of(what)).give_back(less.at(index_of(what)));
}

ClassGate::Use& ClassGate::use_of(const Key& key) {
    const auto found = uses_.find(key);
    if (found != uses_.end()) return found->second;
    make_room();
    return uses_[key];
}

ClassGate::Use& ClassGate::today(const Key& key) {
    Use& use = use_of(key);
    const auto day = queue::day_of(clock_.now());
    if (use.day != day) {
        use.day = day;
        use.put_off = use.refused = 0;
    }
    return use;
}

double ClassGate::share_used(const Key& key, const Use& use) const {
    // There are few of these, and all depends on them.
    if (key.second.empty()) return HUGE_VAL;
    const ClassRule& rule = rules_.of(key.first);
    double share = 0;
    for (const PeerCount what : kPeerCounts) {
        const auto& limit = rule.an_hour.at(index_of(what));
        if (!limit) continue;
        const base::Rate rate = base::Rate::of(*limit, rule.burst);
        const double used = use.buckets.at(index_of(what)).used(rate, clock_.steady());
        share = std::max(share, used / rate.at_once);
    }
    return share;
}

void ClassGate::make_room() {
    if (uses_.size() < kRemembered) return;
    std::vector<std::pair<double, Key>> shares;
    shares.reserve(uses_.size());
    for (const auto& [key, use] : uses_)
        shares.emplace_back(share_used(key, use), key);
    const auto last = shares.begin() + static_cast<std::ptrdiff_t>(kForgottenAtOnce);
    std::ranges::nth_element(shares, last);
    for (auto each = shares.begin(); each != last; ++each)
        uses_.erase(each->second);
}

ClassGate::Usage ClassGate::usage(const Key& key, const PeerRates& limits,
                                  std::chrono::milliseconds burst) const {
    Usage usage;
    usage.limits = limits;
    const auto found = uses_.find(key);
    if (found != uses_.end() && found->second.day == queue::day_of(clock_.now())) {
        usage.put_off = found->second.put_off;
        usage.refused = found->second.refused;
    }
    for (const PeerCount what : kPeerCounts) {
        const auto i = index_of(what);
        if (!limits.at(i)) continue;
        const base::Rate rate = base::Rate::of(*limits.at(i), burst);
        usage.at_once.at(i) = static_cast<std::uint64_t>(rate.at_once);
        if (found == uses_.end()) continue;
        const double used = found->second.buckets.at(i).used(rate, clock_.steady());
        usage.used.at(i) = static_cast<std::uint64_t>(std::ceil(used));
    }
    return usage;
}

ClassGate::Standing ClassGate::look(queue::PeerClass peer_class, const mail::Domain& domain) const {
    const ClassRule& rule = rules_.of(peer_class);
    const Key own{peer_class, mail::Organisation::of(domain.ascii()).name()};
    return {rule, usage(own, rule.an_hour, rule.burst),
            usage({peer_class, ""}, rule.an_hour_of_all, rule.burst)};
}

}  // namespace component
