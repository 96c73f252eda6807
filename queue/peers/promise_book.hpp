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

/// All of them, and of one organisation: some hundred kilobytes, where few domains are ours.
inline constexpr std::size_t kPromises = 2000;
inline constexpr std::size_t kPromisesOfOrganisation = 20;

class PromiseBook final : public PromiseListener {
  public:
    /// Hears what is new of a promise, as it was before if it is withdrawn.
    using Tell = std::function<void(PromiseNews, const PeerPromise&)>;

    /// All have to outlive it. `ours`: each domain that we serve, and the component that does. If
    /// there is only one, whoever has had a verdict before had it for that.
    PromiseBook(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust,
                std::map<mail::Domain, std::string> ours, Tell tell);

    /// Once, before anything else. Errc::storage.
    base::Task<base::Result<void>> load();
    void form_read(const FormReading& reading) override;
    void verdict_given(const mail::Domain& domain,
                       const std::set<mail::Domain>& recipients) override;
    /// A component of ours that takes no mail by XMPP: mail for its domains has to come by SMTP,
    /// and no promise binds anybody towards them, until it is taken up again.
    void set_retired(const std::string& component, bool retired);
    /// False if it has promised nothing.
    bool forget(const mail::Domain& domain);
    /// Drops what is over. Every minute or so.
    void sweep();

    /// Until it changes.
    const PeerPromise* find(const mail::Domain& domain) const;
    bool stands(const mail::Domain& domain, const mail::Domain& recipient);
    /// When the form of `domain` was last read with the promise in it, by this process.
    std::optional<base::SteadyPoint> confirmed(const mail::Domain& domain) const;
    /// By domain.
    std::vector<PeerPromise> list() const;
    /// Those that stand, and bind their domain towards one of us at least.
    std::set<mail::Domain> standing();
    /// The form to be read next, so that its promise comes to count, or goes on; those that were
    /// asked for in the last hour rest.
    std::optional<mail::Domain> due();

    /// A promise of `sender` counts, and binds it towards `recipient`. Any thread.
    bool concerns(const mail::Domain& sender, const mail::Domain& recipient) const;

  private:
    struct Entry {
        explicit Entry(PeerPromise of)
            : promise(std::make_shared<const PeerPromise>(std::move(of))),
              organisation(mail::Organisation::of(promise->domain.ascii())) {}
        std::shared_ptr<const PeerPromise> promise;
        mail::Organisation organisation;
        std::optional<base::SteadyPoint> confirmed{};
        std::optional<base::SteadyPoint> asked{};
    };
    /// What any thread may see.
    struct Published {
        std::map<mail::Domain, std::shared_ptr<const PeerPromise>> promises;  ///< those that count
        std::shared_ptr<const std::set<mail::Domain>> retired;
    };

    /// By the clock as it is believed; looks whether that is another one.
    base::TimePoint now();
    void set(PeerPromise promise);
    void drop(const mail::Domain& domain);
    bool make_room(const mail::Domain& domain, base::TimePoint now);
    void publish();

    StorageThread& storage_;
    const base::Clock& clock_;
    base::ClockTrust& trust_;
    std::map<mail::Domain, std::string> ours_;
    Tell tell_;
    std::uint64_t accepted_ = 0;  ///< ClockTrust::State::times_accepted, as it was
    std::map<mail::Domain, Entry> entries_;
    /// Domains of ours whose component is.
    std::shared_ptr<const std::set<mail::Domain>> retired_ =
        std::make_shared<const std::set<mail::Domain>>();
    mutable std::mutex mutex_;
    std::shared_ptr<const Published> published_;
};

}  // namespace queue
