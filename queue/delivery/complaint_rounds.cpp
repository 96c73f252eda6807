#include "queue/delivery/complaint_rounds.hpp"

#include <algorithm>

namespace queue {
namespace {

// A batch of a peer's comes within seconds, and is told the abuse address in one piece.
constexpr auto kGathered = std::chrono::minutes(10);

}  // namespace

base::TimePoint complaints_until(base::TimePoint now, std::chrono::milliseconds period) {
    const auto since = now.time_since_epoch();
    return base::TimePoint(since - since % period - period / 4);
}

ComplaintRounds::ComplaintRounds(StorageThread& storage, Reader& reader, SlowedSenders& slowed,
                                 const base::Clock& clock, ComplaintPlan plan, const bool& stopping,
                                 std::function<void(const Destination&)> arrived)
    : storage_(storage),
      reader_(reader),
      slowed_(slowed),
      clock_(clock),
      plan_(std::move(plan)),
      stopping_(stopping),
      arrived_(std::move(arrived)) {}

std::chrono::milliseconds ComplaintRounds::pause() const {
    return std::min<std::chrono::milliseconds>(plan_.period, kGathered);
}

base::Task<void> ComplaintRounds::once(ComplaintSettings which) {
    if (which.send) co_await queue_some();
    if (!which.take) co_return;
    co_await load();
    co_await report_some();
}

base::Task<void> ComplaintRounds::queue_some() {
    const base::TimePoint until = complaints_until(clock_.now(), plan_.period);
    std::optional<ComplaintPlace> behind = ComplaintPlace();
    while (behind && !stopping_) {
        QueueComplaints step{until, std::move(*behind)};
        const auto done = co_await storage_.step(std::move(step));
        if (!done) co_return;
        for (const Destination& destination : (*done)->due_now)
            arrived_(destination);
        behind = (*done)->next;
    }
}

base::Task<void> ComplaintRounds::report_some() {
    const base::TimePoint until = clock_.now() - pause();
    for (bool more = true; more && !stopping_;) {
        ReportComplaints step{until, plan_.abuse_address};
        const auto done = co_await storage_.step(std::move(step));
        if (!done) co_return;
        for (const Destination& destination : (*done)->due_now)
            arrived_(destination);
        more = (*done)->more;
    }
}

base::Task<void> ComplaintRounds::load() {
    const auto today = std::chrono::floor<std::chrono::days>(clock_.now());
    const ListComplaints question{today, SlowedSenders::kMost};
    const auto found = co_await reader_.ask(question);
    if (found) slowed_.use(*found);
}

}  // namespace queue
