// DnsLists: the lists in the DNS that the configuration names, each a DnsList, asked about the
// domain of each transfer that comes.
//
// Event loop only; never throws. What they answer is in queue::PeerLists.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "component/discovery/dns_list.hpp"

#include <memory>
#include <vector>

namespace component {

class DnsLists {
  public:
    /// All references have to outlive it.
    DnsLists(base::asio::any_io_executor executor, base::Clock& clock, queue::PeerLists& lists,
             std::unique_ptr<AddressResolver> resolver);

    /// In place of those before; what one that stays has answered stays, and all are tested at
    /// once.
    void use(const std::vector<DnsListSettings>& settings);
    /// A transfer has come in the name of `domain`. Returns at once.
    void ask(const mail::Domain& domain);
    /// Sees which of them behave as lists, where it is time for that. Every minute or so.
    void look();
    /// Asks nothing more, and returns when nothing is under way.
    base::Task<void> stop();

  private:
    base::Clock& clock_;
    queue::PeerLists& lists_;
    std::unique_ptr<AddressResolver> resolver_;
    std::vector<std::shared_ptr<DnsList>> each_;  ///< a task keeps that which it works for
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace component
