// MemoryReports: a ReportBook that keeps what it is given, or says no as it is told.
#pragma once

#include "queue/ports.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace support {

class MemoryReports final : public queue::ReportBook {
  public:
    base::Task<base::Result<void>> take(queue::PeerReport report, std::string peer) override {
        if (fails) co_return base::fail(*fails, "as told");
        taken.emplace_back(std::move(report), std::move(peer));
        co_return base::Result<void>();
    }
    std::vector<std::pair<queue::PeerReport, std::string>> taken;
    std::optional<base::Errc> fails;
};

}  // namespace support
