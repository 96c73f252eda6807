// PeerLists: what lists say of the domains that send to us: an administrator's files, and lists in
// the DNS as far as they have answered by now (component/discovery/dns_lists).
//
// An input to the class (queue/peer_class). The administrator's files go before the DNS; of each,
// what blocks before what limits, before what allows. What blocks or limits a registrable domain
// holds for all that its owner can make up below it; what allows is for a name only. In memory,
// bounded; any thread may ask, and none waits for anything but a look into maps.
//
// Tested by tests/unit/queue/peer_lists_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "base/expiring_map.hpp"
#include "mail/domain.hpp"
#include "queue/domain_list.hpp"
#include "queue/peer_class.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

/// A domain is on a list.
struct Listing {
    PeerClass makes = PeerClass::none;  ///< blocked, limited, trusted; or good, by the DNS
    std::string by;                     ///< for people: `list FILE`, `dns-list ZONE`
    bool operator==(const Listing&) const = default;
};

class PeerLists {
  public:
    /// What one list in the DNS has answered and is kept.
    static constexpr std::size_t kAnswers = 5'000;

    struct File {
        PeerClass makes = PeerClass::none;  ///< blocked, limited or trusted
        std::string name;
        std::shared_ptr<const DomainList> domains;
    };

    /// `clock` has to outlive it.
    explicit PeerLists(const base::Clock& clock) : clock_(clock) {}

    /// In place of those before.
    void use_files(std::vector<File> files);

    /// By all that is known now; nothing: no list names it.
    std::optional<Listing> find(const mail::Domain& domain) const;
    /// By a file: then no list in the DNS is asked about it.
    std::optional<Listing> find_in_files(const mail::Domain& domain) const;

    /// The list `zone` has answered: `makes` of `name`, or nothing if that is not on it. That
    /// counts until `until`; what blocks, until `fresh_until` only.
    void heard(const std::string& zone, const std::string& name, std::optional<PeerClass> makes,
               base::SteadyPoint fresh_until, base::SteadyPoint until);
    /// No need to ask again yet.
    bool is_fresh(const std::string& zone, const std::string& name) const;
    /// All that it has answered: it is not believed, or not asked, any more.
    void forget(const std::string& zone);

  private:
    struct Answer {
        std::optional<PeerClass> makes;
        base::SteadyPoint fresh_until;
    };
    using Answers = base::ExpiringMap<std::string, Answer>;

    std::optional<Listing> find_in_dns(const std::string& name, std::string_view whole) const;

    const base::Clock& clock_;
    std::atomic<bool> is_empty_{true};  ///< nothing is on any list
    mutable std::mutex mutex_;
    std::vector<File> files_;               ///< guarded: in the order in which they count
    std::map<std::string, Answers> zones_;  ///< guarded: as many as there are lists
};

}  // namespace queue
