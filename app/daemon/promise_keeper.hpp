// PromiseKeeper: what our components promise of the closed lane (queue/peers/own_promises), wired
// to those who announce it, are bound by it, and have to know when it is over.
//
// Event loop.
//
// Tested by tests/e2e/test_promising.py.
#pragma once

#include "app/daemon/routes.hpp"
#include "base/task_group.hpp"
#include "component/discovery/discovery.hpp"
#include "component/stream/session.hpp"
#include "queue/delivery/dispatcher.hpp"
#include "queue/peers/own_promises.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace app {

class PromiseKeeper {
  public:
    /// One of our components; nullptr: there is none of that name.
    using FindSession = std::function<component::Session*(const std::string&)>;

    /// All have to outlive it.
    PromiseKeeper(base::asio::any_io_executor executor, queue::StorageThread& storage,
                  const base::Clock& clock, base::ClockTrust& trust, const queue::Router& router,
                  component::Discovery& discovery, queue::Dispatcher& dispatcher, Routes& routes,
                  FindSession find_session);

    /// Its form says from now on what it promises.
    void announce_by(component::Session& session);

    /// Once, before anything else. Errc::storage.
    base::Task<base::Result<void>> load() { return promises_.load(); }
    /// What is to be promised from now on; but for what the components that run do not serve, or
    /// not over links that are verified: that needs a restart.
    base::Task<void> use(std::map<std::string, queue::PromiseTerms> terms);
    /// Every minute.
    base::Task<void> once() { return promises_.renew(); }
    /// Before the sessions go.
    base::Task<void> stop();
    void set_retired(const std::string& component, bool retired) {
        promises_.set_retired(component, retired);
    }
    void set_off(bool off) { promises_.set_off(off); }
    /// Who was away when a promise was withdrawn is told to look now.
    void peer_is_back(const std::string& peer);

    const queue::OwnPromises& promises() const { return promises_; }

  private:
    queue::OwnPromises::Calls calls();
    /// Mail to `domain` is bound by what `peer`, which serves it, has been promised; empty: by
    /// nothing.
    void bind(const mail::Domain& domain, const std::string& peer);
    /// Mail of `component` to `peer` (empty: to any) is bound no longer.
    void release(const std::string& component, const std::string& peer);
    /// The same for each of these domains, a few at a time.
    base::Task<void> release_all(std::string component, std::vector<std::string> domains,
                                 bool has_read);
    bool may_promise(const std::string& component, const mail::Domain& domain) const;

    const queue::Router& router_;
    component::Discovery& discovery_;
    queue::Dispatcher& dispatcher_;
    Routes& routes_;
    FindSession find_session_;
    queue::OwnPromises promises_;
    std::vector<std::string> components_;  ///< that announce
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace app
