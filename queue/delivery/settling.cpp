#include "queue/delivery/settling.hpp"

#include "queue/delivery/expiry.hpp"
#include "queue/delivery/fallback.hpp"

#include <algorithm>

namespace queue {
namespace {

/// An overload for each outcome.
class Transitions {
  public:
    Transitions(const Attempted& recipient, const Router& router, const Moment& moment,
                base::Random& random)
        : recipient_(recipient), router_(router), moment_(moment), random_(random) {}

    Transition operator()(const Delivered& outcome) const {
        const State state =
            recipient_.destination.lane == Lane::local ? State::delivered : State::relayed;
        Ended ended{state, outcome.reply, outcome.remote, std::nullopt};
        if (outcome.handover != Handover::passed_on && recipient_.wants_success) {
            const auto action = outcome.handover == Handover::delivered ? mail::Action::delivered
                                                                        : mail::Action::relayed;
            ended.notice = Notice{action, outcome.reply, outcome.remote};
        }
        return ended;
    }

    Transition operator()(const Deferred& outcome) const {
        if (was_last_try(outcome, moment_.now, recipient_.expires_at, moment_))
            return expired(recipient_, outcome);
        // What was not tried need not wait as what was tried in vain so often.
        const auto wait = moment_.retry.wait(outcome.tried ? recipient_.attempts : 1, random_,
                                             outcome.retry_after);
        return TriedAgain{outcome, next_try(wait)};
    }

    Transition operator()(const Failed& outcome) const {
        return Ended{State::bounced, outcome.reply, outcome.remote,
                     Notice{mail::Action::failed, outcome.reply, outcome.remote}};
    }

    Transition operator()(const Rerouted& outcome) const {
        const std::string& domain = recipient_.destination.domain;
        const LaneRule rule = router_.rule(recipient_.destination);
        // A promise binds all mail of our component, but nobody refuses what is not promised.
        const bool is_free = rule.promised && !recipient_.is_promised && !outcome.for_now;
        if (!rule.required || is_free) return outcome;
        if (outcome.for_now) {
            Deferred later{
                {451, {4, 7, 0}, required_text(rule, domain, outcome.why)}, "", true, {}};
            later.tried = false;
            return (*this)(later);
        }
        const mail::EnhancedStatus status{5, 7, static_cast<std::uint16_t>(rule.promised ? 1 : 0)};
        return (*this)(Failed{{550, status, required_text(rule, domain, outcome.why)}, ""});
    }

    Transition operator()(const Held& outcome) const {
        // Its time may be up already: then its sender hears of it now.
        if (!moment_.is_over(recipient_.expires_at)) return outcome;
        return expired(recipient_, {outcome.reply, outcome.remote, false, {}});
    }

  private:
    /// When its time is up at the latest; if it is already, its last try is still to come.
    base::TimePoint next_try(std::chrono::milliseconds wait) const {
        const base::TimePoint next = moment_.now + wait;
        const base::TimePoint expires = recipient_.expires_at;
        return expires > moment_.now ? std::min(next, expires) : next;
    }

    const Attempted& recipient_;
    const Router& router_;
    const Moment& moment_;
    base::Random& random_;
};

}  // namespace

Transition transition(const Attempted& recipient, const Outcome& outcome, const Router& router,
                      const Moment& moment, base::Random& random) {
    return std::visit(Transitions(recipient, router, moment, random), outcome);
}

Ended expired(const Attempted& recipient, const Deferred& last) {
    std::string text = "delivery time expired";
    if (recipient.destination.lane == Lane::xmpp && recipient.was_sent)
        text += ", and delivery can't be excluded";
    const mail::Reply reply{554, {5, 4, 7}, text + "; the last try said: " + last.reply.to_text()};
    // These are our own words.
    return {State::expired, reply, last.remote, Notice{mail::Action::failed, reply, ""}};
}

Ended cancelled(bool was_sent, bool bounce, const std::string& hostname) {
    std::string text = bounce ? "the administrator of " + hostname + " sent it back"
                              : "the administrator of this host cancelled it";
    if (was_sent) text += "; delivery can't be excluded";
    const mail::Reply reply{554, {5, 0, 0}, text};
    if (!bounce) return {State::discarded, reply, "", std::nullopt};
    return {State::bounced, reply, "", Notice{mail::Action::failed, reply, ""}};
}

}  // namespace queue
