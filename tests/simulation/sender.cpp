#include "sender.hpp"

#include "queue/retry_policy.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace simulation {
namespace {

constexpr std::size_t kPasses = 2;  // at the same time

}  // namespace

bool SenderDisk::all_ended() const {
    return std::ranges::none_of(recipients, [](const Recipient& r) {
        return r.state == State::waiting || r.state == State::leased;
    });
}

Sender::Sender(Surroundings& around, SenderDisk& disk, ComponentSettings settings,
               std::chrono::milliseconds skew, KeptClock& kept, std::uint64_t seed)
    : around_(around), disk_(disk) {
    process_ = std::make_shared<Process>(around, std::move(settings), skew, kept, seed);
    std::map<std::string, Link*> links{{process_->settings().jid, process_.get()}};
    courier_ = std::make_unique<XmppCourier>(process_->io.get_executor(), std::move(links),
                                             *process_->discovery, process_->clock);
    // What was leased when the last process died is waiting again.
    for (Recipient& recipient : disk_.recipients) {
        if (recipient.state == State::leased) recipient.state = State::waiting;
    }
}

Sender::~Sender() = default;

void Sender::die() {
    process_->die();
}

bool Sender::is_due(const Recipient& recipient) const {
    const base::TimePoint now = process_->clock.now();
    return recipient.state == State::waiting &&
           (recipient.due <= now || recipient.due > queue::RetryPolicy().furthest(now));
}

bool Sender::is_over(const Mail& mail) {
    return mail.expires <= process_->clock.now() && process_->may_end_by_time();
}

/// As queue/sqlite/delivery/clock_repair does it.
void Sender::correct_arrivals() {
    if (!process_->may_end_by_time()) return;
    const auto believed = process_->times_believed();
    if (std::exchange(believed_, believed) == believed) return;
    const base::TimePoint now = process_->clock.now();
    for (Mail& mail : disk_.mails) {
        if (mail.received <= now + base::ClockTrust::kJump) continue;
        mail.expires = now + (mail.expires - mail.received);
        mail.received = now;
    }
}

void Sender::wake() {
    if (!process_->alive()) return;
    correct_arrivals();
    if (passes_ < kPasses &&
        std::ranges::any_of(disk_.recipients, [this](const auto& r) { return is_due(r); })) {
        ++passes_;
        base::spawn(process_->io.get_executor(), "pass", [this] { return pass(); });
        process_->pump();
    }
}

base::Task<void> Sender::pass() {
    auto readiness = co_await courier_->prepare(destination_, queue::Urgency::fresh);
    queue::Ready ready;
    if (const auto* rerouted = std::get_if<queue::Rerouted>(&readiness)) {
        ready.limits = {10, 100, 1u << 20};
        ready.call_back = rerouted->why;
    } else if (const auto* found = std::get_if<queue::Ready>(&readiness)) {
        ready = *found;
        ready.limits.messages = 4;
    }
    const bool begun = co_await process_->step();
    std::vector<queue::LeasedMessage> leased;
    if (begun) {
        if (ready.call_back) reroute();
        if (const auto* later = std::get_if<queue::Deferred>(&readiness))
            put_off(later->retry_after);
        else
            leased = lease(ready);
    }
    const bool committed = co_await process_->step();
    if (committed && !leased.empty()) {
        std::vector<queue::LeasedMessage> handed = leased;
        std::vector<queue::MessageOutcome> outcomes;
        queue::Tell tell = [&](queue::MessageOutcome outcome) {
            outcomes.push_back(std::move(outcome));
        };
        co_await courier_->deliver(destination_, std::move(handed), tell);
        const bool before = co_await process_->step();
        if (before) settle(outcomes);
    }
    --passes_;
}

void Sender::reroute() {
    for (Recipient& recipient : disk_.recipients) {
        const bool sent = recipient.transfer && disk_.transfers[*recipient.transfer].sends > 0;
        if (recipient.state == State::waiting && !sent) recipient.state = State::smtp;
    }
}

void Sender::put_off(std::optional<std::chrono::seconds> wait) {
    for (Recipient& recipient : disk_.recipients) {
        if (!is_due(recipient)) continue;
        put_off(recipient, wait);
        if (is_over(disk_.mails[recipient.mail])) {
            recipient.unclear = recipient.transfer.has_value();
            recipient.state = State::expired;
        }
    }
}

