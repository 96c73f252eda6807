// The ports of the queue: how mail comes in (Intake) and goes out (Courier), and what the two doors
// need of each other without knowing each other (RecipientCheck, KnownPeers).
//
// All calls are made and answered on the event loop.
//
// Tested by tests/unit/queue/sqlite/delivery/settlement_test.cpp and
// tests/unit/queue/intake/receiving_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "mail/content.hpp"
#include "mail/envelope.hpp"
#include "mail/header_scanner.hpp"
#include "mail/status.hpp"
#include "queue/content.hpp"
#include "queue/destination.hpp"
#include "queue/peer_class.hpp"
#include "queue/peer_report.hpp"
#include "queue/queue_id.hpp"
#include "queue/transfer_key.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace queue {

// ---------------------------------------------------------------- coming in

/// Proof that what is inside is on the disk. Only the storage thread can make one, after the
/// commit; a reply that says "accepted" takes one (invariant 1).
template <class T>
class Committed {
  public:
    const T& operator*() const { return value_; }
    const T* operator->() const { return &value_; }
    T release() { return std::move(value_); }

  private:
    friend class StorageThread;
    explicit Committed(T value) : value_(std::move(value)) {}
    T value_;
};

/// What was, or will be, answered for a transfer: one line a recipient, the refused ones included.
struct RecipientVerdict {
    std::uint32_t n = 0;
    mail::Reply reply;
    bool operator==(const RecipientVerdict&) const = default;
};

/// A transfer as it came from a peer, with the verdict that is to be committed with it.
struct ReceivedTransfer {
    TransferKey key;
    std::string peer;       ///< the component that sent it
    std::string component;  ///< ours, that it was sent to
    mail::Sha256 digest{};  ///< over the parsed values of envelope and hash (protocol rule 3)
    base::TimePoint expires;
    std::vector<RecipientVerdict> verdicts;
    bool in_pieces = false;  ///< it was opened, and its content is in the spool
};

/// What is known of a transfer's key: all that its receiver has on the disk.
struct KnownTransfer {
    enum class State : std::uint8_t {
        unknown,
        open,     ///< its content is arriving in pieces
        done,     ///< it has its verdict
        aborted,  ///< its sender called it back before it was taken: it never will be
    };
    State state = State::unknown;
    std::string peer;                 ///< the component that sent it
    mail::Sha256 digest{};            ///< open, done: over envelope and hash (protocol rule 3)
    std::uint64_t size = 0;           ///< open: bytes of the whole content
    std::uint64_t offset = 0;         ///< open: bytes from its start that are on the disk
    std::optional<QueueId> queue_id;  ///< done: nothing if every recipient was refused
    std::vector<RecipientVerdict> verdicts;  ///< done
    /// Of the key's domain, where TransferBook::find() was asked for it.
    PeerClass sender_class = PeerClass::none;
    /// The key is known, but as another peer's, or for another message than that of `its_digest`;
    /// without one, whatever message it is.
    bool is_other(const std::string& its_peer, const std::optional<mail::Sha256>& its_digest) const;
    bool operator==(const KnownTransfer&) const = default;
};

/// Where a message came from, for `trace`, for trace fields and for who is told of a failure.
struct Origin {
    enum class Kind : std::uint8_t { smtp = 1, xmpp = 2, internal = 3 };
    Kind kind = Kind::smtp;
    std::string client;  ///< `127.0.0.1`, the peer's component, or `report`
    std::string helo;
    std::optional<TransferKey> transfer;  ///< Kind::xmpp
    std::string component;                ///< Kind::xmpp: ours that received it
};

struct Arrival {
    mail::Envelope envelope;  ///< with the accepted recipients only; each keeps its number
    std::vector<Destination> destinations;  ///< one for each of envelope.recipients
    Content content;
    /// The file of the spool that the content is in already, and that becomes that of the message.
    /// Set if the content is not in memory.
    std::optional<QueueId> file;
    Origin origin;
    std::optional<ReceivedTransfer>
        transfer;  ///< set for Kind::xmpp; then no recipient may be left
    std::optional<base::TimePoint> expires_at;  ///< default: the queue's own expiry
    std::optional<int> priority{};  ///< MT-PRIORITY of RFC 6710; nothing: the content says
    /// Why XMPP can't carry the content: those of Lane::xmpp get it by Lane::relay; where XMPP is
    /// required they don't, and the sender is told in the same commit.
    std::optional<std::string> unfit{};
    std::optional<mail::HeaderSummary> header{};  ///< of the content, if it was read already
    /// Why it is taken, and held until an administrator has looked; nothing: it goes.
    std::optional<std::string> held{};
};

