#include "component/incoming/guarded_check.hpp"

#include "mail/organisation.hpp"

#include <algorithm>

namespace component {
base::Task<std::vector<mail::Reply>> GuardedCheck::check(std::string peer, mail::ReversePath from,
                                                         bool smtputf8,
                                                         std::vector<mail::Mailbox> recipients) {
    const std::string organisation = mail::Organisation::of(peer).name();
    const auto end = std::chrono::steady_clock::now() + kPatience;
    mail::Reply later{450, {4, 7, 1}, "too many unknown recipients from you lately"};
    std::vector<mail::Reply> replies;
    while (replies.size() < recipients.size()) {
        const auto first = recipients.begin() + static_cast<std::ptrdiff_t>(replies.size());
        const HarvestGuard::Asking asking =
            guard_.ask(organisation, recipients.size() - replies.size(), clock_.steady());
        if (asking.recipients == 0) {
            if (!asking.may_be_more) break;
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            const auto limit = std::max(left, std::chrono::milliseconds(0));
            const std::string whose = asking.whose;
            const bool woken = co_await wait(whose, limit);
            if (woken) continue;
            later = {451, {4, 4, 5}, "too many recipients of yours are being looked up"};
            break;
        }
        std::vector<mail::Mailbox> some(first,
                                        first + static_cast<std::ptrdiff_t>(asking.recipients));
        auto answers = co_await check_->check(from, smtputf8, std::move(some));
        answers.resize(asking.recipients, {451, {4, 3, 0}, "the recipient could not be checked"});
        const auto refused =
            std::ranges::count_if(answers, [](const auto& reply) { return reply.is_permanent(); });
        guard_.answered(asking, static_cast<std::size_t>(refused), clock_.steady());
        wake(asking.whose);
        std::ranges::move(answers, std::back_inserter(replies));
    }
    replies.resize(recipients.size(), later);
    co_return replies;
}

base::Task<bool> GuardedCheck::wait(std::string whose, std::chrono::milliseconds limit) {
    const auto executor = co_await base::asio::this_coro::executor;
    Waiter waiter(executor);
    const auto place = waiting_.emplace(whose, &waiter);
    const auto woken = co_await waiter.wait(limit);
    waiting_.erase(place);
    co_return woken.has_value();
}

void GuardedCheck::wake(const std::string& whose) {
    const auto [first, last] = waiting_.equal_range(whose);
    for (auto each = first; each != last; ++each)
        each->second->set(true);
}

}  // namespace component
