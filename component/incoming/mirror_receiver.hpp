// MirrorReceiver: tells a component how we see it: what our links prove, what we take of it, what
// our clock shows, and for which of its domains it may send here (protocol, "Asking how One is
// Seen").
//
// Only who may send mail here is told anything, and only that; the domains are looked up as those
// of its mail are, with the same shares. An organisation may ask kAtOnce times, and then kInAnHour
// times an hour; strangers, so many more times together. The answer leaves after kLookTime at the
// latest, and what was not found out by then is `later`. Bounded in organisations; what is under
// way is bounded by who passes the requests on. Event loop only; never throws.
#pragma once

#include "base/clock.hpp"
#include "base/expiring_map.hpp"
#include "base/task_group.hpp"
#include "base/token_bucket.hpp"
#include "component/incoming/transfer_judge.hpp"
#include "component/protocol/mirror.hpp"
#include "component/stream/link.hpp"
#include "mail/organisation.hpp"

#include <memory>
#include <string>

namespace component {

class TransferAnswer;

class MirrorReceiver {
  public:
    /// Requests of one organisation: an administrator who mends something asks a few times, for
    /// each component and each twenty domains of theirs.
    static constexpr double kAtOnce = 20;
    static constexpr double kInAnHour = 360;
    /// Of all whom mail of ours never went to.
    static constexpr double kStrangersAtOnce = 100;
    static constexpr double kStrangersInAnHour = 3600;
    static constexpr std::size_t kOrganisations = 1000;
    /// For all look-ups of a request; who asks waits longer.
    static constexpr std::chrono::seconds kLookTime{40};

    /// All references outlive it.
    MirrorReceiver(base::asio::any_io_executor executor, Link& link, const Discovery& discovery,
                   TransferJudge& judge, const base::Clock& clock);

    void take(std::shared_ptr<TransferAnswer> answer, IncomingMirror request);
    base::Task<void> stop() { return tasks_.join(); }
    std::size_t under_way() const { return tasks_.running(); }
    std::size_t remembered() const { return asked_.size(); }

  private:
    struct Look;

    /// How long `peer` has to wait before it may ask; zero: it has asked.
    std::chrono::seconds ask(const std::string& peer);
    base::Task<void> look(std::shared_ptr<Look> look);
    base::Task<void> answer(std::shared_ptr<Look> look);

    base::asio::any_io_executor executor_;
    Link& link_;
    const Discovery& discovery_;
    TransferJudge& judge_;
    const base::Clock& clock_;
    base::ExpiringMap<mail::Organisation, base::TokenBucket> asked_{kOrganisations};
    base::TokenBucket strangers_;
    base::TaskGroup tasks_;
};

}  // namespace component