struct Receipt {
    std::optional<QueueId> id;  ///< nothing only for a transfer whose recipients were all refused
    /// Set if this key was here before with the same digest, or was called back: answer this,
    /// nothing new was stored.
    std::optional<KnownTransfer> earlier;
    std::vector<Destination> rerouted{};  ///< where else than it was to go some of it goes
    /// Of the domain that the transfer came for, this mail not counted.
    PeerClass sender_class = PeerClass::none;
};

/// A message that is too large for memory, while it comes in: a file of the queue's. It is gone
/// when the last handle is, unless an arrival took it.
class Spool {
  public:
    virtual ~Spool() = default;
    /// Puts `bytes` behind what is there; one call at a time. Errc::storage.
    virtual base::Task<base::Result<void>> append(std::string bytes) = 0;
    /// Everything that was appended. Errc::storage.
    virtual base::Task<base::Result<Content>> content() = 0;
    /// For Arrival::file. The handle has to be kept until the arrival is answered.
    virtual QueueId file() const = 0;
};

class Intake {
  public:
    virtual ~Intake() = default;
    /// Stores each arrival or says why not; they share a commit where they can. One answer for
    /// each, in order. Errc::storage (disk, database), Errc::busy (bounds), Errc::conflict (the
    /// transfer's key is here with another digest).
    virtual base::Task<std::vector<base::Result<Committed<Receipt>>>> accept_all(
        std::vector<Arrival> arrivals) = 0;
    /// An empty spool. Errc::storage.
    virtual base::Task<base::Result<std::shared_ptr<Spool>>> spool() = 0;

    /// accept_all for one.
    base::Task<base::Result<Committed<Receipt>>> accept(Arrival arrival);
};

/// The beginning of a transfer whose content comes in pieces.
struct Opening {
    TransferKey key;
    std::string peer;
    mail::Sha256 digest{};
    std::uint64_t size = 0;  ///< bytes of the whole content
    base::TimePoint expires;
    /// Mail of ours has gone to the peer: it has a share that strangers do not get.
    bool correspondent = false;
};

/// A part of the content of an open transfer.
struct Piece {
    TransferKey key;
    std::string peer;
    std::uint64_t offset = 0;
    std::string bytes;
};

/// A transfer that its sender wants back.
struct Recall {
    TransferKey key;
    std::string peer;
    base::TimePoint expires;             ///< of the transfer: until then it is remembered
    std::optional<mail::Sha256> digest;  ///< of the message that is meant; nothing: whichever
};

/// What a receiver of transfers keeps of them beside their messages. Each answer is what is known
/// of the key afterwards, as queue/intake/receiving.hpp has it.
class TransferBook {
  public:
    virtual ~TransferBook() = default;
    /// What is known of each of the keys, in order; `with_class`: and what class their domains are
    /// in, which have to be authenticated. Errc::storage.
    virtual base::Task<base::Result<std::vector<KnownTransfer>>> find(std::vector<TransferKey> keys,
                                                                      bool with_class) = 0;
    /// Keeps room on the disk for the content. Errc::conflict (the key is another message's),
    /// Errc::busy (a quota, or no room), Errc::storage.
    virtual base::Task<base::Result<Committed<KnownTransfer>>> open(Opening opening) = 0;
    /// Errc::not_found (the transfer is not open), Errc::limit (beyond its size), Errc::storage. A
    /// piece that does not follow what is there changes nothing: look at the offset.
    virtual base::Task<base::Result<Committed<KnownTransfer>>> add(Piece piece) = 0;
    /// The complete content of an open transfer, and the file of the spool that it is in.
    /// Errc::not_found, Errc::storage.
    struct Complete {
        Content content;
        QueueId file;
    };
    virtual base::Task<base::Result<Complete>> content(TransferKey key, std::string peer) = 0;
    /// Calls the transfer back, whether it is known or not; afterwards it is aborted, or done if it
    /// was. Errc::conflict (it is another peer's, or another message), Errc::busy (the peer's
    /// quota), Errc::storage.
    virtual base::Task<base::Result<Committed<KnownTransfer>>> call_back(Recall recall) = 0;
};

