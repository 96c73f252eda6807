// Abuse reports: who of ours was complained of is reported to our own abuse address, by a message
// (RFC 5965). Storage thread.
//
// Tested by tests/unit/queue/ledger/complaints_test.cpp.
#pragma once

#include "queue/ledger/complaints.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// As ReportComplaints says: the message, and what it says that it reports, in one transaction.
base::Result<AbuseReports> report_complaints(Store& store, const ReportComplaints& op);

}  // namespace queue
