// Promises: the closed lane's receiving side, wired together: the book of peers' promises, the
// looks at their forms, the classes that speak against a sender, the list of promised domains that
// filters read, and what the log says of all that.
//
// Owns these. Event loop, but for what queue::ClosedLane says of itself. The list is a small file,
// written without waiting for the disk, when it changes; a failure is logged, and tried again.
//
// Tested by tests/e2e/test_promise.py.
#pragma once

#include "app/config/config.hpp"
#include "component/discovery/discovery.hpp"
#include "component/log_limiter.hpp"
#include "queue/ledger/reader.hpp"
#include "queue/peers/promise_looks.hpp"

#include <functional>
#include <optional>
#include <set>

namespace app {

class Promises {
  public:
    /// A link whose other ends are verified, and that is there; nullptr: none is.
    using VerifiedLink = std::function<component::Link*()>;

    /// All have to outlive it.
    Promises(base::asio::any_io_executor executor, const Config& config,
             queue::StorageThread& storage, queue::Reader& reader, const base::Clock& clock,
             base::ClockTrust& trust, const queue::PeerLists& lists,
             component::Discovery& discovery, VerifiedLink link);

    /// Once, before anything else. Errc::storage.
    base::Task<base::Result<void>> load();
    /// Every minute or so.
    base::Task<void> once();
    /// After the sessions have stopped.
    base::Task<void> stop();

    queue::ClosedLane& lane() { return looks_; }
    const queue::PromiseBook& book() const { return book_; }
    /// Towards its domains no promise binds anybody.
    void set_retired(const std::string& component, bool retired);
    /// False if it has promised nothing.
    bool forget(const mail::Domain& domain);

  private:
    void news(queue::PromiseNews what, const queue::PeerPromise& promise);
    void broken(const queue::LaneQuestion& question, queue::PromiseFinding finding);
    base::Task<void> reread(mail::Domain domain);
    base::Task<void> read_classes();
    void write_list();

    const Config& config_;
    const base::Clock& clock_;
    base::ClockTrust& trust_;
    component::Discovery& discovery_;
    VerifiedLink link_;
    component::LogLimiter limiter_;
    queue::PromiseBook book_;
    queue::BadPeers peers_;
    queue::PromiseLooks looks_;
    std::optional<base::SteadyPoint> classes_read_{};
    std::optional<std::set<mail::Domain>> written_{};
    bool list_has_failed_ = false;
};

}  // namespace app
