// Ledger: the port to what the queue keeps: operations of the domain, as values, and transactions
// of them.
//
// The way to a database: one implementation is queue/sqlite/sqlite_ledger. Used on one thread, the
// storage thread's.
//
// Tested by tests/unit/queue/ledger/contract_test.cpp, tests/unit/queue/model_test.cpp,
// tests/unit/queue/ledger/storage_thread_test.cpp and
// tests/unit/queue/sqlite/sqlite_ledger_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/ledger/administration.hpp"
#include "queue/ledger/complaints.hpp"
#include "queue/ledger/delivery.hpp"
#include "queue/ledger/intake.hpp"
#include "queue/ledger/off.hpp"
#include "queue/ledger/own_promises.hpp"
#include "queue/ledger/peer_book.hpp"
#include "queue/ledger/peers.hpp"
#include "queue/ledger/promises.hpp"
#include "queue/ledger/transfers.hpp"

#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace queue {

using Operation =
    std::variant<Accept, CreateSpool, AppendToSpool, ReadSpool, RemoveSpool,  // intake
                 FindTransfers, OpenTransfer, AddPiece, ReadTransfer,
                 CallTransferBack,                                               // transfers
                 TakeReport,                                                     // reports
                 LeaseDue, Settle, SettleOrHold, PutOff, MakeDue, Reroute,       // delivery
                 ReadDueDestinations, FindNextDue,                               //
                 LoadPeers, RememberPeer, ForgetPeers, LoadRetired, SetRetired,  // peers
                 LoadOff, SetOff,                                                // the switch
                 SetPeerClass, ForgetStanding,                                   // the peer book
                 CastVote, TakeComplaint, QueueComplaints, ReportComplaints,     // complaints
                 LoadPromises, KeepPromise, ForgetPromise,                       // the closed lane
                 LoadOwnPromises, SetOwnPromise, EndOwnPromise,                  // and ours
                 LoadTold, SetTold, RemoveTold,                                  //
                 Operate, CorrectTimes, WarnOfDelays, ExpireQuarantine, Prune, PinContents>;

/// Of each operation the type that it calls Answer.
using Answer =
    std::variant<Nothing, Receipt, QueueId, std::size_t, Content, std::vector<KnownTransfer>,
                 KnownTransfer, TransferBook::Complete, DueNow, Leased, Stepped, RerouteStep,
                 DuePage, std::optional<base::TimePoint>, std::vector<KnownPeer>,
                 std::set<std::string>, std::optional<Off>, Voted, std::optional<SenderComplaints>,
                 ComplaintStep, AbuseReports, std::vector<PeerPromise>, std::vector<OwnPromise>,
                 std::vector<Told>, Operated, CorrectionStep, DelaySweep, QuarantineStep, int>;

class Ledger {
  public:
    virtual ~Ledger() = default;

    /// The next operation of a transaction; nothing: there is no other.
    using Next = std::function<const Operation*()>;
    /// Runs what `next` gives, one after the other, in one transaction, and commits it. `next` is
    /// asked when the one before has been run, so that what has come meanwhile may be part of it;
    /// each finds what those before it have done. Each is atomic: an Error undoes what it has done,
    /// and nothing else. The answers, in order, once all of them are on the disk; if that fails, it
    /// is Errc::storage for each. Does not throw.
    ///
    /// A database behind a network may ask earlier, to send several operations at once: a round
    /// trip for each would cost more than the operation.
    virtual std::vector<base::Result<Answer>> run(const Next& next) = 0;

    /// Set once the database is damaged where something had to be read: the next start repairs it.
    virtual const std::optional<base::Error>& damage() const = 0;

    /// A stop, after the last transaction: what is leased is due again, and no crash is counted.
    virtual void release() = 0;
};

}  // namespace queue
