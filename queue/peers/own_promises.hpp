// OwnPromises: the closed-lane promise of our components: what each announces in its form, until
// when, who has read it, and who has to read that it is withdrawn before mail goes by SMTP again.
//
// Event loop. No date is announced before one that is no earlier is on the disk, so that a restart
// keeps what was promised. Only a clock that is believed renews a promise, or ends it by its date.
// Bounded by our components and kTold. Where the disk fails, what was announced is not renewed.
//
// Tested by tests/unit/queue/peers/own_promises_test.cpp and tests/e2e/test_promising.py.
#pragma once

#include "base/clock_trust.hpp"
#include "mail/domain.hpp"
#include "queue/ledger/own_promises.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/own_bonds.hpp"
#include "queue/promise_terms.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace queue {

class OwnPromises {
  public:
    /// No promise counts for longer.
    static constexpr auto kLongest = std::chrono::hours(24 * 14);

    struct Calls {
        /// A promise began or was withdrawn: peers are to look at the form of `component` again.
        std::function<void(const std::string& component)> changed;
        /// What `peer` was promised by `component` holds no longer; empty: to any peer.
        std::function<void(const std::string& component, const std::string& peer)> released;
        /// `peer` has still not read that `component` promises nothing any more: it is to look.
        std::function<void(const std::string& component, const std::string& peer)> unread;
    };
    /// A promise as it stands.
    struct View {
        OwnPromise promise;
        bool announced = false;
        std::vector<Told> told;  ///< of one that is withdrawn: who has not read that
    };

    /// All outlive it.
    OwnPromises(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust,
                std::shared_ptr<OwnBonds> bonds, Calls calls);

    /// What the last process has left; all of it is withdrawn until it is configured.
    /// Errc::storage.
    base::Task<base::Result<void>> load();
    /// What is to be promised from now on, by component of ours. It begins with renew().
    void configure(std::map<std::string, PromiseTerms> terms);
    /// `component` promises nothing while it is out of service, ...
    void set_retired(const std::string& component, bool retired);
    /// ... and none does while our mail goes by SMTP.
    void set_off(bool off);
    /// Every minute: dates go on, and end.
    base::Task<void> renew();

    /// What the form of `component` says now; nothing: it promises nothing.
    std::optional<Announcement> says(const std::string& component) const;
    /// The form was given to `peer`, and `promised` or not. Only a peer that is `known` is
    /// remembered: to others no mail of ours is bound.
    void told(const std::string& component, const std::string& peer, bool known, bool promised);

    std::vector<View> views() const;
    /// It may hold a promise of ours for true.
    bool may_believe(const std::string& peer) const;
    /// `peer` was told what `component` has withdrawn, and has not read that.
    bool is_unread(const std::string& component, const std::string& peer) const;

  private:
    struct Entry {
        OwnPromise promise;  ///< as it is on the disk
        std::map<std::string, base::TimePoint, std::less<>> told;
        /// Since when it is for fewer domains: who was told before may hold it for the others, too.
        base::TimePoint narrowed{};
        std::string reminded;  ///< the last one of these
    };

    const PromiseTerms* terms_of(const std::string& component) const;
    /// What has changed is said to the bonds, and to the peers.
    void look(const std::string& component);
    void look_at_all();
    void publish(const std::string& component);
    void end(std::string component);
    /// That it promises nothing; or it can't believe any more what it was told.
    void has_read(const std::string& component, const std::string& peer);
    base::Task<void> renew_one(std::string component);
    /// What is to be on the disk from now on.
    OwnPromise renewed(const std::string& component, const PromiseTerms& terms) const;
    void end_what_is_over();
    /// Those to whom no promise can be told any more that they hold for true.
    void forget_some();
    /// Of those that have not read a withdrawal, the next few.
    void remind_some();
    std::set<std::string> components() const;

    StorageThread& storage_;
    const base::Clock& clock_;
    base::ClockTrust& trust_;
    std::shared_ptr<OwnBonds> bonds_;
    Calls calls_;
    std::map<std::string, PromiseTerms> terms_;
    std::set<std::string> retired_;
    bool off_ = false;
    bool configured_ = false;                ///< before that nothing is known to be withdrawn
    std::map<std::string, Entry> entries_;   ///< by component of ours
    std::map<std::string, bool> announced_;  ///< as its peers were told to look
};

}  // namespace queue
