#include "smtp-bridge/client/recipient_checker.hpp"

#include <algorithm>

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;
using std::chrono::steady_clock;

Reply unreachable(const Reply& why) {
    return {451, {4, 4, 1}, "Recipients can't be checked now: " + why.text};
}

}  // namespace

RecipientChecker::RecipientChecker(asio::any_io_executor executor, Pools& pools,
                                   CheckerSettings settings)
    : settings_(std::move(settings)), tasks_(executor) {
    for (const auto& [domain, targets] : settings_.deliver_to)
        hops_[domain] = std::make_unique<NextHops>(pools, targets);
}

NextHops& RecipientChecker::hops_of(const mail::Mailbox& recipient) const {
    const auto found = hops_.find(recipient.domain().ascii());
    return found == hops_.end() ? *hops_.at("") : *found->second;
}

base::Task<std::vector<Reply>> RecipientChecker::check(mail::ReversePath from, bool smtputf8,
                                                       std::vector<mail::Mailbox> recipients) {
    const base::TaskGroup::Member member(tasks_);
    std::vector<Reply> replies(recipients.size());
    std::map<NextHops*, Question> by_hops;
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        if (recipients[i].is_postmaster()) {
            replies[i] = {250, {2, 1, 5}, "Postmaster is always here"};
        } else if (!smtputf8 && recipients[i].needs_smtputf8()) {
            replies[i] = {553, {5, 6, 7}, "A recipient that is not ASCII needs SMTPUTF8"};
        } else if (auto known = cache_.find(from, recipients[i], now)) {
            replies[i] = std::move(*known);
        } else {
            NextHops& hops = hops_of(recipients[i]);
            auto& question = by_hops[&hops];
            question.hops = &hops;
            question.recipients.push_back(recipients[i]);
            question.places.push_back(i);
        }
    }
    std::vector<Question> questions;
    questions.reserve(by_hops.size());
    for (auto& [hops, question] : by_hops)
        questions.push_back(std::move(question));
    // All at once: servers that are silent take no time from each other.
    const auto until = now + settings_.limit;
    const std::function<base::Task<void>(std::size_t)> work =
        [&](std::size_t i) -> base::Task<void> {
        const Question& question = questions[i];
        const CheckResult result = co_await ask(question, from, until);
        for (std::size_t k = 0; k < question.places.size(); ++k)
            replies[question.places[k]] = result.replies[k];
    };
    co_await base::for_each(questions.size(), questions.size(), work);
    co_return replies;
}

base::Task<CheckResult> RecipientChecker::ask(const Question& question, mail::ReversePath from,
                                              Pool::TimePoint until) {
    const auto& recipients = question.recipients;
    NextHops& hops = *question.hops;
    CheckResult result(recipients.size());
    Attempts attempts(hops, result.left.size());
    for (bool go_on = true; go_on;) {
        auto taken = co_await hops.take(attempts.want(), until);
        if (const auto* trouble = std::get_if<Reply>(&taken)) {
            for (const std::size_t place : result.left)
                result.replies[place] = unreachable(*trouble);
            break;
        }
        const auto& lease = std::get<Pool::Lease>(taken);
        co_await lease->check(from, recipients, result);
        go_on = attempts.go_on(*lease, result.left.size());
    }
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        const bool of_sender = std::ranges::binary_search(result.for_sender, i);
        cache_.add(from, recipients[i], result.replies[i],
                   of_sender ? RecipientCache::About::sender : RecipientCache::About::recipient,
                   now);
    }
    co_return result;
}

base::Task<void> RecipientChecker::stop() {
    co_await tasks_.join();
}

}  // namespace smtp_bridge
