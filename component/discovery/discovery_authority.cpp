// Discovery: which component may send in the name of a domain, and why another may not.
#include "component/discovery/discovery.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr auto kReturnRecheck = 1s;  // of one that was down and now sends

}  // namespace

bool Discovery::is_authorised(const std::string& jid, const mail::Domain& domain) const {
    if (jid == domain.domainpart()) return true;  // it is the domain itself
    const KnownDomain* entry = known_.find(domain);
    return entry != nullptr && entry->state == KnownDomain::State::supported &&
           known_.is_fresh(*entry, clock_.steady()) &&
           std::ranges::find(entry->speakers, jid) != entry->speakers.end();
}

base::Task<Authorisation> Discovery::authorise(Link& link, std::string jid, mail::Domain domain) {
    using Answer = Authorisation::Answer;
    using Doubt = Authorisation::Doubt;
    using Cause = LookupShares::Cause;
    if (is_authorised(jid, domain)) co_return Authorisation{Answer::yes, {}};
    const auto speaks = [&](const KnownDomain* entry) {
        return entry != nullptr && std::ranges::find(entry->speakers, jid) != entry->speakers.end();
    };
    const LookupShares::Place place{is_correspondent(jid) ? Cause::correspondent : Cause::stranger,
                                    mail::Organisation::of(jid)};
    const KnownDomain* entry = known_.find(domain);
    // Who speaks for a domain of which only others have talked makes it known.
    if (entry != nullptr && entry->hearsay && speaks(entry)) {
        co_await ask(link, domain, place, jid);
        entry = known_.find(domain);
        if (speaks(entry)) co_return Authorisation{Answer::yes, entry->why};
    }
    std::chrono::seconds recheck = kInboundRecheck;
    if (entry != nullptr) {
        // A component that sends is not down, whatever was found before.
        // And a domain whose server could not be asked may have one now, as its mail has come.
        const bool is_down = entry->state == KnownDomain::State::down;
        if ((is_down && entry->component == jid) || entry->undecided) recheck = kReturnRecheck;
        if (is_down && entry->signs != known_.signs(entry->component)) recheck = 0s;
    }
    if (entry == nullptr || clock_.steady() - entry->checked >= recheck) {
        const base::SteadyPoint before = entry == nullptr ? base::SteadyPoint() : entry->checked;
        const std::uint64_t signs = entry == nullptr ? 0 : entry->signs;
        co_await ask(link, domain, place, jid);
        entry = known_.find(domain);
        if (entry != nullptr && entry->checked == before && entry->signs == signs)
            co_return Authorisation{Answer::unknown, domain.ascii() + " can't be looked up now"};
    }
    if (entry == nullptr)
        co_return Authorisation{Answer::unknown, "too many look-ups are under way"};
    if (speaks(entry)) co_return Authorisation{Answer::yes, entry->why};
    if (entry->undecided)
        co_return Authorisation{Answer::unknown, entry->why, true, Doubt::unreachable};
    std::string why = jid + " does not speak for " + domain.ascii();
    if (!entry->dispute.empty()) why += ": " + entry->dispute;
    const Doubt doubt = !entry->dispute.empty() ? Doubt::disputed
                        : entry->no_server      ? Doubt::no_server
                                                : Doubt::unacknowledged;
    co_return Authorisation{Answer::no, std::move(why), false, doubt};
}

}  // namespace component
