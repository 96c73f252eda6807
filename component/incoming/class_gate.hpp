// ClassGate: whether a transfer may come in now, by the class of the domain that it comes for, and
// how much of its allowance that domain has used.
//
// One for all our components. What comes counts for its organisation, as whoever has a domain has
// any number of names below it, apart for each class that its domains are in; and, where the class
// has such a limit, for all domains of the class together. Bounded: beyond kRemembered, those go
// that are the furthest from their limits, so that who makes up domains is not forgotten himself.
// Nothing of it survives a restart. Event loop only; cannot fail.
#pragma once

#include "base/clock.hpp"
#include "base/token_bucket.hpp"
#include "component/incoming/class_rules.hpp"
#include "mail/domain.hpp"
#include "mail/status.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace component {

class ClassGate {
  public:
    static constexpr std::size_t kRemembered = 20'000;
    /// Who has to wait is not told to come back earlier.
    static constexpr std::chrono::seconds kLeastWait{60};

    /// `clock` has to outlive it.
    ClassGate(ClassRules rules, const base::Clock& clock)
        : rules_(std::move(rules)), clock_(clock) {}

    /// From now on.
    void use(ClassRules rules) { rules_ = std::move(rules); }

    /// A transfer that is not known yet.
    struct Asking {
        queue::PeerClass peer_class = queue::PeerClass::none;
        const mail::Domain& domain;         ///< that it comes for, authenticated
        Assurance links = Assurance::none;  ///< what our server demands of its links
        std::size_t recipients = 0;
        std::uint64_t size = 0;  ///< bytes of content
        /// Some of it was taken before: it counts no more, but may be refused.
        bool is_resumed = false;
        /// Whom no class keeps out (protocol rule 10): the content comes even so.
        bool reaches_postmaster = false;
    };
    class Pass;
    /// Either of the first two, or a pass.
    struct Answer;
    Answer ask(const Asking& asking);

    /// Of one organisation's domains in a class, or of all domains in it.
    struct Usage {
        PeerRates limits{};
        std::array<std::uint64_t, kPeerCounts.size()> at_once{};  ///< where there is a limit
        std::array<std::uint64_t, kPeerCounts.size()> used{};     ///< of that, now
        std::uint64_t put_off = 0;                                ///< transfers, on this day of UTC
        std::uint64_t refused = 0;                                ///< likewise
    };
    struct Standing {
        ClassRule rule;
        Usage own;
        Usage of_all;
    };
    Standing look(queue::PeerClass peer_class, const mail::Domain& domain) const;
    std::size_t remembered() const { return uses_.size(); }

  private:
    /// The class, and an organisation; without one, all of the class.
    using Key = std::pair<queue::PeerClass, std::string>;
    using Amounts = std::array<double, kPeerCounts.size()>;
    struct Use {
        std::array<base::TokenBucket, kPeerCounts.size()> buckets{};
        std::chrono::sys_days day{};
        std::uint64_t put_off = 0;
        std::uint64_t refused = 0;
    };
    struct Full {
        std::chrono::seconds wait{};
        PeerCount what = PeerCount::messages;
        std::uint64_t limit = 0;
        bool of_all = false;
    };

    const std::string& whose(const mail::Domain& domain);
    Usage usage(const Key& key, const PeerRates& limits, std::chrono::milliseconds burst) const;
    void find_full(const Key& key, const ClassRule& rule, std::optional<Full>& worst) const;
    void add(const Key& key, const ClassRule& rule, const Amounts& more);
    void give_back(const Key& key, const Amounts& less);
    Use& today(const Key& key);
    Use& use_of(const Key& key);
    double share_used(const Key& key, const Use& use) const;
    void make_room();

    ClassRules rules_;
    const base::Clock& clock_;
    std::map<Key, Use> uses_;
    std::pair<std::string, std::string> last_;  ///< a domain, and whose it is
};

/// What a transfer has used of its domain's allowance: given back, unless it was taken.
class ClassGate::Pass {
  public:
    Pass() = default;
    ~Pass() { end(); }
    Pass(Pass&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)),
          key_(std::move(other.key_)),
          used_(other.used_) {}
    Pass& operator=(Pass&& other) noexcept {
        end();
        gate_ = std::exchange(other.gate_, nullptr);
        key_ = std::move(other.key_);
        used_ = other.used_;
        return *this;
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    /// It is on the disk, or has its verdict there.
    void taken() { gate_ = nullptr; }

  private:
    friend class ClassGate;
    Pass(ClassGate* gate, Key key, const Amounts& used)
        : gate_(gate), key_(std::move(key)), used_(used) {}
    void end();

    ClassGate* gate_ = nullptr;
    Key key_;
    Amounts used_{};
};

struct ClassGate::Answer {
    /// Its allowance is used up: nothing of the transfer is decided.
    struct Later {
        std::chrono::seconds retry_after{};
        const char* limit = "";  ///< the key of the configuration
        std::string text;
    };
    /// For good, and by no other way: of all recipients but a postmaster (protocol rule 10).
    struct Refused {
        mail::Reply reply;
        const char* limit = "";  ///< the key of the configuration
    };
    std::optional<Later> later{};
    std::optional<Refused> refused{};
    Pass pass{};  ///< unless it is to come later
};

}  // namespace component