/// Reports of peers on mail that they had taken from us.
class ReportBook {
  public:
    virtual ~ReportBook() = default;
    /// Tells our own user, if they want to hear of it, in the same commit; a report that was here
    /// before changes nothing. Errc::not_found (no transfer of ours, or not any more, or a
    /// recipient that it does not have), Errc::refused (the transfer went to another component than
    /// `peer`), Errc::busy (it has no verdict yet), Errc::storage.
    virtual base::Task<base::Result<void>> take(PeerReport report, std::string peer) = 0;
};

/// Would our own MTA take mail for these recipients? One reply for each, in order; a check that
/// can't be made now answers 451 4.4.1 or the like. `postmaster` is always taken (protocol rule
/// 10).
class RecipientCheck {
  public:
    virtual ~RecipientCheck() = default;
    virtual base::Task<std::vector<mail::Reply>> check(mail::ReversePath from, bool smtputf8,
                                                       std::vector<mail::Mailbox> recipients) = 0;
};

// ---------------------------------------------------------------- going out

/// Who tells a sender that asked to hear of success (RFC 3461 5.2.1, RFC 3461 5.2.2,
/// RFC 3461 5.2.3).
enum class Handover : std::uint8_t {
    passed_on,  ///< the next hop: it knows DSN
    relayed,    ///< we, that it went on to a system that does not
    delivered,  ///< we: this was the last hop
};

/// The next hop has taken responsibility.
struct Delivered {
    mail::Reply reply;
    std::string remote;  ///< who said so
    Handover handover = Handover::passed_on;
};
/// To be tried again.
struct Deferred {
    mail::Reply reply;
    std::string remote;
    /// True if the next hop's verdict on this recipient said so: the next try goes out under a new
    /// transfer id, and says nothing of the next hop's other mail. False: whatever was sent may
    /// have arrived, so the same id is sent again (protocol rules 3 and 4).
    bool settled = false;
    std::optional<std::chrono::seconds> retry_after;  ///< as the remote asked
    std::optional<base::SteadyPoint> since{};  ///< that it can't be reached, if that is known
    /// False if nothing was tried (our own link is down, we are stopping, it has to go under a new
    /// id): mail whose time is up has its last try still before it.
    bool tried = true;
};
/// For good; the sender is told.
struct Failed {
    mail::Reply reply;
    std::string remote;
};
/// Goes on by Lane::relay. Only for what was never sent, or was refused by an explicit verdict (the
/// fence).
struct Rerouted {
    std::string why;
    /// It may go over XMPP later: where that is required, it waits.
    bool for_now = false;
};
/// Nothing that we could do would be right: it waits for an administrator, who is told, and its
/// sender is once its time is up.
struct Held {
    mail::Reply reply;
    std::string remote;  ///< who said so; empty: we, as it is damaged
};
using Outcome = std::variant<Delivered, Deferred, Failed, Rerouted, Held>;

/// Of a message whose content can't be read (is_unreadable), whatever has left of it: it is tried
/// again as it was, or held if it is damaged.
Outcome unreadable(const base::Error& why);

/// A transfer of ours: committed before its first stanza leaves.
struct OutgoingTransfer {
    TransferKey key;
    std::string peer;          ///< C: the component that it goes to, and to no other
    bool sent_before = false;  ///< a stanza with this id may have left earlier
    base::TimePoint expires;
    /// It goes with the parameters of RFC 3461, or was sent with them: a repetition is as the first
    /// was, whatever its peer takes by now, or it would be another message.
    bool dsn = true;
};

/// A message with those of its recipients that one destination is to get. Exclusively ours until
/// settled.
struct LeasedMessage {
    QueueId id;
    /// With the leased recipients, and with others only if the transfer was sent with them: what is
    /// told of those changes nothing.
    mail::Envelope envelope;
    Content content;
    Origin origin;
    base::TimePoint received_at;
    base::TimePoint expires_at;
    std::optional<OutgoingTransfer> transfer;  ///< set on Lane::xmpp
    /// It is to go another way, for this reason: its transfer, which may have been sent, has to be
    /// called back first.
    std::optional<std::string> call_back{};
    LaneRule rule{};  ///< what the administrator wants of this lane for its recipients
    /// What is thought now of the domain that it came for.
    PeerClass sender_class = PeerClass::none;
};

