#include "component/discovery/dns_lists.hpp"

#include <algorithm>
#include <utility>

namespace component {

DnsLists::DnsLists(base::asio::any_io_executor executor, base::Clock& clock,
                   queue::PeerLists& lists, std::unique_ptr<AddressResolver> resolver)
    : clock_(clock), lists_(lists), resolver_(std::move(resolver)), tasks_(executor) {}

void DnsLists::use(const std::vector<DnsListSettings>& settings) {
    const auto before = std::exchange(each_, {});
    for (const DnsListSettings& wanted : settings) {
        const auto same = std::ranges::find_if(
            before, [&wanted](const auto& each) { return each->settings() == wanted; });
        each_.push_back(same != before.end()
                            ? *same
                            : std::make_shared<DnsList>(wanted, clock_, lists_, *resolver_));
        each_.back()->test_soon();
    }
    for (const auto& list : before) {
        if (std::ranges::find(each_, list) == each_.end()) list->retire();
    }
    look();
}

void DnsLists::ask(const mail::Domain& domain) {
    // What the administrator's files say counts before whatever they would answer.
    if (each_.empty() || stopping_ || lists_.find_in_files(domain)) return;
    for (const auto& list : each_) {
        auto names = list->take_names(domain);
        if (names.empty()) continue;
        tasks_.spawn("dns-list", [list, names = std::move(names),
                                  whose = mail::Organisation::of(domain.ascii())] {
            return list->look_up(names, whose);
        });
    }
}

void DnsLists::look() {
    if (stopping_) return;
    for (const auto& list : each_) {
        if (list->take_test()) tasks_.spawn("dns-list-test", [list] { return list->test(); });
    }
}

base::Task<void> DnsLists::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

}  // namespace component
