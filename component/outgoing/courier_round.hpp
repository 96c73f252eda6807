// CourierRound: one deliver() of the XmppCourier: batches, sends, and turns answers into outcomes.
//
// Lives in the frame of deliver(). Owns the leased messages; of every message exactly one
// MessageOutcome is told, as soon as it is certain. What may be asked, and what an answer proves,
// is Sending's to say; this brings it over the link: small messages together in one stanza, large
// ones in pieces.
#pragma once

#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "component/outgoing/flow.hpp"
#include "component/outgoing/put_off_domains.hpp"
#include "component/outgoing/stanza_bounds.hpp"
#include "component/outgoing/unverified_senders.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/protocol/error_table.hpp"
#include "component/protocol/sending.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/stream/capability.hpp"
#include "component/stream/link.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace component {

/// What was called back, or never left, goes out anew: the wait that the courier asks for.
inline constexpr auto kGoesAnew = std::chrono::seconds(1);

class CourierRound {
  public:
    /// What is looked at between stanzas, as it may change meanwhile.
    struct Orders {
        const bool& stopping;
        /// Why nothing goes over XMPP any more; empty: it does.
        const std::string& passed_by;
    };

    /// What `orders` refers to, `clock`, `codec`, `senders` and `domains` outlive the round.
    CourierRound(base::asio::any_io_executor executor, std::vector<queue::LeasedMessage> messages,
                 const base::Clock& clock, std::chrono::milliseconds answer_time, BlockCodec& codec,
                 UnverifiedSenders& senders, PutOffDomains& domains, Orders orders,
                 queue::Tell tell);

    /// The components that the messages' transfers are for, in order, each once.
    std::vector<std::string> peers() const;
    /// Sends the messages for `peer`, and settles or defers each.
    base::Task<void> deliver_to(Link& link, std::string peer, Capability theirs,
                                std::shared_ptr<Flow> flow);
    /// What has no outcome yet. `tried`: that was a try, after which what is too old ends.
    void defer_all(const mail::Reply& reply, bool tried = false);

    /// About the last deliver_to(): the peer said that it takes no mail.
    bool was_not_there() const { return not_there_; }

  private:
    struct Item {
        explicit Item(queue::LeasedMessage leased, base::TimePoint now);
        OutgoingMessage outgoing() const;
        queue::LeasedMessage message;
        Sending sending;
        Sending::Request whole;              ///< as it was last sent in a batch
        std::string other_way;               ///< why it is to go by SMTP, if it can be called back
        bool for_now = false;                ///< ... and that it may go over XMPP later
        bool too_many = false;               ///< it is to go to some of its recipients at a time
        bool done = false;                   ///< its outcome has been told
        std::optional<mail::Sha256> hash{};  ///< of the content, once it was needed
        std::optional<mail::Sha256> digest{};     ///< of the transfer, likewise
        std::optional<base::Error> unreadable{};  ///< its content: it waits as it is
        std::optional<IqReply> unheard{};         ///< the first reply that was no word of the peer
        bool tried_again = false;                 ///< after such a one
    };
    using Batch = std::vector<Item*>;
    struct Peer {
        Link& link;
        std::string jid;
        Capability theirs;
        std::shared_ptr<Flow> flow;
        std::size_t bound = 0;  ///< of a payload
        bool gone = false;      ///< it, or the link, has failed in this round
        /// Domains whose mail waits: it could not ask them, or takes no more of them for now.
        std::map<mail::Domain, Failure> put_off{};
        bool deflates() const { return link.settings().compress != Compress::none; }
        std::size_t most_recipients() const { return recipients_bound(link.settings(), theirs); }
    };
    struct Plan {
        std::vector<Batch> batches;
        std::vector<Item*> alone;  ///< in pieces, or about what was sent before
    };

