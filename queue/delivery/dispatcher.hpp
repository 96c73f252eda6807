// Dispatcher: looks what is due, and has the courier of its lane deliver it.
//
// Runs on the event loop. When what is looked at is the Agenda's to say; a look at one destination
// is a DeliveryRun. One destination, or one peer, that is out costs the others nothing: it is put
// off as a whole, and its return starts its queue at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "queue/delivery/agenda.hpp"
#include "queue/delivery/delivery_run.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"
#include "queue/retry_policy.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace queue {

class Dispatcher {
  public:
    Dispatcher(base::asio::any_io_executor executor, StorageThread& storage, RetryPolicy retry,
               const base::Clock& clock, base::Random& random);

    /// Before start(). `courier` outlives the dispatcher.
    void use(Lane lane, Courier& courier) { couriers_[lane] = &courier; }

    /// Before start(). Our own links of `components` are about to come up: until they have, and for
    /// `most` at the longest, nothing that goes to a peer is looked at, in vain.
    void expect_links(std::set<std::string> components, std::chrono::milliseconds most);
    /// Reads a part of what waits, and begins; the rest is read meanwhile. Errc::storage.
    base::Task<base::Result<void>> start();
    /// Leases nothing more, and returns when all that is leased has been settled.
    base::Task<void> stop();

    /// There is new mail.
    void arrived(const Destination& destination);
    /// `peer` has given a sign of life: what waits for it is tried at once.
    void peer_is_back(const std::string& peer);
    /// Our own link to the XMPP network is back: what waits for it is tried at once.
    void link_is_up(const std::string& component);
    /// The peer of `destination` takes no mail of it any more: what may have been sent is called
    /// back at once, as the peer may not be there for long.
    void peer_has_left(const Destination& destination);
    /// Whether `component` sends its mail over XMPP has changed: all of it is looked at, and what
    /// may have been sent, too, whatever it waits for.
    void lane_changed(const std::string& component);
    /// An administrator wants these to be tried now. What is due of them is the store's to say.
    void flush(const std::vector<Destination>& destinations);
    /// Peers that mail waits for in vain, in slices: at most `most` behind `after`.
    std::vector<Agenda::SilentPeer> silent_peers(const std::optional<Agenda::SilentPeer>& after,
                                                 std::size_t most) const {
        return agenda_.silent_peers(after, most);
    }

    /// The clock has come to `next_look()`, or beyond. For tests, whose clock is set by hand.
    void look() { changed_.notify(); }
    base::SteadyPoint next_look() const { return next_look_; }
    /// Nothing is under way: only a call, or the clock, can change anything.
    bool is_idle() const { return tasks_.running() <= 1; }

  private:
    /// A slice of some destinations, behind one; fewer than kSlice are the last.
    using Slices = std::function<std::vector<Destination>(const Agenda::After&)>;
    using Each = std::function<void(const Destination&)>;

    base::Task<base::Result<std::optional<std::int64_t>>> read_page(std::int64_t after);
    base::Task<void> read_rest(std::int64_t after);
    base::Task<void> schedule();
    base::Task<void> work(Destination destination);
    base::Task<void> attempt(Destination destination);
    base::Task<void> drain(Destination destination, Courier* courier, Ready ready);
    /// `step` behind each place that it has got to, until there is none; `each` hears of it. False
    /// if it was not done to the end.
    template <class Op>
    base::Task<bool> in_steps(Op step, std::function<void(const typename Op::Answer&)> each = {});
    base::Task<void> defer(Destination destination, Silence silence);
    base::Task<bool> reroute(Destination destination, Rerouted why);
    /// Makes due what waits for the end of its silence; for whatever, if its peer has left. How
    /// much that was.
    base::Task<int> make_due(Destination destination);
    /// The same while it is looked at, or mail goes on, which need not wait for that; one walk at a
    /// time, which begins again if it is asked for meanwhile. What is due then is new mail.
    void make_due_beside(const Destination& destination);
    base::Task<void> make_due_again(Destination destination);
    void wake(const Destination& destination);
    void wake_by_sign(const Destination& destination);
    void wake_silent();
    /// `each` of what `slices` gives, a slice a turn of the loop. One walk of a `name` at a time:
    /// if it is asked for again meanwhile, it begins again.
    void walk(const std::string& name, Slices slices, Each each);
    base::Task<void> walk_through(std::string name, Slices slices, Each each);
    void look_at(const DueNow& destinations);

    base::asio::any_io_executor executor_;
    StorageThread& storage_;
    RetryPolicy retry_;
    const base::Clock& clock_;
    base::Random& random_;
    std::map<Lane, Courier*> couriers_;
    Agenda agenda_;
    std::map<Destination, std::shared_ptr<DeliveryRun>> runs_;  ///< under way
    std::map<std::string, bool> walks_;     ///< under way; whether they are to begin again
    std::map<Destination, bool> made_due_;  ///< the same of those that are made due beside a look
    base::Signal changed_;
    base::TaskGroup tasks_;
    bool reading_ = false;                     ///< what waits has not all been read yet
    std::set<std::string> links_to_come_;      ///< components whose link is expected
    std::set<std::string> up_meanwhile_;       ///< components whose link came up since
    std::set<std::string> changed_meanwhile_;  ///< components whose lane did
    std::set<Destination> left_meanwhile_;     ///< whose peer has left since
    base::SteadyPoint next_look_{};
    bool stopping_ = false;
};

}  // namespace queue
