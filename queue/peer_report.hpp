// PeerReport: what became later of recipients that a component had accepted (protocol, "report").
//
// A plain value. The receiver of a transfer makes one, which waits in the queue as the content of a
// message of Lane::report; the origin of the transfer takes it by ReportBook.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mail/report.hpp"
#include "queue/transfer_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

struct PeerReport {
    struct Line {
        std::uint32_t n = 0;  ///< the recipient's number in the transfer
        mail::Action action = mail::Action::failed;
        mail::Reply reply;          ///< its status and text; the last word on it
        base::TimePoint at;         ///< of that, in whole seconds
        std::string mta;            ///< host that said so; empty if it was the component itself
        std::string final_address;  ///< where it went in the end, if that is another; may be empty
        bool operator==(const Line&) const = default;
    };
    TransferKey key;
    std::uint32_t seq = 1;  ///< 1, 2, ... for one transfer: removes repeats
    std::vector<Line> recipients;

    bool operator==(const PeerReport&) const = default;
};

/// As it waits in the queue: lines of text.
std::string encode(const PeerReport& report);
/// Errc::storage for what encode() did not write.
base::Result<PeerReport> decode_peer_report(std::string_view text);

}  // namespace queue
