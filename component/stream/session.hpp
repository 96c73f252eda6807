// Session: a component's presence in the XMPP network: keeps its stream up, asks and answers.
//
// One for each configured component, for as long as the daemon runs. Owns the stream, and
// reconnects with backoff and jitter until stop(). Requests are matched by id and by who was asked
// (RFC 6120 8.2.3), and end at the latest with their own time limit, or with the stream. Pings,
// service discovery and version are answered here, with the addressed JID as `from`; no error ever
// answers an error (RFC 6120 8.3.1). Event loop only.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "component/stream/link.hpp"
#include "component/stream/stream.hpp"
#include "component/xml/jid.hpp"
#include "mail/organisation.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace component {

class Session final : public Link {
  public:
    /// Throws std::invalid_argument if settings.jid is not a bare domainpart.
    Session(base::asio::any_io_executor executor, ComponentSettings settings, base::Clock& clock,
            base::Random& random);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Connects, now and whenever the stream breaks.
    void start();
    /// Tells the peers, ends the stream and waits for everything that uses this object. Afterwards
    /// it may be destroyed.
    base::Task<void> stop();

    struct Status {
        bool established = false;
        std::optional<base::TimePoint> since;  ///< of the current state, to be shown ...
        base::SteadyPoint steady_since{};      ///< ... and to be measured
        std::string last_error;  ///< of the last attempt that failed; empty while there is none
    };
    const Status& status() const { return status_; }

    void on_established(std::function<void()> call) { on_established_ = std::move(call); }
    /// `jid`: a component that is there: it sent its presence, or anything at all after an exchange
    /// with it had failed.
    void on_presence(std::function<void(std::string jid)> call) { on_presence_ = std::move(call); }
    /// Who is told of our presence when the stream is there, and when it ends in good order.
    void peers_from(std::function<std::vector<std::string>()> peers) { peers_ = std::move(peers); }
    /// Whether a component is a peer: a stranger's presence means nothing, and nothing of it is
    /// remembered. By default everybody is.
    void known_by(std::function<bool(const std::string& jid)> known) { known_ = std::move(known); }

    /// What the form promises to components that ask for it; by default, nothing. `told`: the form
    /// has been sent to `peer`, a bare domainpart, and `promised` something or not.
    void promises_by(std::function<std::optional<Promise>()> says,
                     std::function<void(const std::string& peer, bool promised)> told) {
        says_ = std::move(says);
        told_ = std::move(told);
    }

    /// For the next stream; the one that is there has been let in.
    void use_secret(std::string secret) { settings_.secret = std::move(secret); }
    /// Goes out of service, or back into it, and tells the peers.
    void retire(bool retired);
    /// The form has changed: the peers are told to look at it again.
    void look_again();
    /// The same for one of them.
    void greet(const std::string& peer);

    /// Peers that have not answered a request for `time`.
    std::vector<std::string> unanswered(std::chrono::milliseconds time) const;
    /// `peer` is there, and has answered something newer: who has waited for longer than `time` for
    /// an answer of it need not wait on. (To ask again is harmless.)
    void give_up_on(const std::string& peer, std::chrono::milliseconds time);

    const ComponentSettings& settings() const override { return settings_; }
    bool established() const override { return status_.established; }
    base::Task<IqReply> request(std::string to, std::string type, std::string payload,
                                std::chrono::milliseconds limit) override;
    base::Result<void> send(std::string stanza) override;
    void set_transfer_handler(TransferHandler* handler) override { transfer_handler_ = handler; }
    LogLimiter& log_limiter() override { return log_limiter_; }

  private:
    struct Pending {
        Jid to;
        base::OneShot<IqReply>* answer = nullptr;  ///< in the frame of request()
        std::chrono::steady_clock::time_point since;
    };

    base::Task<void> run();
    base::Task<base::Error> serve(std::shared_ptr<Stream> stream);
    base::Task<void> announce();
    /// Says what the log has left out.
    base::Task<void> tell_left_out();
    void went_up();
    void went_down(const base::Error& error);
    void on_event(XmlEvent event);
    void on_stanza(const gloox::Tag& stanza, std::shared_ptr<const gloox::Tag> kept);
    void on_refused(const RefusedStanza& stanza);
    void on_transfer(TransferStanza stanza);
    void on_answer(const IqHead& head, IqReply reply);
    void on_message(const gloox::Tag& message);
    void on_request(const gloox::Tag& iq, const IqHead& head);
    /// Answers somebody who need not be a peer; not if too much waits to be written already, or
    /// too much of that is for the same organisation. Whether the answer has been sent.
    bool answer_stranger(const std::string& peer, const base::Result<std::string>& answer);
    bool is_ours(const std::string& to) const;
    void peer_is_alive(const std::string& from, bool by_presence);
    /// Bounds what presences of one organisation's peers can make us do.
    bool may_announce(const std::string& peer);
    bool is_known(const std::string& peer) const { return !known_ || known_(peer); }
    void note_trouble(const std::string& peer, const IqReply& reply);
    void fail_pending(const base::Error& error);
    std::string next_id();
    std::string server() const;

    base::asio::any_io_executor executor_;
    ComponentSettings settings_;
    base::Clock& clock_;
    base::Random& random_;
    base::TaskGroup tasks_;
    base::Signal wake_;
    base::Signal stopped_;
    LogLimiter log_limiter_;
    std::shared_ptr<Stream> stream_;
    Status status_;
    bool stopping_ = false;
    bool started_ = false;
    std::map<std::string, Pending> pending_;
    /// Peers whose last exchange got no answer from themselves, and when; the oldest give way.
    std::map<std::string, std::chrono::steady_clock::time_point> troubled_;
    struct Announcements {
        base::SteadyPoint since{};
        int count = 0;
    };
    std::map<mail::Organisation, Announcements> announcements_;  ///< bounded
    /// Bytes of answers that were put behind others since nothing waited to be written; no more
    /// entries than may wait then.
    std::map<mail::Organisation, std::size_t> answered_;
    std::string id_prefix_;
    std::uint64_t ids_ = 0;
    std::function<void()> on_established_;
    std::function<void(std::string)> on_presence_;
    std::function<std::vector<std::string>()> peers_;
    std::function<bool(const std::string&)> known_;
    std::function<std::optional<Promise>()> says_;
    std::function<void(const std::string&, bool)> told_;
    TransferHandler* transfer_handler_ = nullptr;
};

}  // namespace component
