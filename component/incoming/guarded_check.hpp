// GuardedCheck: asks our own mail server about a peer's recipients, as many at once as the peer may
// still guess wrong (HarvestGuard).
//
// Owns the allowances, by the organisational domain of the peer, so that several names of one
// domain have one. A request whose recipients are more than the allowance has left waits for those
// that are being looked up, and what they give back, at most kPatience; so a peer that guesses
// nothing wrong is never refused for it. Event loop only; never throws.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "component/incoming/harvest_guard.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace component {

class GuardedCheck {
  public:
    /// How long a request waits for others of its peer: two of them that take as long as they may
    /// would be too long for their sender, who waits 120 s.
    static constexpr std::chrono::seconds kPatience{30};

    /// `check`: null takes every recipient. All references outlive this object.
    GuardedCheck(queue::RecipientCheck* check, base::Clock& clock) : check_(check), clock_(clock) {}

    bool is_on() const { return check_ != nullptr; }
    /// A reply for each of `recipients`, in their order. Those that the peer may not ask about now
    /// get a 450. is_on().
    base::Task<std::vector<mail::Reply>> check(std::string peer, mail::ReversePath from,
                                               bool smtputf8,
                                               std::vector<mail::Mailbox> recipients);
    /// Peers with less than the whole allowance. For tests.
    std::size_t remembered() const { return guard_.remembered(); }

  private:
    using Waiter = base::OneShot<bool>;

    /// Until something that is taken from the same allowance has been answered; false after
    /// `limit`.
    base::Task<bool> wait(std::string whose, std::chrono::milliseconds limit);
    void wake(const std::string& whose);

    queue::RecipientCheck* check_;
    base::Clock& clock_;
    HarvestGuard guard_;
    std::multimap<std::string, Waiter*> waiting_;  ///< in frames of wait(): one for each request
};

}  // namespace component
