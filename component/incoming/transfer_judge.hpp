// TransferJudge: what a receiver replies for each recipient of a transfer, whichever way its
// content comes.
//
// Applies transfer_policy, has the sender's domain authorised, and asks the local mail server about
// the recipients. Owns nothing; all references outlive it. Event loop only; never throws.
//
// Tested by tests/unit/component/incoming/transfer_receiver_test.cpp and
// tests/unit/component/incoming/open_transfers_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "component/discovery/discovery.hpp"
#include "component/incoming/class_gate.hpp"
#include "component/incoming/guarded_check.hpp"
#include "component/incoming/transfer_policy.hpp"
#include "component/protocol/transfer.hpp"
#include "component/stream/link.hpp"
#include "queue/destination.hpp"
#include "queue/ports.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace component {

struct Replies {
    std::map<std::uint32_t, mail::Reply> by_number;  ///< of every recipient, unless `unverified`
    /// The error for the request, if the sender's own domain can't be checked now.
    std::optional<StanzaError> unverified{};

    bool any_accepted() const;
    /// Nobody is accepted, and all of them may be another time.
    bool may_change() const;
    void refuse_all(const mail::Envelope& envelope, const mail::Reply& reply);
    /// Of those that have no reply yet.
    void refuse_rest(const mail::Envelope& envelope, const mail::Reply& reply);
    /// There is nobody left who could be accepted.
    bool are_complete(const mail::Envelope& envelope) const {
        return by_number.size() == envelope.recipients.size();
    }
};

class TransferJudge {
  public:
    /// `check`: null takes every recipient of a served domain.
    TransferJudge(Link& link, Discovery& discovery, ClassGate& gate, queue::RecipientCheck* check,
                  const queue::Router& router, base::Clock& clock)
        : link_(link),
          discovery_(discovery),
          gate_(gate),
          check_(check, clock),
          router_(router),
          clock_(clock) {}

    /// Is told of each domain in whose name a component sends that may do so. Returns at once.
    void on_sender(std::function<void(const mail::Domain&)> call) { on_sender_ = std::move(call); }
    /// May `peer` send in the name of `domain`? Asked without mail of it: nobody is told.
    base::Task<Authorisation> verify(std::string peer, mail::Domain domain);
    /// The same of mail; the error for its request if it may not.
    base::Task<std::optional<StanzaError>> authorise(std::string peer, mail::Domain domain);
    /// What the class of its domain means for `transfer`, of which `known` is known: only what has
    /// no verdict is asked about.
    ClassGate::Answer ask_gate(const std::string& peer, const IncomingTransfer& transfer,
                               const queue::KnownTransfer& known);
    /// Refuses all that may be, as the gate says: a postmaster is reached whatever the class is
    /// (protocol rule 10).
    static Replies refuse_by_class(const mail::Envelope& envelope, const mail::Reply& reply);
    /// `replies`: those that are decided already. `refusal`: what the content is refused with, if
    /// its rules were applied already.
    base::Task<Replies> judge(std::string peer, const IncomingTransfer& transfer, Replies replies,
                              std::optional<mail::Reply> refusal);
    /// The refusal of content that goes round, if it does.
    std::optional<mail::Reply> refuse_loop(std::string_view content) const {
        return check_own_hops(content, router_);
    }
    /// The accepted recipients with their destinations, and the verdict that is to be stored with
    /// them. Its content is the caller's to add.
    queue::Arrival arrival(const std::string& peer, const IncomingTransfer& transfer,
                           const Replies& replies) const;

  private:
    base::Task<void> check_recipients(std::string peer, const IncomingTransfer& transfer,
                                      Replies& replies);

    Link& link_;
    Discovery& discovery_;
    ClassGate& gate_;
    GuardedCheck check_;
    const queue::Router& router_;
    base::Clock& clock_;
    std::function<void(const mail::Domain&)> on_sender_ = [](const mail::Domain&) {};
    std::size_t verifying_ = 0;  ///< senders that are being looked up
};

}  // namespace component
