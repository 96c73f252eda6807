// The bounds that rooms share, with their reasons. A container, buffer, wait or retry that is not
// bounded by a name from here, or from the top of the one file that uses it, is a bug. (The bounds
// of the configuration are here, too.)
#pragma once

#include <chrono>
#include <cstddef>

namespace base::limits {

using namespace std::chrono_literals;

// --- Addresses and envelopes (RFC 5321 4.5.3.1, with room as it asks for)
/// octets; RFC 5321 4.5.3.1.1 says 64, and UTF-8 takes up to 4 for a character
inline constexpr std::size_t kLocalPart = 256;
inline constexpr std::size_t kDomain = 255;    ///< octets of the A-label form; RFC 5321 4.5.3.1.2
inline constexpr std::size_t kMailbox = 1000;  ///< octets of a whole mailbox, as text
inline constexpr std::size_t kEnvid = 100;     ///< octets; RFC 3461 4.4
inline constexpr std::size_t kOrcpt = 500;     ///< octets; RFC 3461 4.2
/// of one message; RFC 5321 4.5.3.1.8 asks for 100 at least
inline constexpr std::size_t kRecipients = 1000;
/// bytes of a remote's words that we keep and pass on
inline constexpr std::size_t kStatusText = 512;
/// bytes of a Message-ID or From that we keep
inline constexpr std::size_t kHeaderValue = 500;
/// bytes of a header: what Postfix takes in our example, and no list ever needs
inline constexpr std::size_t kHeader = 1u << 20;
/// bytes of an original's header in a report
inline constexpr std::size_t kReportHeader = 128u << 10;

// --- SMTP
/// octets with CRLF; the 512 of RFC 5321 4.5.3.1.4, and what extensions add (RFC 3461 5.4)
inline constexpr std::size_t kCommandLine = 4096;
/// octets; RFC 5321 4.5.3.1.5 says 512, servers exceed it
inline constexpr std::size_t kReplyLine = 2048;
inline constexpr std::size_t kSmtpInput = 64u << 10;  ///< bytes that a session reads at once
inline constexpr std::size_t kReplyLines = 100;       ///< of one multi-line reply
inline constexpr std::size_t kReceived = 100;  ///< fields before a mail is a loop; RFC 5321 6.3
inline constexpr std::size_t kMessage = 50u << 20;    ///< default bound of a message, bytes
inline constexpr std::size_t kSmtpConnections = 200;  ///< open at once on all listeners
/// of one client at once; Postfix needs no more for one transport, and others get their turn
inline constexpr std::size_t kClientConnections = 100;
/// mails a minute of a client on another host: more than one person or list sends, less than harms
inline constexpr std::size_t kClientRate = 6000;
inline constexpr auto kSmtpCommandTime = 5min;  ///< RFC 5321 4.5.3.2.2, RFC 5321 4.5.3.2.7
/// for the reply to the final dot, as a client; RFC 5321 4.5.3.2.6
inline constexpr auto kSmtpDataTime = 10min;
inline constexpr auto kSmtpConnectTime = 30s;
inline constexpr auto kSmtpIdle = 30s;        ///< how long a pooled client connection is kept
inline constexpr std::size_t kSmtpPool = 20;  ///< client connections to one next hop
/// in memory, of all messages being received at once
inline constexpr std::size_t kIntakeBytes = 256u << 20;
inline constexpr auto kRecipientCheckTime = 30s;  ///< whole RCPT check at the local MTA

// --- Route lookup (socketmap)
inline constexpr std::size_t kNetstring = 4096;  ///< bytes of a request
inline constexpr std::size_t kRouteClients = 200;
inline constexpr auto kRouteIdle = 60s;
/// discoveries waiting that lookups have caused
inline constexpr std::size_t kRouteMisses = 100;

// --- XMPP stream
inline constexpr std::size_t kStanza = 1u << 20;  ///< bytes of an incoming stanza that is read
inline constexpr std::size_t kXmlDepth = 32;
inline constexpr std::size_t kXmlAttributes = 64;   ///< of one element
inline constexpr std::size_t kXmlElements = 20000;  ///< of one stanza
/// default bound of an outgoing stanza (both servers' default)
inline constexpr std::size_t kStanzaOut = 524288;
/// RFC 6120 13.12: what every server must take
inline constexpr std::size_t kStanzaUnknown = 10000;
/// bytes waiting to be written to a component link
inline constexpr std::size_t kStreamBacklog = 16u << 20;
/// of these, what answers to peers' transfers may fill, so that their number leaves room for our
/// own mail ...
inline constexpr std::size_t kAnswerBacklog = 8u << 20;
/// ... and answers to strangers' questions, which nothing depends on
inline constexpr std::size_t kStrangerBacklog = 1u << 20;
inline constexpr std::size_t kPendingIqs = 1000;
inline constexpr auto kIqTime = 120s;
inline constexpr auto kConnectTime = 20s;  ///< TCP and handshake with our own server
/// while nobody listens at our own server: so that its restart costs mail no more than this
inline constexpr auto kReconnectFirst = 500ms;
/// while it listens, and does not want us
inline constexpr auto kReconnectMost = 30s;

// --- Discovery
inline constexpr std::size_t kDiscoItems = 50;        ///< candidates of one domain that are asked
inline constexpr std::size_t kKnownDomains = 100000;  ///< cached answers, positive and negative
/// of these, domains that take mail over XMPP, which are kept on the disk and read at the start
inline constexpr std::size_t kKnownPeers = 50000;
/// discoveries in flight that mail of ours causes ...
inline constexpr std::size_t kOwnLookups = 25;
/// ... that senders' claims cause, ...
inline constexpr std::size_t kSenderLookups = 35;
/// ... and of these, claims of senders that mail of ours never went to, ...
inline constexpr std::size_t kStrangerLookups = 30;
/// ... and that no mail waits for: names that Postfix asked about, peers that came back
inline constexpr std::size_t kHintLookups = 10;
inline constexpr std::size_t kLookups = kOwnLookups + kSenderLookups + kHintLookups;
inline constexpr auto kDiscoTime = 30s;  ///< one disco query; a server dials within it

// --- Transfer protocol
inline constexpr std::size_t kBatch = 100;  ///< transfers in one stanza
inline constexpr std::size_t kBatchRecipients = 1000;
inline constexpr std::size_t kTransferId = 64;                  ///< octets
inline constexpr std::size_t kBlock = 8u << 20;                 ///< bytes a block may inflate to
inline constexpr auto kRetention = std::chrono::hours(24 * 7);  ///< how far ahead `expires` may lie
/// kept beyond `expires`, for clocks that differ
inline constexpr auto kVerdictGrace = 1h;
/// how long after a transfer's expiry reports on it may still come
inline constexpr auto kReportGrace = std::chrono::hours(72);
inline constexpr std::size_t kReceivingBatches = 16;  ///< from one peer at once
/// how long an open transfer is kept for which nothing comes; its sender retries within hours
inline constexpr auto kPartialIdle = 24h;
/// bytes of one peer's blocks that are unpacked at once: several windows, so that a restart on
/// either side never meets it
inline constexpr std::size_t kPeerUnpacked = 32u << 20;

// --- Queue
inline constexpr std::size_t kInlineContent = 256u << 10;  ///< bytes; larger contents are files
inline constexpr std::size_t kCommitRequests = 256;        ///< requests in one commit
inline constexpr std::size_t kCommitBytes = 16u << 20;     ///< content bytes in one commit
inline constexpr std::size_t kLeaseMessages = 100;         ///< of one destination at once
/// content of one lease (or one message, if larger)
inline constexpr std::size_t kLeaseBytes = 8u << 20;
inline constexpr std::size_t kDestinationsAtWork = 200;  ///< destinations tried at once ...
inline constexpr std::size_t kDestinationsOfPeer = 8;    ///< ... and of these, behind one peer ...
/// ... and behind all peers of one organisation: a host's customers may have one each
inline constexpr std::size_t kDestinationsOfOrganisation = 24;
inline constexpr auto kOwnMtaPause = 30s;  ///< the longest wait for our own MTA
inline constexpr auto kSettleAgain = 2s;   ///< wait after an outcome could not be written
/// bytes that intake leaves free for settling
inline constexpr std::size_t kDiskReserve = 32u << 20;
inline constexpr std::size_t kPruned = 500;  ///< ended messages that one sweep of the history takes
inline constexpr std::size_t kEventsKept = 200;      ///< history lines of one message
inline constexpr std::size_t kListed = 10000;        ///< rows of one `queue list`, unless told
inline constexpr std::size_t kListedMost = 1000000;  ///< the same, whatever is told
/// recipients that one step of an administrator's command changes
inline constexpr std::size_t kOperated = 200;

// --- Control socket
inline constexpr std::size_t kControlRequest = 64u << 10;
inline constexpr auto kControlTime =
    3min;  ///< a look-up of a domain whose servers are silent takes so long

}  // namespace base::limits
