// ReportReceiver: takes what peers say of mail that they had accepted from us: what became of it,
// and who complains of it.
//
// The queue decides whose word counts, and tells our users; this answers the peer once that is on
// the disk. Owns what it is working on; all references outlive it. Event loop only; never throws.
//
// Tested by tests/unit/component/incoming/transfer_receiver_test.cpp.
#pragma once

#include "base/task_group.hpp"
#include "component/protocol/transfer.hpp"
#include "queue/complaint.hpp"
#include "queue/ports.hpp"

#include <memory>

namespace component {

class TransferAnswer;

class ReportReceiver {
  public:
    /// `complaints`: null takes none.
    ReportReceiver(base::asio::any_io_executor executor, queue::ReportBook& book,
                   queue::ComplaintBook* complaints)
        : book_(book), complaints_(complaints), tasks_(executor) {}

    /// How many may be under way is bounded by who passes them on.
    void take(std::shared_ptr<TransferAnswer> answer, IncomingReport request);
    void take(std::shared_ptr<TransferAnswer> answer, IncomingComplaint request);
    base::Task<void> stop() { return tasks_.join(); }
    std::size_t under_way() const { return tasks_.running(); }

  private:
    base::Task<void> handle(std::shared_ptr<TransferAnswer> answer, queue::PeerReport report);
    base::Task<void> handle_complaint(std::shared_ptr<TransferAnswer> answer,
                                      queue::Complaint complaint);

    queue::ReportBook& book_;
    queue::ComplaintBook* complaints_;
    base::TaskGroup tasks_;
};

}  // namespace component
