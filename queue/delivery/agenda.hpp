// Agenda: which destination is to be looked at, and when. Bookkeeping for the Dispatcher, without
// I/O.
//
// Holds an entry for each destination with mail, and one for each peer that mail was found to go
// to. A next hop that is out is left alone for longer and longer (a circuit breaker), and so is
// every destination behind the same peer. Of what is due, the longest due goes first, but what is
// fresh (new mail, or the peer is there) and what is not have places of their own; a peer gets a
// bounded share of the places, and so do all peers of an organisation. No call takes longer because
// more destinations wait: what is many is asked for in slices, and what finds no place is put aside
// until one is free. All waits are measured by the steady clock; what is told, or asked, as a
// base::TimePoint is what the database knows. Event loop only.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "mail/organisation.hpp"
#include "queue/delivery/silence.hpp"
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

    /// It has mail that is due at `due`; now, if that is further away than anything waits.
    void expect(const Destination& destination, base::TimePoint due);
    /// It has got mail.
    void arrived(const Destination& destination);

    /// What goes to peers is not looked at before `time`.
    void hold_peers_until(base::SteadyPoint time) { peers_from_ = time; }

    /// Those that are to be looked at now. They are at work until end(). Of those behind peers it
    /// takes `most` at once: next() says whether there are more.
    std::vector<Destination> start(std::size_t most = kLooks);
    static constexpr std::size_t kLooks = 1000;
    /// When start() has something to say that it does not say now; nothing if only a call can
    /// change that.
    std::optional<base::SteadyPoint> next() const;
    /// More is due than there are places for: who is at work should make room before long.
    bool is_crowded() const;

    // While it is at work:
    /// Mail has just come for it, or its peer is there.
    bool is_fresh(const Destination& destination) const {
        return entries_.at(destination).in_fresh_place;
    }
    /// Its mail goes to this component.
    void heads_for(const Destination& destination, const std::string& peer);
    /// If its peer is out, what is known of that.
    std::optional<Silence> pause_of(const Destination& destination) const;
    /// Nobody was heard there, or it can't be prepared for, for this reason. Returns until when it
    /// is left alone.
    base::TimePoint missed(const Destination& destination, const Deferred& why);
    /// Nothing can be done for it, by no fault of its next hop.
    void failed(const Destination& destination);
    /// Somebody answered.
    void reached(const Destination& destination);
    /// It was woken before this look, or since the last such question: what waits because of a
    /// silence need not wait any longer.
    bool take_wake(const Destination& destination);
    /// The same, and true as well if its next hop was silent before this look and is not any more.
    bool take_wake_after(const Destination& destination);
    /// The look is over; `due`: what it has left is due then. Without any it is forgotten.
    void end(const Destination& destination, std::optional<base::TimePoint> due);

    /// It is worth a try at once, whatever was known before ...
    void try_now(const Destination& destination);
    /// ... and so is what waits because of a silence.
    void wake(const Destination& destination);
    /// Somebody gave a sign of life, so that `destination` may be worth a try at once. False if
    /// such tries have been in vain lately: who gives signs of life and answers nothing is tried
    /// more and more seldom.
    bool may_wake(const Destination& destination) const;
    /// It is woken as its peer takes no mail any more: whatever it waits for, it waits no longer.
    void wake_for_good(const Destination& destination);
    /// It was, and nothing has been done about it yet.
    bool has_left(const Destination& destination) const;
    void forget_left(const Destination& destination);
    /// It is woken by such a sign.
    void wake_by_sign(const Destination& destination);
    /// Its mail waits for a peer that may be out.
    bool waits(const Destination& destination) const;

    // Slices: at most `most` destinations behind `after`, in their order; fewer are the last.
    using After = std::optional<Destination>;
    /// Those whose mail goes to `peer`; empty: to a peer that is not known yet.
    std::vector<Destination> behind_peer(const std::string& peer, const After& after,
                                         std::size_t most) const;
    /// Those that our component `component` sends for.
    std::vector<Destination> sent_by(const std::string& component, const After& after,
                                     std::size_t most) const;
    /// At whose next hop nobody was heard.
    std::vector<Destination> silent(const After& after, std::size_t most) const;

    /// Nobody was heard at any of the peers that mail waits for: the fault may be ours, and who is
    /// heard first is a reason to try them all.
    bool all_are_silent() const { return of_peers_ > 0 && silent_.size() == of_peers_; }

    /// A peer that mail waits for in vain, and the component of ours that asks it.
    struct SilentPeer {
        std::string component;
        std::string peer;
        auto operator<=>(const SilentPeer&) const = default;
    };
    /// A slice of them, as above.
    std::vector<SilentPeer> silent_peers(const std::optional<SilentPeer>& after,
                                         std::size_t most) const;

  private:
    /// A key of entries_, which stays where it is; in the order of what it points to.
    using Ref = const Destination*;
    struct InOrder {
        bool operator()(Ref one, Ref other) const { return *one < *other; }
    };
    using Refs = std::set<Ref, InOrder>;
    using Place = std::pair<base::SteadyPoint, Ref>;
    struct ByDue {
        bool operator()(const Place& one, const Place& other) const {
            return one.first != other.first ? one.first < other.first : *one.second < *other.second;
        }
    };
    using Line = std::set<Place, ByDue>;  ///< the longest due first

    /// Where an entry that is not at work stands.
    enum class Stand : std::uint8_t { nowhere, line, fresh, behind_peer, behind_organisation };

    struct Entry {
        base::SteadyPoint due{};
        Stand stand = Stand::nowhere;
        bool at_work = false;
        bool again = false;                 // it is worth a look, whatever the last one finds
        bool has_news = false;              // mail has come since then, or its peer is back
        bool live = false;                  // its next hop was there at the last look
        bool in_fresh_place = false;        // while it is at work
        bool woken = false;                 // its peer came back while it was at work
        bool has_left = false;              // its peer did, for good
        bool was_silent = false;            // before the look that is under way
        int failures = 0;                   // looks in a row that found the next hop out
        base::SteadyPoint blocked_until{};  // nothing is tried before, unless it is woken
        bool by_sign = false;               // it is tried because of a sign of life
        int vain = 0;                       // tries for such a reason, in a row, that met silence
        base::SteadyPoint asleep_until{};   // no sign of life wakes it before
        std::string peer;                   // that it was found to go to; empty if unknown
        std::optional<mail::Organisation> whose{};  // that of `peer`, or of the domain
    };
    struct Peer {
        std::size_t at_work = 0;  // destinations
        int failures = 0;
        base::SteadyPoint blocked_until{};
        base::TimePoint found{};
        Deferred why;
    };

    void expect_at(const Destination& destination, base::SteadyPoint due, bool has_news);
    base::SteadyPoint due_at(base::TimePoint due) const;
    void set_due(const Destination& destination, Entry& entry, base::SteadyPoint due);
    void set_failures(const Destination& destination, Entry& entry, int failures);
    void count_silence(const Destination& destination, const Entry& entry, int by);
    bool has_room(const std::string& peer) const;
    bool has_room(const mail::Organisation& whose) const;
    /// Where it stands while that has no room for it; Stand::line if there is room.
    Stand stand_for(const Entry& entry) const;
    Line& line_of(const Destination& destination, const Entry& entry);
    void put(Ref destination, Entry& entry, Stand stand);
    void take(Ref destination, Entry& entry);
    void start_of(Line& line, std::size_t& looks, std::vector<Destination>& started);
    /// Those that stood aside, as many as there is room for now. False if there is none.
    bool call_back(std::size_t& looks);
    /// Stand::line, Stand::fresh: whether one of these may begin.
    bool has_place(Stand of) const;
    void begin(Ref destination, Entry& entry, Stand from, std::vector<Destination>& started);
    void head_for(Ref destination, Entry& entry, const std::string& peer);
    void join(const Entry& entry);
    void leave(const Entry& entry);
    std::chrono::milliseconds wait(const Destination& destination, int failures);

    RetryPolicy retry_;
    const base::Clock& clock_;
    base::Random& random_;
    std::map<Destination, Entry> entries_;
    Line own_;      ///< those that are not at work, of our own MTA ...
    Line waiting_;  ///< ... and of peers ...
    Line fresh_;    ///< ... with new mail, or one that is there, but for those that stand aside:
    std::map<std::string, Line> behind_peer_;                 ///< due, while its share is taken ...
    std::map<mail::Organisation, Line> behind_organisation_;  ///< ... or its organisation's
    std::set<std::string> freed_;                             ///< peers that have room again ...
    std::set<mail::Organisation> freed_organisations_;        ///< ... and organisations
    bool looks_again_ = false;                                ///< start() has not seen all
    std::map<std::string, Peer> peers_;                       ///< that are out, or at work
    std::map<mail::Organisation, std::size_t> of_organisation_;  ///< destinations at work
    std::map<std::string, Refs> of_peer_;             ///< entries behind a peer, by its name
    Refs silent_;                                     ///< those of them that are silent
    std::map<SilentPeer, std::size_t> silent_peers_;  ///< and for how many destinations
    std::size_t at_work_ = 0;                         ///< of peers' destinations ...
    std::size_t fresh_at_work_ = 0;                   ///< ... and of these, from fresh_
    std::size_t of_peers_ = 0;                        ///< entries behind a peer
    base::SteadyPoint peers_from_{};                  ///< none of them begins before
};

}  // namespace queue
