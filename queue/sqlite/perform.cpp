#include "queue/sqlite/perform.hpp"

#include "queue/sqlite/admin/history.hpp"
#include "queue/sqlite/admin/operations.hpp"
#include "queue/sqlite/delivery/clock_repair.hpp"
#include "queue/sqlite/delivery/deferral.hpp"
#include "queue/sqlite/delivery/due_destinations.hpp"
#include "queue/sqlite/delivery/leases.hpp"
#include "queue/sqlite/delivery/quarantine_expiry.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/intake/arrivals.hpp"
#include "queue/sqlite/intake/spool_files.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/notify/abuse_reports.hpp"
#include "queue/sqlite/notify/complaint_votes.hpp"
#include "queue/sqlite/notify/delays.hpp"
#include "queue/sqlite/notify/outgoing_complaints.hpp"
#include "queue/sqlite/notify/taken_complaints.hpp"
#include "queue/sqlite/notify/taken_reports.hpp"
#include "queue/sqlite/store/off_rows.hpp"
#include "queue/sqlite/store/own_promise_rows.hpp"
#include "queue/sqlite/store/peer_rows.hpp"
#include "queue/sqlite/store/promise_rows.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <utility>

namespace queue {
namespace {

/// An overload for each operation.
class Performing {
  public:
    explicit Performing(Store& store) : store_(store) {}

    auto operator()(const Accept& op) const { return add_arrival(store_, *op.arrival); }
    auto operator()(const CreateSpool&) const { return create_spool(store_); }
    auto operator()(const AppendToSpool& op) const {
        return append_to_spool(store_, op.file, op.offset, op.bytes);
    }
    auto operator()(const ReadSpool& op) const { return read_spool(store_, op.file, op.size); }
    auto operator()(const RemoveSpool& op) const {
        store_.spool().remove(op.file);
        return Nothing();
    }

    auto operator()(const FindTransfers& op) const {
        std::vector<KnownTransfer> found;
        for (const TransferKey& key : op.keys) {
            found.push_back(find_transfer(store_, key));
            if (op.with_class) found.back().sender_class = class_of_peer(store_, key.domain);
        }
        return found;
    }
    auto operator()(const OpenTransfer& op) const { return open_transfer(store_, op.opening); }
    auto operator()(const AddPiece& op) const { return add_piece(store_, op.piece); }
    auto operator()(const ReadTransfer& op) const {
        return complete_content(store_, op.key, op.peer);
    }
    auto operator()(const CallTransferBack& op) const {
        return call_transfer_back(store_, op.recall);
    }
    auto operator()(const TakeReport& op) const { return take_report(store_, op.report, op.peer); }

    auto operator()(const LeaseDue& op) const { return lease_due(store_, op); }
    auto operator()(const Settle& op) const { return settle(store_, *op.outcomes); }
    auto operator()(const SettleOrHold& op) const {
        return settle_or_hold(store_, op.outcomes->front());
    }
    auto operator()(const PutOff& op) const {
        return defer_some(store_, op.destination, op.silence, op.behind);
    }
    auto operator()(const MakeDue& op) const { return wake_some(store_, op); }
    auto operator()(const Reroute& op) const {
        return reroute_some(store_, op.destination, op.why, op.behind);
    }
    auto operator()(const ReadDueDestinations& op) const {
        return due_destinations(store_, op.after, op.most);
    }
    auto operator()(const FindNextDue& op) const { return next_due(store_, op.destination); }

    auto operator()(const LoadPeers& op) const { return load_peers(store_, op.after, op.most); }
    auto operator()(const RememberPeer& op) const {
        remember_peer(store_, op.peer);
        return Nothing();
    }
    auto operator()(const ForgetPeers& op) const {
        forget_peers(store_, op.domains);
        return Nothing();
    }
    auto operator()(const LoadRetired&) const { return load_retired(store_); }
    auto operator()(const SetRetired& op) const {
        set_retired(store_, op.component, op.retired);
        return Nothing();
    }

    auto operator()(const LoadOff&) const { return load_off(store_); }
    auto operator()(const SetOff& op) const {
        set_off(store_, op.off);
        return Nothing();
    }

    auto operator()(const LoadOwnPromises&) const { return load_own_promises(store_); }
    auto operator()(const SetOwnPromise& op) const {
        set_own_promise(store_, op.promise);
        return Nothing();
    }
    auto operator()(const EndOwnPromise& op) const {
        end_own_promise(store_, op.component);
        return Nothing();
    }
    auto operator()(const LoadTold& op) const { return load_told(store_, op); }
    auto operator()(const SetTold& op) const {
        set_told(store_, op.told);
        return Nothing();
    }
    auto operator()(const RemoveTold& op) const {
        remove_told(store_, op.component, op.peer);
        return Nothing();
    }

    auto operator()(const SetPeerClass& op) const {
        return set_peer_class(store_, op.domain, op.by_hand);
    }
    auto operator()(const ForgetStanding& op) const { return forget_standing(store_, op.domain); }

    auto operator()(const CastVote& op) const { return cast_vote(store_, op); }
    auto operator()(const TakeComplaint& op) const {
        return take_complaint(store_, op.complaint, op.peer);
    }
    auto operator()(const QueueComplaints& op) const { return queue_complaints(store_, op); }
    auto operator()(const ReportComplaints& op) const { return report_complaints(store_, op); }
    auto operator()(const LoadPromises& op) const {
        return load_promises(store_, op.after, op.most);
    }
    auto operator()(const KeepPromise& op) const {
        keep_promise(store_, op.promise);
        return Nothing();
    }
    auto operator()(const ForgetPromise& op) const {
        forget_promise(store_, op.domain);
        return Nothing();
    }

    auto operator()(const Operate& op) const {
        return operate(store_, op.verb, op.selection, op.after);
    }
    auto operator()(const CorrectTimes& op) const {
        return correct_times(store_, op.after, op.believed);
    }
    auto operator()(const WarnOfDelays& op) const { return warn_of_delays(store_, op.after); }
    auto operator()(const ExpireQuarantine& op) const {
        return expire_quarantine(store_, op.behind);
    }
    auto operator()(const Prune&) const { return prune(store_); }
    auto operator()(const PinContents& op) const {
        ContentFiles& files = store_.files();
        // Who hears of an error has pinned nothing.
        if (op.pinned)
            store_.after_commit([&files] { files.pin(); });
        else
            files.unpin();
        return Nothing();
    }

  private:
    Store& store_;
};

}  // namespace

base::Result<Answer> perform(Store& store, const Operation& operation) {
    const auto one = [&]<class Op>(const Op& op) -> base::Result<Answer> {
        base::Result<typename Op::Answer> done = Performing(store)(op);
        if (!done) return done.error();
        return Answer(std::in_place_type<typename Op::Answer>, std::move(*done));
    };
    return std::visit(one, operation);
}

}  // namespace queue
