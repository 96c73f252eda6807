// TransferReceiver: takes the transfers that peers send: authority, policy, commit, and only then
// verdicts.
//
// One for each session; registers itself as its transfer handler. Event loop only. Every request
// gets an answer, whatever happens: the verdicts of its transfers, or one error.
//
// What breaks the protocol's form (TransferParser, the block) is malformed as a whole, so that the
// sender tries the members singly. A member whose form is right but whose content is not (hash,
// lines, loops, addresses) gets a verdict that refuses its recipients, and spoils no other. In a
// batch, a member whose key is known with another digest, or that could not be stored while others
// were, is left out of the verdicts (indeterminate), because an error may only answer a request
// that stored nothing. Only Errc::conflict or a failure of all of them is answered by `conflict` or
// `busy`.
#pragma once

#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "component/block_codec.hpp"
#include "component/discovery.hpp"
#include "component/link.hpp"
#include "queue/destination.hpp"
#include "queue/ports.hpp"

#include <map>
#include <string>
#include <vector>

namespace component {

class TransferAnswer;

class TransferReceiver final : public TransferHandler {
  public:
    /// `check`: null takes every recipient of a served domain. All references outlive this object.
    TransferReceiver(base::asio::any_io_executor executor, Link& link, Discovery& discovery,
                     queue::Intake& intake, queue::RecipientCheck* check,
                     const queue::Router& router, base::Clock& clock);
    ~TransferReceiver() override;

    void on_transfers(IqHead head, TransferPayload payload) override;
    /// Takes nothing more, and waits for what is being taken. Before Session::stop().
    base::Task<void> stop();

  private:
    struct Member;  // one transfer of the request
    struct Request;
    class Unpacked;

    base::Task<void> handle(std::shared_ptr<TransferAnswer> answer, IncomingBatch batch);
    base::Task<bool> authorise(Request& request);
    base::Task<bool> look_up(Request& request, std::vector<mail::Domain> domains);
    base::Task<bool> find_earlier(Request& request);
    bool read_contents(Request& request);
    base::Task<void> judge(Request& request, Member& member);
    base::Task<void> check_recipients(Member& member);
    base::Task<void> store(Request& request);
    queue::Arrival arrival_of(const Request& request, Member& member) const;
    void answer(Request& request);

    base::asio::any_io_executor executor_;
    Link& link_;
    Discovery& discovery_;
    queue::Intake& intake_;
    queue::RecipientCheck* check_;
    const queue::Router& router_;
    base::Clock& clock_;
    BlockCodec codec_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
    struct Share {
        std::size_t requests = 0;
        std::size_t unpacked = 0;  ///< bytes of their blocks
    };
    std::size_t unpacked_ = 0;                ///< bytes of the blocks of requests under way
    std::map<std::string, Share> receiving_;  ///< what is under way, by peer
    std::size_t verifying_ = 0;               ///< requests whose sender is being looked up
};

}  // namespace component
