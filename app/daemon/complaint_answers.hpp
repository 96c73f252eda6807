// Complaint answers: what the control sockets make of a complaint on a mail.
//
// On the event loop. What the mail's header says is looked up, and counts only as far as the ledger
// has it.
//
// Tested by tests/e2e/test_complaints.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <cstdint>

#include <boost/json.hpp>

namespace app {

/// `asked`: "header" (mail::own_trace_fields), "recipient" (empty: as the header says), "spam".
/// Answers with "recipient", "domain", and whether it is "counted". `uid`: who asks.
base::Task<boost::json::object> answer_complaint(Daemon& daemon, boost::json::object asked,
                                                 std::int64_t uid);

}  // namespace app
