// RecipientChecker: asks our own MTA whether it would take mail for a recipient, so that a peer's
// mail for an unknown one is refused in the verdict instead of being bounced later.
//
// MAIL, RCPT and RSET on kept connections, no DATA. On the event loop; within
// limits::kRecipientCheckTime in all, whoever is to be asked. A check that can't be made answers
// 451 4.4.1.
#pragma once

#include "queue/ports.hpp"
#include "smtp-bridge/client/recipient_cache.hpp"
#include "smtp-bridge/client/smtp_courier.hpp"

#include <string>

namespace smtp_bridge {

struct CheckerSettings {
    DeliveryTargets deliver_to;
    std::chrono::milliseconds limit = base::limits::kRecipientCheckTime;
};

class RecipientChecker final : public queue::RecipientCheck {
  public:
    /// `pools` has to outlive this.
    RecipientChecker(asio::any_io_executor executor, Pools& pools, CheckerSettings settings);

    base::Task<std::vector<mail::Reply>> check(mail::ReversePath from, bool smtputf8,
                                               std::vector<mail::Mailbox> recipients) override;
    /// Returns when check() is running nowhere any more; Pools::stop() ends it.
    base::Task<void> stop();

  private:
    /// Some of the recipients, and the servers that know them.
    struct Question {
        NextHops* hops = nullptr;
        std::vector<mail::Mailbox> recipients;
        std::vector<std::size_t> places;  ///< of these among all
    };

    base::Task<CheckResult> ask(const Question& question, mail::ReversePath from,
                                Pool::TimePoint until);
    NextHops& hops_of(const mail::Mailbox& recipient) const;

    CheckerSettings settings_;
    std::map<std::string, std::unique_ptr<NextHops>> hops_;  ///< by domain; `""` for all others
    RecipientCache cache_;
    base::TaskGroup tasks_;
};

}  // namespace smtp_bridge
