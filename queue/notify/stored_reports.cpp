#include "queue/notify/stored_reports.hpp"

#include "queue/notify/taken_reports.hpp"

namespace queue {

base::Task<base::Result<void>> StoredReports::take(PeerReport report, std::string peer) {
    std::function<base::Result<Woken>(Store&)> operation = [report = std::move(report),
                                                            peer = std::move(peer)](Store& store) {
        return take_report(store, report, peer);
    };
    const base::Result<Committed<Woken>> taken =
        co_await storage_.write<Woken>(std::move(operation));
    if (!taken) co_return taken.error();
    for (const Destination& destination : **taken)
        arrived_(destination);
    co_return base::Result<void>();
}

}  // namespace queue
