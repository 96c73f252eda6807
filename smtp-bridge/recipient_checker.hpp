// RecipientChecker: asks our own MTA whether it would take mail for a recipient, so that a peer's
// mail for an unknown one is refused in the verdict instead of being bounced later.
//
// MAIL, RCPT and RSET on kept connections, no DATA. On the event loop; within
// limits::kRecipientCheckTime. A check that can't be made answers 451 4.4.1.
#pragma once

#include "queue/ports.hpp"
#include "smtp-bridge/pool.hpp"
#include "smtp-bridge/recipient_cache.hpp"

#include <string>

namespace smtp_bridge {

struct CheckerSettings {
    Target deliver_to;
    std::string hostname;  ///< for EHLO
    ClientTimes times;
    std::chrono::milliseconds limit = base::limits::kRecipientCheckTime;
};

class RecipientChecker final : public queue::RecipientCheck {
  public:
    RecipientChecker(asio::any_io_executor executor, CheckerSettings settings);

    base::Task<std::vector<mail::Reply>> check(mail::ReversePath from, bool smtputf8,
                                               std::vector<mail::Mailbox> recipients) override;
    /// Returns when check() is running nowhere any more.
    base::Task<void> stop();

  private:
    base::Task<std::vector<mail::Reply>> ask(mail::ReversePath from,
                                             std::vector<mail::Mailbox> recipients);

    CheckerSettings settings_;
    Pool pool_;
    RecipientCache cache_;
    base::TaskGroup tasks_;
};

}  // namespace smtp_bridge
