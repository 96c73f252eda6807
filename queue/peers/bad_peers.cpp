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
            if (standing.record.by_hand || is_bad(class_of(standing.record)))
                known->emplace(standing.domain, standing.record);
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
    PeerRecord record({}, {});
    if (const auto own = known->find(domain.ascii()); own != known->end()) record = own->second;
    if (!record.by_hand) {
        // Who is trusted is so by name.
        const auto whole = known->find(mail::Organisation::of(domain.ascii()).name());
        if (whole != known->end() && whole->second.by_hand != PeerClass::trusted)
            record.by_hand = whole->second.by_hand;
    }
    if (!record.by_hand) {
        if (const auto listing = lists_.find(domain)) record.listed = listing->makes;
    }
    const PeerClass of = class_of(record);
    return is_bad(of) ? of : PeerClass::none;
}

}  // namespace queue
