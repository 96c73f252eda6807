// StoreSettings: what an administrator says of the queue.
//
// Tested by tests/unit/app/config/config_test.cpp.
#pragma once

#include "queue/content_refusals.hpp"
#include "queue/retry_policy.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace queue {

/// Of all peers of one organisation.
struct PeerQuota {
    std::int64_t messages = 100'000;
    std::int64_t bytes = std::int64_t{2} << 30;
};

/// Which way complaints go.
struct ComplaintSettings {
    bool send = false;
    bool take = false;
};

struct StoreSettings {
    std::filesystem::path directory;
    std::string hostname;  ///< Reporting-MTA
    RetryPolicy retry;
    std::chrono::milliseconds expire_after = std::chrono::hours(24 * 5);
    /// Senders are told of mail that waits so long; zero: never.
    std::chrono::milliseconds delay_warning = std::chrono::hours(4);
    std::chrono::milliseconds history = std::chrono::hours(24 * 7);
    PeerQuota peer_quota;
    ComplaintSettings complaints;
    ContentRefusals content_refusals = ContentRefusals::parse(ContentRefusals::kDefault).value();
    std::uintmax_t disk_reserve =
        0;  ///< bytes that intake leaves free, so that settling still works
};

}  // namespace queue
