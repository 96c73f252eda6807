// TransferReceiver: takes what peers ask of the transfer protocol, and answers it: small messages
// itself, large ones by OpenTransfers; what is no mail goes to ReportReceiver and MirrorReceiver.
//
// One for each session; registers itself as its transfer handler. Event loop only. Every request
// gets an answer, whatever happens: verdicts, an acknowledgement, or one error. It bounds what is
// under way, in requests and in bytes, for all peers of an organisation and for all.
//
// What breaks the protocol's form (the transfer parser, the block) is malformed as a whole, so that
// the sender tries the members singly. A member whose form is right but whose content is not (hash,
// lines, loops, addresses) gets a verdict that refuses its recipients, and spoils no other. In a
// batch, a member whose key is known with another digest, or that could not be stored while others
// were, or that its domain's class puts off, is left out of the verdicts (indeterminate), because
// an error may only answer a request that stored nothing. Only Errc::conflict or a failure of all
// of them is answered by `conflict` or `busy`.
#pragma once

#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "component/discovery/discovery.hpp"
#include "component/incoming/class_gate.hpp"
#include "component/incoming/mirror_receiver.hpp"
#include "component/incoming/open_transfers.hpp"
#include "component/incoming/report_receiver.hpp"
#include "component/incoming/transfer_judge.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/stream/link.hpp"
#include "mail/organisation.hpp"
#include "queue/destination.hpp"
#include "queue/ports.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace component {

class TransferAnswer;

class TransferReceiver final : public TransferHandler {
  public:
    /// `check`: null takes every recipient of a served domain. `complaints`: null takes none. All
    /// references outlive this object.
    TransferReceiver(base::asio::any_io_executor executor, Link& link, Discovery& discovery,
                     ClassGate& gate, queue::Intake& intake, queue::TransferBook& book,
                     queue::ReportBook& reports, queue::RecipientCheck* check,
                     const queue::Router& router, base::Clock& clock,
                     queue::ComplaintBook* complaints = nullptr);
    ~TransferReceiver() override;
    TransferReceiver(const TransferReceiver&) = delete;
    TransferReceiver& operator=(const TransferReceiver&) = delete;

    /// As TransferJudge::on_sender().
    void on_sender(std::function<void(const mail::Domain&)> call) {
        judge_.on_sender(std::move(call));
    }
    void on_transfers(IqHead head, TransferPayload payload) override;
    /// Takes nothing more, and waits for what is being taken. Before Session::stop().
    base::Task<void> stop();
    /// Forgets what nobody has asked about for long. Every minute or so.
    void sweep() { open_.sweep(); }

    /// How many coroutines, envelopes, counts and bytes it holds now. For tests: nothing outlives
    /// its reason.
    std::size_t holds() const;

  private:
    struct Member;  // one transfer of the request
    struct Request;
    /// What requests of one organisation's peers, or of all, hold while they are under way.
    struct Load {
        std::size_t requests = 0;
        std::size_t chunks = 0;
        std::size_t bytes = 0;     // of blocks, as they came
        std::size_t unpacked = 0;  // of blocks, unpacked
    };
    class Held;

    std::optional<StanzaError> refusal(const std::string& peer, const TransferPayload& payload,
                                       const std::string& type) const;
    base::Task<void> handle(std::shared_ptr<TransferAnswer> answer, IncomingBatch batch);
    base::Task<bool> authorise(Request& request);
    base::Task<bool> find_earlier(Request& request);
    void ask_gate(Request& request);
    bool read_contents(Request& request);
    base::Task<void> judge(Request& request, Member& member);
    base::Task<void> store(Request& request);
    void answer(Request& request);

    base::asio::any_io_executor executor_;
    Link& link_;
    Discovery& discovery_;
    queue::Intake& intake_;
    queue::TransferBook& book_;
    TransferJudge judge_;
    OpenTransfers open_;
    ReportReceiver reports_;
    MirrorReceiver mirror_;
    BlockCodec codec_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
    Load load_;
    std::map<mail::Organisation, Load> loads_;
};

}  // namespace component
