// DomainOwners: whom domains belong to, asked of the DNS by the tree walk of RFC 9989 4.10.
//
// Mail waits for the answers, and strangers choose what is asked. So no hand-over waits for longer
// than kOwnersTime, only kWaiting of them wait at once, few of them for mail of one
// organisation, and none for that of one whose look-ups have just taken long: the others have what
// is kept, or else the Public Suffix List. One look-up of a domain is under way at a time. Event
// loop only; never throws.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/expiring_map.hpp"
#include "base/task_group.hpp"
#include "component/discovery/text_resolver.hpp"
#include "queue/owner_lookup.hpp"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace component {

/// The longest that a mail waits for the owners of its domains.
inline constexpr auto kOwnersTime = std::chrono::seconds(3);

class DomainOwners final : public queue::OwnerLookup {
  public:
    /// Hand-overs that wait at once: less than half of those to one mail server (of one
    /// organisation's mail: two).
    static constexpr std::size_t kWaiting = 4;

    DomainOwners(base::asio::any_io_executor executor, base::Clock& clock,
                 std::unique_ptr<TextResolver> resolver);

    base::Task<std::vector<mail::DomainOwner>> find(std::vector<mail::Domain> domains,
                                                    mail::Organisation cause) override;
    /// Asks nothing more, and returns when nothing is under way.
    base::Task<void> stop();

    /// Owners that are kept. For tests.
    std::size_t kept() const { return kept_.size(); }

  private:
    /// A hand-over that waits for several domains.
    struct Wait {
        explicit Wait(const base::asio::any_io_executor& executor) : ended(executor) {}
        std::size_t left = 0;
        base::OneShot<bool> ended;
    };
    using Flight = std::vector<std::shared_ptr<Wait>>;  ///< who waits for it

    const mail::DomainOwner* known(const mail::Domain& domain) const;
    bool may_wait(const mail::Organisation& cause) const;
    /// Of those that are not known; at most kOwnersTime.
    base::Task<void> wait_for(std::vector<mail::Domain> domains, mail::Organisation cause);
    base::Task<void> look_up(mail::Domain domain);

    base::asio::any_io_executor executor_;
    base::Clock& clock_;
    std::unique_ptr<TextResolver> resolver_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
    std::multiset<mail::Organisation> waiting_;  ///< one for each hand-over; kWaiting at most
    std::map<mail::Domain, Flight> flights_;     ///< some for each hand-over that waits
    base::ExpiringMap<mail::Domain, mail::DomainOwner> kept_;
    /// Whose look-ups took long, and until when nobody waits for any: one for each that waited.
    std::map<mail::Organisation, base::SteadyPoint> slow_;
};

}  // namespace component
