// Refresher: looks again at the domains of peers that gave a sign of life, as they may have
// retired, or be back: then mail changes its lane now, and not with the next one.
//
// A few peers at a time, and of each one domain after the other: a component may serve thousands.
// Nothing depends on it: whoever has mail for such a domain asks in any case. Event loop only;
// bounded by the components that Discovery knows; never throws.
//
// Tested by tests/unit/component/discovery/discovery_test.cpp and
// tests/unit/component/discovery/former_peers_test.cpp.
#pragma once

#include "base/task_group.hpp"
#include "component/discovery/discovery.hpp"

#include <deque>
#include <set>
#include <string>

namespace component {

class Refresher {
  public:
    /// `discovery` outlives it.
    Refresher(base::asio::any_io_executor executor, Discovery& discovery)
        : discovery_(discovery), tasks_(executor) {}

    /// `component`, if Discovery heeds it, is looked at over `link`, which outlives stop().
    void look_at(Link& link, const std::string& component);
    /// Begins with no further domain, and waits for those that are being looked up: after the
    /// session's stop(), which ends these.
    base::Task<void> stop();

    /// How many domains are looked up at the same time. For tests.
    std::size_t under_way() const { return tasks_.running(); }

  private:
    struct Peer {
        Link* link;
        std::string component;
    };

    base::Task<void> work();
    base::Task<void> refresh(Peer peer);

    Discovery& discovery_;
    std::deque<Peer> waiting_;
    std::set<std::string> listed_;  ///< those in `waiting_`
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace component
