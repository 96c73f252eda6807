#include "component/incoming/report_receiver.hpp"

#include "base/crash_point.hpp"
#include "component/incoming/transfer_answer.hpp"

namespace component {
namespace {

using base::Errc;

StanzaError report_error(const base::Error& error) {
    switch (error.code) {
        case Errc::not_found:
            return unknown_transfer();
        case Errc::refused:
            return not_authorised(error.text);
        case Errc::busy:
            return busy(error.text);
        default:
            return busy("it could not be stored");
    }
}

}  // namespace

void ReportReceiver::take(std::shared_ptr<TransferAnswer> answer, IncomingReport request) {
    const auto kept = std::make_shared<queue::PeerReport>(std::move(request.report));
    tasks_.spawn("report", [this, answer, kept] { return handle(answer, std::move(*kept)); });
}

base::Task<void> ReportReceiver::handle(std::shared_ptr<TransferAnswer> answer,
                                        queue::PeerReport report) {
    std::string peer = answer->peer();
    base::crash_point("reports.before-take");
    const base::Result<void> taken = co_await book_.take(std::move(report), std::move(peer));
    base::crash_point("reports.taken");
    if (taken)
        answer->give(std::string_view());
    else
        answer->fail(report_error(taken.error()));
}

void ReportReceiver::take(std::shared_ptr<TransferAnswer> answer, IncomingComplaint request) {
    if (complaints_ == nullptr) return answer->fail({"cancel", "service-unavailable", {}, {}, {}});
    const auto kept = std::make_shared<queue::Complaint>(std::move(request.complaint));
    tasks_.spawn("complaint",
                 [this, answer, kept] { return handle_complaint(answer, std::move(*kept)); });
}

base::Task<void> ReportReceiver::handle_complaint(std::shared_ptr<TransferAnswer> answer,
                                                  queue::Complaint complaint) {
    std::string peer = answer->peer();
    const base::Result<void> taken =
        co_await complaints_->take(std::move(complaint), std::move(peer));
    if (taken)
        answer->give(std::string_view());
    else
        answer->fail(report_error(taken.error()));
}

}  // namespace component
