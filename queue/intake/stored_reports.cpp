#include "queue/intake/stored_reports.hpp"

namespace queue {

base::Task<base::Result<void>> StoredReports::take(PeerReport report, std::string peer) {
    TakeReport take{std::move(report), std::move(peer)};
    const auto taken = co_await storage_.write(std::move(take));
    if (!taken) co_return taken.error();
    for (const Destination& destination : **taken)
        arrived_(destination);
    co_return base::Result<void>();
}

}  // namespace queue