/// How long the envelope of one message may be on a lane that does not send it value by value.
/// `dsn`: with the parameters of RFC 3461. The functions are pure; any thread.
struct EnvelopeLimit {
    std::size_t bytes = SIZE_MAX;
    std::size_t (*of_head)(const mail::Envelope&, bool dsn) = nullptr;  ///< all but recipients
    std::size_t (*of_recipient)(const mail::Recipient&, bool dsn) = nullptr;
};

/// How much may be leased at once.
struct LeaseLimits {
    std::size_t messages = 1;  ///< 0: nothing more in this run
    std::size_t recipients =
        1000;               ///< of all messages together; one message's rest is leased later
    std::size_t bytes = 1;  ///< of content; a single larger message is still leased, alone
    /// One recipient for which it does not suffice is still leased, alone.
    EnvelopeLimit envelope{};
};

/// The next hop can be tried now.
struct Ready {
    std::string peer;  ///< Lane::xmpp: C; else empty
    LeaseLimits limits;
    /// How far ahead the peer takes a transfer's expiry.
    std::chrono::seconds retention = std::chrono::hours(24 * 7);
    /// Set if nothing new is to go there: only what was sent before is leased, to be called back.
    std::optional<std::string> call_back{};
    bool dsn = true;  ///< the peer takes the parameters of RFC 3461
};
/// Ready, or what all mail of the destination is told for now.
using Readiness = std::variant<Ready, Deferred, Rerouted>;

struct RecipientOutcome {
    std::uint32_t n = 0;
    Outcome outcome;
};
struct MessageOutcome {
    QueueId id;
    std::vector<RecipientOutcome> recipients;  ///< one for each leased recipient
    bool sent = true;  ///< false only if it is certain that nothing of it left in this attempt
};

/// Takes what became of a message as soon as it is certain, so that it is on the disk while the
/// rest of a delivery goes on.
using Tell = std::function<void(MessageOutcome)>;

/// What a look at a destination is for.
enum class Urgency : std::uint8_t {
    fresh,   ///< mail has just come, or its peer is there
    waiting  ///< all else
};

class Courier {
  public:
    virtual ~Courier() = default;
    /// Looks whether the destination can be tried. Takes its time: discovery takes a minute at
    /// most, and so many are asked about at once. What is fresh does not stand in line behind what
    /// waits.
    virtual base::Task<Readiness> prepare(Destination destination, Urgency urgency) = 0;
    /// How much may be leased of what `ready`, an answer of prepare(), is for: asked before each
    /// lease, as a peer's patience grows and shrinks while mail flows.
    virtual LeaseLimits limits(const Destination& destination, const Ready& ready) {
        (void)destination;
        return ready.limits;
    }
    /// Delivers, and tells an outcome for every recipient of every message, each message once,
    /// before it returns; never throws.
    virtual base::Task<void> deliver(Destination destination, std::vector<LeasedMessage> messages,
                                     Tell tell) = 0;
    /// How many deliver() may be under way for one destination; two at least, so that there is room
    /// for small messages beside a large one.
    virtual std::size_t concurrency() const = 0;
};

// ---------------------------------------------------------------- what is known of peers

/// A domain that has been found to take mail over XMPP, kept over restarts (sticky discovery).
struct KnownPeer {
    mail::Domain domain;
    std::string component;
    base::TimePoint first_seen;
    base::TimePoint last_seen;   ///< the last time that discovery confirmed it
    base::TimePoint sent{};      ///< when it last took mail of ours; the epoch: never
    base::TimePoint received{};  ///< when mail of it was last taken; the epoch: never
};

class KnownPeers {
  public:
    virtual ~KnownPeers() = default;
    /// The next `most` in the order of their domains, behind `after`.
    virtual base::Task<base::Result<std::vector<KnownPeer>>> load(std::optional<mail::Domain> after,
                                                                  std::size_t most) = 0;
    virtual base::Task<base::Result<void>> remember(KnownPeer peer) = 0;
    virtual base::Task<base::Result<void>> forget(std::vector<mail::Domain> domains) = 0;
};

}  // namespace queue
