// PromiseBook: what peers have promised of the closed lane (queue/peer_promise), in memory and on
// the store's disk.
//
// Owns the promises: bounded in all and by organisation; those that have had no verdict of ours go
// first. Event loop, but for concerns(). What can't be written down is known until the next start.
//
// Tested by tests/unit/queue/peers/promise_book_test.cpp.
#pragma once

#include "base/clock_trust.hpp"
#include "mail/organisation.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/peer_promise.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace queue {

/// All of them, and of one organisation: some hundred kilobytes.
inline constexpr std::size_t kPromises = 2000;
inline constexpr std::size_t kPromisesOfOrganisation = 20;

class PromiseBook final : public PromiseListener {
  public:
    /// Hears what is new of a promise, as it was before if it is withdrawn.
    using Tell = std::function<void(PromiseNews, const PeerPromise&)>;

    /// All have to outlive it. `sole`: the component of ours, if there is only one: whoever has had
    /// a verdict before had it from that.
    PromiseBook(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust,
                std::string sole, Tell tell);

    /// Once, before anything else. Errc::storage.
    base::Task<base::Result<void>> load();
    void form_read(const FormReading& reading) override;
    void verdict_given(const mail::Domain& domain, const std::string& component) override;
    /// A component of ours that takes no mail by XMPP: mail for it has to come by SMTP, and no
    /// promise binds anybody towards it, until it is taken up again.
    void set_retired(const std::string& component, bool retired);
    /// False if it has promised nothing.
    bool forget(const mail::Domain& domain);
    /// Drops what is over. Every minute or so.
    void sweep();

    const PeerPromise* find(const mail::Domain& domain) const;
    bool stands(const mail::Domain& domain, const std::string& component);
    /// When the form of `domain` was last read with the promise in it, by this process.
    std::optional<base::SteadyPoint> confirmed(const mail::Domain& domain) const;
    /// By domain.
    std::vector<PeerPromise> list() const;
    /// Those that stand, and bind their domain towards one of us at least.
    std::set<mail::Domain> standing();
    /// The form to be read next, so that its promise comes to count, or goes on; those that were
    /// asked for in the last hour rest.
    std::optional<mail::Domain> due();

    /// A promise of `sender` counts, and binds it towards `component`. Any thread.
    bool concerns(const mail::Domain& sender, const std::string& component) const;

  private:
    struct Entry {
        explicit Entry(PeerPromise of)
            : promise(std::move(of)),
              organisation(mail::Organisation::of(promise.domain.ascii())) {}
        PeerPromise promise;
        mail::Organisation organisation;
        std::optional<base::SteadyPoint> confirmed{};
        std::optional<base::SteadyPoint> asked{};
    };
    using Bound = std::map<mail::Domain, std::set<std::string>>;

    /// By the clock as it is believed; looks whether that is another one.
    base::TimePoint now();
    void set(PeerPromise promise);
    void drop(const mail::Domain& domain);
    bool make_room(const mail::Domain& domain, base::TimePoint now);
    void publish();
    /// The components towards which it binds, but for those that are retired.
    std::set<std::string> bound_of(const PeerPromise& promise) const;

    StorageThread& storage_;
    const base::Clock& clock_;
    base::ClockTrust& trust_;
    std::string sole_;
    Tell tell_;
    std::uint64_t accepted_ = 0;  ///< ClockTrust::State::times_accepted, as it was
    std::map<mail::Domain, Entry> entries_;
    std::set<std::string> retired_;  ///< components of ours
    mutable std::mutex mutex_;
    std::shared_ptr<const Bound> bound_ = std::make_shared<const Bound>();
};

}  // namespace queue
