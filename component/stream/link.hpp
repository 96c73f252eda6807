// Link: the port through which couriers, discovery and the receiver use a component's stream;
// Session is it.
//
// Event loop only. Tests put a script in its place.
//
// Tested by tests/unit/component/stream/session_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "component/log_limiter.hpp"
#include "component/protocol/assurance.hpp"
#include "component/protocol/iq_reply.hpp"
#include "component/protocol/transfer.hpp"
#include "component/stream/stanza.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gloox/tag.h>

namespace component {

/// Whether messages are deflated: all of a stanza together, each in a stanza of its own, or not.
enum class Compress { batch, each, none };

/// The closed-lane promise, as a form announces it: mail of these domains comes over XMPP only.
struct Promise {
    std::vector<mail::Domain> domains;
    base::TimePoint until;
};

struct ComponentSettings {
    std::string jid;  ///< a bare domainpart, as Jid has it
    std::string host = "127.0.0.1";
    std::uint16_t port = 5347;
    std::string secret;
    std::vector<mail::Domain> domains;  ///< that it serves
    /// It goes out of service: it says that it serves no domain, and takes and sends nothing new.
    bool retired = false;
    bool takes_complaints = false;     ///< of peers on mail that it sent
    std::optional<Promise> promise{};  ///< as who asks is told it
    bool private_link = false;  ///< to its server: it is not encrypted, and goes over no network
    bool requiretls = false;    ///< it can keep RFC 8689's promise as far as our own MTA
    std::size_t max_stanza =
        base::limits::kStanzaOut;  ///< bytes, both ways: of the servers on our side
    std::size_t max_size = base::limits::kMessage;  ///< bytes of a message that it takes
    Assurance assurance = Assurance::none;
    Compress compress = Compress::batch;

    /// There is TLS on each network between us and a peer's server (RFC 8689). A component's own
    /// link (XEP-0114) has none.
    bool keeps_tls() const { return assurance == Assurance::pkix && private_link; }
};

/// A request for transfers that arrived; its head's `to` is ours.
class TransferHandler {
  public:
    virtual ~TransferHandler() = default;
    virtual void on_transfers(IqHead head, TransferPayload payload) = 0;
};

class Link {
  public:
    virtual ~Link() = default;
    virtual const ComponentSettings& settings() const = 0;
    virtual bool established() const = 0;
    /// Sends an IQ (`type` get or set) with `payload`, and waits at most `limit` for the answer of
    /// `to`.
    virtual base::Task<IqReply> request(std::string to, std::string type, std::string payload,
                                        std::chrono::milliseconds limit) = 0;
    /// Answers a peer with a complete stanza, which has a `from`. Errc::closed, Errc::limit,
    /// Errc::busy above limits::kAnswerBacklog; nothing was written then.
    virtual base::Result<void> send(std::string stanza) = 0;
    /// Who gets the transfers that arrive; null: nobody, they are refused. Outlives the link, or
    /// resets it.
    virtual void set_transfer_handler(TransferHandler* handler) = 0;
    /// For complaints about those at the other end.
    virtual LogLimiter& log_limiter() = 0;
};

}  // namespace component
