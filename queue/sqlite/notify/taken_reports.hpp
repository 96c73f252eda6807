// Taken reports: what a peer says became of recipients that it had accepted from us. Storage
// thread.
//
// Tested by tests/unit/queue/sqlite/notify/reports_test.cpp.
#pragma once

#include "queue/due_now.hpp"
#include "queue/peer_report.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// Records the report, and tells the sender of the message what they want to hear of it, in the
/// running transaction. A report that was here before changes nothing, and no more does one that
/// says nothing new: of each recipient that the peer had taken, a delay counts once a day, then a
/// passing on, then one end (protocol, "Reports"). Errors as ReportBook::take says, and Errc::busy
/// while the transfer has no verdict: the report has overtaken it.
base::Result<DueNow> take_report(Store& store, const PeerReport& report, const std::string& peer);

}  // namespace queue
