// Taken complaints: what peers say of mail of ours that they have taken. Storage thread, but for
// the question, which is the reader's.
//
// Tested by tests/unit/queue/ledger/complaints_test.cpp.
#pragma once

#include "queue/ledger/complaints.hpp"
#include "queue/sqlite/store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace queue {

/// Complaints of one organisation that are taken on a day.
inline constexpr std::int64_t kComplaintsTaken = 1000;

/// As TakeComplaint says.
base::Result<std::optional<SenderComplaints>> take_complaint(Store& store,
                                                             const Complaint& complaint,
                                                             const std::string& peer);
/// What stands against a sender now.
SenderComplaints complaints_against(Store& store, const std::string& sender,
                                    const std::string& domain);
/// Its mail to `to` waits for its turn (queue/delivery/slowing_courier).
bool is_slowed(Store& store, const Destination& to, const Origin& origin,
               const mail::ReversePath& from);
/// As the question says.
std::vector<SenderComplaints> list_complaints(Database& database, std::chrono::sys_days today,
                                              std::size_t most);

}  // namespace queue
