// MemoryComplaints: a ComplaintBook that keeps what it is given, or says no as it is told.
#pragma once

#include "queue/complaint.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace support {

class MemoryComplaints final : public queue::ComplaintBook {
  public:
    base::Task<base::Result<void>> take(queue::Complaint complaint, std::string peer) override {
        if (fails) co_return base::fail(*fails, "as told");
        taken.emplace_back(std::move(complaint), std::move(peer));
        co_return base::Result<void>();
    }
    std::vector<std::pair<queue::Complaint, std::string>> taken;
    std::optional<base::Errc> fails;
};

}  // namespace support
