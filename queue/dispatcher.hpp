// Dispatcher: looks what is due, leases it, gives it to the courier of its lane, and settles the
// outcome.
//
// Runs on the event loop; holds for each destination with mail only when it is due next. One
// destination that is out costs the others nothing: it is put off as a whole.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "queue/leases.hpp"
#include "queue/ports.hpp"
#include "queue/retry_policy.hpp"
#include "queue/storage_thread.hpp"

#include <functional>
#include <map>
#include <memory>

namespace queue {

class Dispatcher {
  public:
    Dispatcher(base::asio::any_io_executor executor, StorageThread& storage, RetryPolicy retry,
               const base::Clock& clock, base::Random& random);

    /// Before start(). `courier` outlives the dispatcher.
    void use(Lane lane, Courier& courier) { couriers_[lane] = &courier; }

    /// Reads what waits, and begins. Errc::storage.
    base::Task<base::Result<void>> start();
    /// Leases nothing more, and returns when all that is leased has been settled.
    base::Task<void> stop();

    /// There is new mail.
    void arrived(const Destination& destination);
    /// `peer` has given a sign of life: what waits for it is tried at once.
    void peer_is_back(const std::string& peer);
    /// Our own link to the XMPP network is back: what waits for it is tried at once.
    void link_is_up(const std::string& component);

  private:
    /// One pass over what is due of one destination.
    struct Pass {
        explicit Pass(const base::asio::any_io_executor& executor) : changed(executor) {}
        std::size_t under_way = 0;
        base::Signal changed;  // a delivery has ended, or mail has come
        bool reached = false;  // somebody answered
        bool missed = false;   // somebody did not
        bool is_silent() const { return missed && !reached; }
    };
    struct Entry {
        base::TimePoint due;
        bool at_work = false;
        bool again = false;             // mail came, or the peer came back, while it was at work
        bool woken = false;             // the peer came back while it was at work
        int failures = 0;               // passes in a row that found the next hop out
        base::TimePoint blocked_until;  // nothing is tried before, unless the peer comes back
        std::string peer;               // that it was found to go to last; empty if unknown
        std::shared_ptr<Pass> pass;     // while one is under way
    };

    base::Task<void> schedule();
    base::Task<void> work(Destination destination);
    base::Task<void> attempt(Destination destination);
    base::Task<void> drain(Destination destination, Courier* courier, Ready ready);
    base::Task<base::Result<Lease>> take(Destination destination, Ready ready);
    base::Task<void> deliver(Destination destination, Courier* courier,
                             std::shared_ptr<std::vector<LeasedMessage>> messages,
                             std::shared_ptr<Pass> pass);
    base::Task<bool> settle_some(std::shared_ptr<std::vector<MessageOutcome>> outcomes);
    base::Task<void> settle_all(std::vector<MessageOutcome> outcomes);
    base::Task<bool> put_off(Destination destination, Readiness why);
    void start_waking(const Destination& destination);
    base::Task<void> wake(Destination destination);
    base::TimePoint block(const Destination& destination);
    void look_at(const Woken& destinations);

    base::asio::any_io_executor executor_;
    StorageThread& storage_;
    RetryPolicy retry_;
    const base::Clock& clock_;
    base::Random& random_;
    std::map<Lane, Courier*> couriers_;
    std::map<Destination, Entry> entries_;  // one for each destination with mail
    std::size_t at_work_ = 0;
    base::Signal changed_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace queue
