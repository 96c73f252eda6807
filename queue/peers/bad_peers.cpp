#include "queue/peers/bad_peers.hpp"

#include "mail/organisation.hpp"

namespace queue {
namespace {

constexpr std::size_t kLinesOfPage = 200;  // and their days: some milliseconds of the reader

bool is_bad(PeerClass of) {
    return of == PeerClass::poor || of == PeerClass::limited || of == PeerClass::blocked;
}

}  // namespace

base::Task<void> BadPeers::read(std::chrono::sys_days today) {
    auto known = std::make_shared<Known>();
    std::string after;
    for (;;) {
        ListStandings question{today, after, kLinesOfPage};
        const Page page = co_await ask_(std::move(question));
        if (!page) co_return;
        for (const Standing& standing : *page) {
            const PeerClass of = class_of(standing.record);
            if (is_bad(of)) known->emplace(standing.domain, Bad{of, bool(standing.record.by_hand)});
        }
        if (page->size() < kLinesOfPage) break;
        after = page->back().domain;
    }
    const std::lock_guard lock(mutex_);
    known_ = std::move(known);
}

PeerClass BadPeers::class_against(const mail::Domain& domain) const {
    std::shared_ptr<const Known> known;
    {
        const std::lock_guard lock(mutex_);
        known = known_;
    }
    if (const auto found = known->find(domain.ascii()); found != known->end())
        return found->second.peer_class;
    const auto whole = known->find(mail::Organisation::of(domain.ascii()).name());
    const bool is_said = whole != known->end() && whole->second.for_all_below;
    return is_said ? whole->second.peer_class : PeerClass::none;
}

}  // namespace queue
