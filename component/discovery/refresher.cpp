#include "component/discovery/refresher.hpp"

namespace component {
namespace {

constexpr std::size_t kRefreshed = 4;  // peers: less than the look-ups that hints may cause

}  // namespace

void Refresher::look_at(Link& link, const std::string& component) {
    if (stopping_ || !discovery_.heeds(component) || !listed_.insert(component).second) return;
    waiting_.push_back({&link, component});
    if (tasks_.running() < kRefreshed) tasks_.spawn("refresh", [this] { return work(); });
}

base::Task<void> Refresher::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

base::Task<void> Refresher::work() {
    while (!waiting_.empty() && !stopping_) {
        Peer peer = std::move(waiting_.front());
        waiting_.pop_front();
        listed_.erase(peer.component);
        co_await refresh(std::move(peer));
    }
}

base::Task<void> Refresher::refresh(Peer peer) {
    const auto returning = discovery_.may_return(peer.component);
    auto domain = discovery_.next_of(peer.component, {});
    while (domain && !stopping_) {
        const Found found = co_await discovery_.find(*peer.link, *domain, Discovery::Reason::hint);
        static_cast<void>(found);  // what was found stands in the route table
        domain = discovery_.next_of(peer.component, domain);
    }
    for (const mail::Domain& each : returning) {
        if (stopping_) break;
        discovery_.suspect(each);  // what was found before it said that it is there
        const Found found = co_await discovery_.find(*peer.link, each, Discovery::Reason::hint);
        static_cast<void>(found);
    }
}

}  // namespace component