std::vector<queue::LeasedMessage> Sender::lease(const queue::Ready& ready) {
    std::map<std::pair<std::size_t, std::optional<std::size_t>>, std::vector<Recipient*>> groups;
    for (Recipient& recipient : disk_.recipients) {
        if (is_due(recipient)) groups[{recipient.mail, recipient.transfer}];
    }
    // A transfer goes out again with all its recipients, due or not.
    for (Recipient& recipient : disk_.recipients) {
        const auto group = groups.find({recipient.mail, recipient.transfer});
        if (group != groups.end() && recipient.state == State::waiting &&
            (recipient.transfer || is_due(recipient)))
            group->second.push_back(&recipient);
    }
    std::vector<queue::LeasedMessage> leased;
    const base::TimePoint now = process_->clock.now();
    for (auto& [which, rows] : groups) {
        const Mail& mail = disk_.mails[which.first];
        auto number = which.second;
        if (is_over(mail)) {
            for (Recipient* row : rows) {
                row->state = State::expired;
                row->unclear = number && disk_.transfers[*number].sends > 0;
            }
            continue;
        }
        const bool sent = number && disk_.transfers[*number].sends > 0;
        if (leased.size() >= ready.limits.messages || (ready.call_back && !sent)) continue;
        if (!number) {
            number = disk_.transfers.size();
            const auto id = fmt::format("{:012x}{:016x}", now.time_since_epoch().count(),
                                        around_.timeline().random.below(~std::uint64_t(0)));
            const auto furthest = now + std::chrono::hours(24 * 6);
            disk_.transfers.push_back({{domain("a.test"), id},
                                       which.first,
                                       ready.peer,
                                       0,
                                       std::min<base::TimePoint>(mail.expires, furthest)});
        }
        SentTransfer& transfer = disk_.transfers[*number];
        if (!sent) transfer.peer = ready.peer;
        ++transfer.sends;
        queue::LeasedMessage message;
        message.id = queue::QueueId{static_cast<std::int64_t>(*number)};
        message.envelope.from = *mail::Mailbox::parse("alice@a.test");
        for (Recipient* row : rows) {
            row->state = State::leased;
            row->transfer = number;
            message.envelope.recipients.push_back(
                {row->n, *mail::Mailbox::parse(row->address), {}, {}});
        }
        message.content = mail::Content(mail.content);
        message.expires_at = mail.expires;
        message.transfer =
            queue::OutgoingTransfer{transfer.key, transfer.peer, sent, transfer.expires};
        message.call_back = ready.call_back;
        leased.push_back(std::move(message));
    }
    return leased;
}

void Sender::settle(const std::vector<queue::MessageOutcome>& outcomes) {
    for (const queue::MessageOutcome& outcome : outcomes) {
        const auto number = static_cast<std::size_t>(outcome.id.value);
        if (!outcome.sent) --disk_.transfers[number].sends;
        for (const auto& each : outcome.recipients) {
            for (Recipient& recipient : disk_.recipients) {
                if (recipient.transfer == number && recipient.n == each.n &&
                    recipient.state == State::leased)
                    settle_one(recipient, each.outcome);
            }
        }
    }
}

void Sender::settle_one(Recipient& recipient, const queue::Outcome& outcome) {
    Timeline& timeline = around_.timeline();
    if (std::holds_alternative<queue::Delivered>(outcome)) {
        recipient.state = State::delivered;
    } else if (const auto* later = std::get_if<queue::Deferred>(&outcome)) {
        recipient.state = State::waiting;
        put_off(recipient, later->retry_after);
        if (later->settled) recipient.transfer.reset();
    } else if (std::holds_alternative<queue::Failed>(outcome)) {
        recipient.state = State::failed;
    } else if (std::holds_alternative<queue::Held>(outcome)) {
        recipient.state = State::held;
    } else {
        recipient.state = State::smtp;
    }
    timeline.note(fmt::format("A settles mail {} for {}: {}{}", recipient.mail, recipient.address,
                              static_cast<int>(recipient.state),
                              recipient.state == State::waiting
                                  ? " " + std::get<queue::Deferred>(outcome).reply.to_text()
                                  : ""));
}

void Sender::put_off(Recipient& recipient, std::optional<std::chrono::seconds> asked) {
    const queue::RetryPolicy policy;
    recipient.due =
        process_->clock.now() + policy.wait(++recipient.attempts, process_->random, asked);
}

}  // namespace simulation
