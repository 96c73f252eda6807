#include "queue/intake/stored_complaints.hpp"

namespace queue {

base::Task<base::Result<void>> StoredComplaints::take(Complaint complaint, std::string peer) {
    TakeComplaint take{std::move(complaint), std::move(peer)};
    const auto taken = co_await storage_.write(std::move(take));
    if (!taken) co_return taken.error();
    const auto& against = **taken;
    if (against) slowed_.note(*against);
    co_return base::Result<void>();
}

}  // namespace queue