    Plan make_plan(const Peer& peer);
    /// True if it is to be sent; else it has its outcome, or is to be called back.
    bool admit(Item& item, const Peer& peer);
    /// Its recipients are too many for one stanza.
    void divide(Item& item, const Peer& peer);
    base::Task<void> send_batch(Peer& peer, Batch batch);
    base::Task<void> send_split(Peer& peer, Batch batch);
    base::Task<void> send_alone(Peer& peer, Item& item);
    /// All that send_alone() asks, until it has ended.
    base::Task<void> exchange(Peer& peer, Item& item);
    /// Whether it is to be tried once more, alone, after this failure.
    bool tries_again(Item& item, const Failure& failure) const;
    // What is made of the contents, which is in courier_round_contents.cpp:
    /// A content that can't be read is Item::unreadable, too.
    base::Task<base::Result<std::string>> encode(const Peer& peer, Item& item,
                                                 Sending::Request request);
    /// Until when the peer has to remember that a transfer with `expires` was called back.
    base::TimePoint abort_expiry(base::TimePoint expires, const Capability& theirs) const;
    /// Puts the contents of a batch in memory. What can't be read has its outcome, and is not in it
    /// any more.
    base::Task<void> load(Batch& batch);
    /// Errc::storage, Errc::damaged.
    base::Task<base::Result<void>> find_hash(Item& item);

    /// What `reply`, which has no verdicts, means for the request: if it is no word of the peer,
    /// the peer is asked whether it is there.
    base::Task<Failure> look_into(Peer& peer, const Item& item, const IqReply& reply);
    base::Task<IqReply> ask(Peer& peer, std::string payload, const char* type,
                            std::shared_ptr<Flow::Permit> permit);
    void take_answer(Peer& peer, Item& item, const Sending::Request& request, const IqReply& reply);
    void take_batch_verdicts(Peer& peer, const Batch& batch, const Verdicts& verdicts);
    void take_batch_failure(Peer& peer, const Batch& batch, const Failure& failure, bool left);
    void take_failure(Peer& peer, const Failure& failure);
    // What is not sent after all, which is in courier_round_senders.cpp:
    bool is_delivered(const Item& item) const;
    /// It is still to be sent, and nothing goes over XMPP any more.
    bool is_passed_by(const Item& item) const;
    /// It goes by SMTP, once it has been called back if anything of it was sent; or waits, if it
    /// has to go over XMPP.
    void pass_by(Item& item);
    /// The same of what was to be asked together, and waited for room.
    void pass_by(Peer& peer, const Batch& batch);
    /// `failure`, which says so of `item`, with what follows of it: if that has lasted, `item` goes
    /// by SMTP.
    Failure weigh(Peer& peer, Item& item, Failure failure);
    /// What the peer says of `item`'s domain (Failure::is_on_domain) holds for all of that domain's
    /// mail in this round; `failure` with what follows of it.
    Failure put_off(Peer& peer, Item& item, Failure failure);
    /// Not sent, as nothing is any more, or for what the peer said of its domain a moment ago: it
    /// has its outcome, or is to be called back.
    bool is_put_off(Peer& peer, Item& item);
    /// What the peer said of its domain, if `item` is not to wait for that any longer.
    std::optional<std::string> given_up(const Item& item, const std::string& peer) const;
    /// The same, unless it is time to see whether the peer can verify it by now.
    std::optional<std::string> given_up_unseen(const Item& item, const std::string& peer) const;
    /// The outcome of what has ended.
    void conclude(const Peer& peer, Item& item);
    void settle(const Peer& peer, Item& item);
    void defer(Item& item, const mail::Reply& reply, const std::string& remote,
               std::optional<std::chrono::seconds> retry_after = {});
    /// Under a new id: this one was never taken, and never will be.
    void go_anew(Item& item, const mail::Reply& reply, const std::string& remote);
    /// By SMTP: at once if nothing of it was ever sent, else once it has been called back.
    void go_by_smtp(Item& item, const std::string& why, bool for_now = false);
    void give(Item& item, const queue::Outcome& outcome);
    void tell(Item& item, std::vector<queue::RecipientOutcome> outcomes);

    base::asio::any_io_executor executor_;
    std::vector<std::unique_ptr<Item>> items_;
    const base::Clock& clock_;
    base::TimePoint now_ =
        clock_.now();  ///< of the whole round, however the clock is set meanwhile
    base::SteadyPoint began_ = clock_.steady();
    std::chrono::milliseconds answer_time_;
    BlockCodec& codec_;
    UnverifiedSenders& senders_;
    PutOffDomains& domains_;
    Orders orders_;
    queue::Tell tell_;
    bool not_there_ = false;
};

}  // namespace component
