#include "smtp-bridge/recipient_checker.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;
using std::chrono::steady_clock;

Reply unreachable(const Reply& why) {
    return {451, {4, 4, 1}, "Recipients can't be checked now: " + why.text};
}

}  // namespace

RecipientChecker::RecipientChecker(asio::any_io_executor executor, CheckerSettings settings)
    : settings_(std::move(settings)), tasks_(executor) {
    for (const auto& [domain, targets] : settings_.deliver_to)
        hops_[domain] = std::make_unique<NextHops>(executor, targets, settings_.client);
}

NextHops& RecipientChecker::hops_of(const mail::Mailbox& recipient) const {
    const auto found = hops_.find(recipient.domain().ascii());
    return found == hops_.end() ? *hops_.at("") : *found->second;
}

base::Task<std::vector<Reply>> RecipientChecker::check(mail::ReversePath from, bool smtputf8,
                                                       std::vector<mail::Mailbox> recipients) {
    const base::TaskGroup::Member member(tasks_);
    std::vector<Reply> replies(recipients.size());
    struct Question {
        std::vector<mail::Mailbox> recipients;
        std::vector<std::size_t> places;  // of these
    };
    std::map<NextHops*, Question> questions;
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        if (recipients[i].is_postmaster()) {
            replies[i] = {250, {2, 1, 5}, "Postmaster is always here"};
        } else if (!smtputf8 && recipients[i].needs_smtputf8()) {
            replies[i] = {553, {5, 6, 7}, "A recipient that is not ASCII needs SMTPUTF8"};
        } else if (auto known = cache_.find(from, recipients[i], now)) {
            replies[i] = std::move(*known);
        } else {
            auto& question = questions[&hops_of(recipients[i])];
            question.recipients.push_back(recipients[i]);
            question.places.push_back(i);
        }
    }
    for (const auto& [hops, question] : questions) {
        const auto answers = co_await ask(*hops, from, question.recipients);
        for (std::size_t i = 0; i < question.recipients.size(); ++i) {
            cache_.add(from, question.recipients[i], answers[i], steady_clock::now());
            replies[question.places[i]] = answers[i];
        }
    }
    co_return replies;
}

base::Task<std::vector<Reply>> RecipientChecker::ask(NextHops& hops, mail::ReversePath from,
                                                     std::vector<mail::Mailbox> recipients) {
    const auto until = steady_clock::now() + settings_.limit;
    if (const auto failure = hops.recent_failure())
        co_return std::vector<Reply>(recipients.size(), unreachable(*failure));
    auto want = Pool::Want::any;
    for (;;) {
        auto taken = co_await hops.take(want, until);
        if (const auto* trouble = std::get_if<Reply>(&taken))
            co_return std::vector<Reply>(recipients.size(), unreachable(*trouble));
        auto& lease = std::get<Pool::Lease>(taken);
        auto result = co_await lease->check(from, recipients);
        if (!result.stale || want == Pool::Want::fresh) co_return std::move(result.replies);
        want = Pool::Want::fresh;
    }
}

base::Task<void> RecipientChecker::stop() {
    for (const auto& [domain, hops] : hops_)
        co_await hops->stop();
    co_await tasks_.join();
}

}  // namespace smtp_bridge
