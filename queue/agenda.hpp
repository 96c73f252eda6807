// Agenda: which destination is to be looked at, and when. Bookkeeping for the Dispatcher, without
// I/O.
//
// Holds an entry for each destination with mail, and one for each peer that mail was found to go
// to. A next hop that is out is left alone for longer and longer (a circuit breaker), and so is
// every destination behind the same peer. Of what is due, the longest due goes first; a peer gets a
// bounded share of the places, and so do all peers of an organisation. Event loop only.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "mail/organisation.hpp"
#include "queue/ports.hpp"
#include "queue/retry_policy.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace queue {

class Agenda {
  public:
    Agenda(RetryPolicy retry, const base::Clock& clock, base::Random& random)
        : retry_(retry), clock_(clock), random_(random) {}

    /// It has mail that is due at `due`.
    void expect(const Destination& destination, base::TimePoint due);
    /// It has got mail.
    void arrived(const Destination& destination);

    /// Those that are to be looked at now. They are at work until end().
    std::vector<Destination> start();
    /// When start() has something to say that it does not say now; nothing if only a call can
    /// change that.
    std::optional<base::TimePoint> next() const;
    /// More is due than there are places for: who is at work should make room before long.
    bool is_crowded() const;

    // While it is at work:
    /// Its mail goes to this component.
    void heads_for(const Destination& destination, const std::string& peer);
    /// If its peer is out, what is known of that, and until when it is left alone.
    struct Pause {
        Deferred why;
        base::TimePoint until;
    };
    std::optional<Pause> pause_of(const Destination& destination) const;
    /// Nobody was heard there, or it can't be prepared for, for this reason. Returns until when it
    /// is left alone.
    base::TimePoint missed(const Destination& destination, const Deferred& why);
    /// Nothing can be done for it, by no fault of its next hop.
    void failed(const Destination& destination);
    /// Somebody answered.
    void reached(const Destination& destination);
    /// It failed more often than not before this look, or its peer came back meanwhile: what waits
    /// because of the silence need not wait any longer.
    bool is_to_be_woken(const Destination& destination) const;
    /// The look is over; `due`: what it has left is due then. Without any it is forgotten.
    void end(const Destination& destination, std::optional<base::TimePoint> due);

    /// It is worth a try at once, whatever was known before.
    void wake(const Destination& destination);
    /// Somebody gave a sign of life, so that `destination` may be worth a try at once. False if
    /// such tries have been in vain lately: who gives signs of life and answers nothing is tried
    /// more and more seldom.
    bool may_wake(const Destination& destination) const;
    /// It is woken by such a sign.
    void wake_by_sign(const Destination& destination);
    /// Destinations whose mail waits for `peer`, or for a peer that is not known yet.
    std::vector<Destination> waiting_for(const std::string& peer) const;
    /// Those that our component `component` sends for.
    std::vector<Destination> sent_by(const std::string& component) const;
    /// Nobody was heard at any of the peers that mail waits for: the fault may be ours, and who is
    /// heard first is a reason to try them all.
    bool all_are_silent() const { return of_peers_ > 0 && failing_ == of_peers_; }
    /// All at whose next hop nobody was heard.
    std::vector<Destination> silent() const;

    /// A peer that mail waits for in vain, and the component of ours that asks it.
    struct SilentPeer {
        std::string component;
        std::string peer;
        auto operator<=>(const SilentPeer&) const = default;
    };
    std::vector<SilentPeer> silent_peers() const;

  private:
    struct Entry {
        base::TimePoint due{};
        bool at_work = false;
        bool again = false;               // mail came while it was at work
        bool woken = false;               // its peer came back while it was at work
        bool was_silent = false;          // before the look that is under way
        int failures = 0;                 // looks in a row that found the next hop out
        base::TimePoint blocked_until{};  // nothing is tried before, unless it is woken
        bool by_sign = false;             // it is tried because of a sign of life
        int vain = 0;                     // tries for such a reason, in a row, that met silence
        base::TimePoint asleep_until{};   // no sign of life wakes it before
        std::string peer;                 // that it was found to go to; empty if unknown
        std::optional<mail::Organisation> whose{};  // that of `peer`
    };
    struct Peer {
        std::size_t at_work = 0;  // destinations
        int failures = 0;
        base::TimePoint blocked_until{};
        Deferred why;
    };

    void set_due(const Destination& destination, Entry& entry, base::TimePoint due);
    void set_failures(const Destination& destination, Entry& entry, int failures);
    bool may_start(const Destination& destination, const Entry& entry) const;
    void head_for(Entry& entry, const std::string& peer);
    void join(const Entry& entry);
    void leave(const Entry& entry);
    std::chrono::milliseconds wait(const Destination& destination, int failures);

    RetryPolicy retry_;
    const base::Clock& clock_;
    base::Random& random_;
    std::map<Destination, Entry> entries_;
    std::set<std::pair<base::TimePoint, Destination>> waiting_;  ///< those that are not at work
    std::map<std::string, Peer> peers_;                          ///< that are out, or at work
    std::map<mail::Organisation, std::size_t> of_organisation_;  ///< destinations at work
    std::size_t at_work_ = 0;                                    ///< of peers' destinations
    std::size_t of_peers_ = 0;                                   ///< entries behind a peer ...
    std::size_t failing_ = 0;  ///< ... and those of them that are silent
};

}  // namespace queue
