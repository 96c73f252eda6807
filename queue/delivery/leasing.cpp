#include "queue/delivery/leasing.hpp"

#include "base/limits.hpp"
#include "queue/delivery/fallback.hpp"

#include <algorithm>

namespace queue {
namespace {

// How far ahead a new transfer expires at least: clocks differ by minutes, and what is large takes
// some.
constexpr auto kLastTry = std::chrono::hours(1);

}  // namespace

Judgement judge(const Due& due, const LeaseSoFar& lease, const Destination& destination,
                const Ready& ready, const Router& router, const Moment& moment) {
    if (ready.call_back && !due.was_sent) return PassedOver();
    auto too_long =
        due.was_tried ? waits_too_long(router, destination, due.received_at, moment) : std::nullopt;
    if (too_long && !due.was_sent) return Rerouted{std::move(*too_long)};
    if (lease.messages > 0) {
        if (lease.bytes + due.size > ready.limits.bytes || due.goes_alone) return NoRoom();
    }
    if (due.has_to_wait) return KeptBack();
    if (ready.call_back) too_long = ready.call_back;
    return GivenOut{std::move(too_long), due.goes_alone};
}

base::TimePoint transfer_expiry(base::TimePoint expires_at, std::chrono::seconds retention,
                                base::TimePoint now) {
    using std::chrono::seconds;
    // No receiver takes an `expires` beyond its retention; the margin is for its clock.
    const auto kept = std::min<seconds>(retention, base::limits::kRetention);
    const auto margin = std::min<seconds>(kept / 8, std::chrono::hours(24));
    return std::min<base::TimePoint>(std::max(expires_at, now + kLastTry), now + (kept - margin));
}

std::size_t recipients_that_fit(const mail::Envelope& envelope, const EnvelopeLimit& limit,
                                bool dsn) {
    if (limit.of_recipient == nullptr || envelope.recipients.size() <= 1)
        return envelope.recipients.size();
    std::size_t bytes = limit.of_head(envelope, dsn);
    std::size_t fit = 0;
    for (const mail::Recipient& recipient : envelope.recipients) {
        bytes += limit.of_recipient(recipient, dsn);
        if (bytes > limit.bytes && fit > 0) break;
        ++fit;
    }
    return fit;
}

}  // namespace queue
