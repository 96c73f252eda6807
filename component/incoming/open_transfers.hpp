// OpenTransfers: the receiver's side of messages that come in pieces, and of the questions about
// any transfer (open, chunk, commit, status, abort).
//
// What counts is on the disk (queue::TransferBook); in memory is only what a later <open/> would
// bring again: envelope and provisional replies. Requests on one key are worked off one after the
// other, in the order in which they came; those on different keys at the same time. Content is
// looked at in steps, so that a large message keeps nobody waiting. Event loop only.
#pragma once

#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "component/discovery/discovery.hpp"
#include "component/incoming/transfer_judge.hpp"
#include "component/incoming/transfer_policy.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/stream/link.hpp"
#include "mail/organisation.hpp"
#include "queue/ports.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace component {

class TransferAnswer;

class OpenTransfers {
  public:
    /// All references outlive this object.
    OpenTransfers(base::asio::any_io_executor executor, Link& link, Discovery& discovery,
                  queue::Intake& intake, queue::TransferBook& book, TransferJudge& judge,
                  base::Clock& clock);

    /// `request`: IncomingOpen, -Chunk, -Commit, -Status or -Abort.
    void take(std::shared_ptr<TransferAnswer> answer, TransferPayload request);
    base::Task<void> stop();
    /// Forgets the envelopes of transfers for which nothing comes. Their content stays on the disk.
    void sweep();
    std::size_t under_way() const { return tasks_.running(); }
    std::size_t remembered() const { return entries_.size(); }

  private:
    using Answer = std::shared_ptr<TransferAnswer>;
    /// A key that is being asked about, or is open.
    struct Entry {
        std::deque<std::pair<Answer, TransferPayload>> waiting;
        bool at_work = false;
        bool committing = false;
        std::string peer;                          ///< that opened it; empty: it is not open here
        std::optional<mail::Organisation> whose;   ///< that of `peer`
        std::optional<IncomingTransfer> transfer;  ///< what it opened
        Replies replies;
        std::uint64_t offset = 0;
        std::uint64_t opened_at = 0;  ///< the offset at the last <open/>
        base::SteadyPoint last_used;
        /// What `asks` asks about is being decided.
        bool is_committing(const IncomingStatus& asked, const std::string& asks) const;
        void close() {
            peer.clear();
            transfer.reset();
            replies = {};
        }
    };

    base::Task<void> work(queue::TransferKey key);
    base::Task<void> handle(Entry& entry, Answer answer, IncomingOpen request);
    base::Task<void> handle(Entry& entry, Answer answer, IncomingChunk request);
    base::Task<void> handle(Entry& entry, Answer answer, IncomingCommit request);
    base::Task<void> handle(Entry& entry, Answer answer, IncomingStatus request);
    base::Task<void> handle(Entry& entry, Answer answer, IncomingAbort request);
    /// `admitted`: what the class of its domain says.
    base::Task<void> open(Entry& entry, Answer answer, IncomingTransfer transfer, bool resumed,
                          ClassGate::Answer admitted);
    /// Forgets envelopes, the oldest first, until there is room for one more of `peer`.
    void make_room(const std::string& peer, std::size_t recipients);
    /// False if there is none that is not at work.
    bool forget_oldest_of(const mail::Organisation& whose);
    base::Task<void> commit(Entry& entry, Answer answer);
    base::Task<std::optional<queue::KnownTransfer>> find(const Answer& answer,
                                                         queue::TransferKey key,
                                                         bool with_class = false);
    /// If its domain was blocked since it was opened.
    void refuse_by_class(const std::string& peer, const IncomingTransfer& transfer,
                         const queue::KnownTransfer& known, Replies& replies);
    struct Looked {
        ContentCheck check;
        std::string beginning;  ///< as much as a header is looked at, and one byte more
    };
    base::Task<base::Result<Looked>> look_through(queue::Content content);
    /// True if it has its verdict on the disk.
    base::Task<bool> store(Entry& entry, Answer answer, const IncomingTransfer& transfer,
                           const Replies& replies, queue::Arrival arrival);
    void give(const Answer& answer, const Verdict& verdict);

    base::asio::any_io_executor executor_;
    Link& link_;
    Discovery& discovery_;
    queue::Intake& intake_;
    queue::TransferBook& book_;
    TransferJudge& judge_;
    base::Clock& clock_;
    BlockCodec codec_;
    std::map<queue::TransferKey, Entry> entries_;  ///< bounded by make_room(), and by requests
    base::TaskGroup tasks_;
};

}  // namespace component
