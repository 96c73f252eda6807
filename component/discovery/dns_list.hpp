// DnsList: one list of domains in the DNS (RFC 5782 3), asked about the domains that mail comes
// for.
//
// Nobody waits for it: what it has answered by the time that a class is made counts, in
// queue::PeerLists. It fails open: while it is silent it is left alone for a minute at a time, and
// while it does not behave as a list (RFC 5782 5) nothing that it has said counts; before it has
// mail refused for good, that is looked at anew. Whose mail it is decides how much is asked at
// once, and all is bounded. Event loop only; never throws.
//
// Tested by tests/unit/component/discovery/dns_lists_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "component/discovery/address_resolver.hpp"
#include "component/discovery/list_answers.hpp"
#include "mail/domain.hpp"
#include "mail/organisation.hpp"
#include "queue/peer_lists.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace component {

struct DnsListSettings {
    std::string zone;                                 ///< `dbl.example.net`, A-labels
    queue::PeerClass makes = queue::PeerClass::none;  ///< blocked, limited or good
    ListAnswers answers;
    /// A name that is on the list, for certain, below the zone (RFC 5782 5).
    std::string test = "test";
    bool operator==(const DnsListSettings&) const = default;
};

class DnsList {
  public:
    /// Look-ups under way at once: in all, and of domains of one organisation.
    static constexpr std::size_t kAsking = 16;
    static constexpr std::size_t kAskingOfOne = 2;

    /// All references have to outlive it.
    DnsList(DnsListSettings settings, base::Clock& clock, queue::PeerLists& lists,
            AddressResolver& resolver)
        : settings_(std::move(settings)), clock_(clock), lists_(lists), resolver_(resolver) {}

    const DnsListSettings& settings() const { return settings_; }

    /// Of the names by which `domain` may be on it, those that are to be asked about now; they
    /// count as being asked until look_up() of them is over.
    std::vector<std::string> take_names(const mail::Domain& domain);
    /// Asks about what take_names() gave.
    base::Task<void> look_up(std::vector<std::string> names, mail::Organisation whose);
    /// True once when it is time to see whether it behaves as a list: then test() is to be run.
    bool take_test();
    base::Task<void> test();
    /// At the next take_test().
    void test_soon() { test_at_ = {}; }
    /// Nothing that it has said, or is going to, counts any more.
    void retire();

  private:
    /// By it, mail would be refused for good.
    bool is_refusal(const AddressAnswer& answer) const;
    bool has_behaved_lately() const;
    void hear(const std::string& name, const AddressAnswer& answer);
    void note_silence();
    void note_misbehaviour(const std::string& why);
    void note_answer();
    void say(const std::string& trouble);

    DnsListSettings settings_;
    base::Clock& clock_;
    queue::PeerLists& lists_;
    AddressResolver& resolver_;
    bool is_tested_ = false;  ///< and behaved
    bool is_testing_ = false;
    bool is_retired_ = false;
    base::SteadyPoint test_at_{};
    std::optional<base::SteadyPoint> behaved_at_{};  ///< at its last good test
    base::SteadyPoint rests_until_{};
    std::optional<std::string> trouble_{};     ///< as the log has it
    std::set<std::string> asking_;             ///< names
    std::multiset<mail::Organisation> whose_;  ///< look-ups that are under way, kAsking at most
};

}  // namespace component
