// Daemon: all rooms, wired together, from start to stop.
//
// Owns everything that runs. Lives on the event loop's thread, and is destroyed before the loop.
//
// Tested by tests/e2e/test_the_job.py.
#pragma once

#include "app/config/config.hpp"
#include "app/daemon/certificate_watch.hpp"
#include "app/daemon/hand_over_watch.hpp"
#include "app/daemon/list_files.hpp"
#include "app/daemon/off_watch.hpp"
#include "app/daemon/promise_keeper.hpp"
#include "app/daemon/promises.hpp"
#include "app/daemon/routes.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "component/discovery/discovery.hpp"
#include "component/discovery/dns_lists.hpp"
#include "component/discovery/domain_owners.hpp"
#include "component/discovery/own_domain.hpp"
#include "component/discovery/refresher.hpp"
#include "component/incoming/class_gate.hpp"
#include "component/incoming/transfer_receiver.hpp"
#include "component/outgoing/prober.hpp"
#include "component/outgoing/report_courier.hpp"
#include "component/outgoing/xmpp_courier.hpp"
#include "component/stream/session.hpp"
#include "queue/delivery/complaint_rounds.hpp"
#include "queue/delivery/dispatcher.hpp"
#include "queue/delivery/housekeeping.hpp"
#include "queue/delivery/slowing_courier.hpp"
#include "queue/delivery/watched_courier.hpp"
#include "queue/intake/queue_intake.hpp"
#include "queue/intake/stored_complaints.hpp"
#include "queue/intake/stored_reports.hpp"
#include "queue/intake/stored_transfers.hpp"
#include "queue/ledger/reader.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/peers/retirement.hpp"
#include "queue/peers/stored_peers.hpp"
#include "queue/sender_counts.hpp"
#include "queue/slowed_senders.hpp"
#include "queue/sqlite/store/store.hpp"
#include "smtp-bridge/client/recipient_checker.hpp"
#include "smtp-bridge/client/smtp_courier.hpp"
#include "smtp-bridge/server/server.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace app {

class Daemon {
  public:
    Daemon(base::asio::any_io_executor executor, Config config,
           std::unique_ptr<queue::Store> store);

    /// Listens, and begins to work. The error says what could not be had, and where. `give_up` is
    /// called, once at most, when it turns out later that it must not run: it is to be stopped.
    base::Task<base::Result<void>> start(std::function<void(base::Error)> give_up);
    /// Takes nothing more, gives what is under way a few seconds, and returns when all is settled.
    base::Task<void> stop();

    // For the control socket.
    const Config& config() const { return config_; }
    queue::StorageThread& storage() { return storage_; }
    bool is_stopping() const { return stopping_; }
    queue::Reader& reader() { return reader_; }
    base::ClockTrust& clock_trust() { return *clock_trust_; }
    queue::Dispatcher& dispatcher() { return dispatcher_; }
    const queue::Router& router() const { return router_; }
    queue::SenderCounts& senders() { return senders_; }
    const queue::PeerLists& lists() const { return *lists_; }
    Promises& promises() { return promises_; }
    const queue::OwnPromises& own_promises() const { return keeper_.promises(); }
    const component::ClassGate& gate() const { return gate_; }
    component::Discovery& discovery() { return discovery_; }
    const component::Discovery& discovery() const { return discovery_; }
    const std::vector<std::unique_ptr<component::Session>>& sessions() const { return sessions_; }
    base::Task<component::Report> look_up(mail::Domain domain);
    /// What others find of a domain of ours.
    base::Task<component::OwnDomain> look_at_own(mail::Domain domain);
    /// Takes a component of ours out of service, or back into it, also for the next start.
    /// Errc::not_found, Errc::storage.
    base::Task<base::Result<void>> retire(std::string component, bool retired);
    /// The emergency switch.
    OffWatch& off() { return off_; }
    const OffWatch& off() const { return off_; }
    /// Takes over what can be changed without a restart (app/daemon/reload.hpp).
    void adopt(const Config& config);

  private:
    void make_sessions();
    base::Result<void> listen();
    base::Task<base::Result<void>> read_retired();
    /// What is wrong with its files.
    std::vector<base::Error> read_lists(const Config& config);
    void set_retired(const std::string& component, bool retired);
    void set_off(bool off);
    /// Whether Postfix is told of XMPP.
    void open_routes();
    void discover(const mail::Domain& domain);
    void peer_shows_up(component::Session& over, const std::string& peer);
    /// `over`: the session that has heard it; nullptr: any.
    void peer_is_back(component::Session* over, const std::string& peer);
    /// Its domains are asked again, over that session.
    void look_at(component::Session* over, const std::string& peer);
    void peer_has_answered(const std::string& peer);
    std::vector<component::Prober::Target> silent_peers();
    /// nullptr: no component of ours has this name.
    component::Session* session_of(const std::string& component) const;
    component::Session* first_established() const;
    component::Link* verified_link() const;
    std::set<std::string> links_to_come() const;
    base::Task<void> watch();
    base::Task<void> watch_complaints();
    void look_after_links();

    base::asio::any_io_executor executor_;
    Config config_;
    base::SystemClock clock_;
    base::SystemRandom random_;
    queue::Router router_;
    std::shared_ptr<base::ClockTrust> clock_trust_;
    std::shared_ptr<queue::PeerLists> lists_;
    queue::StorageThread storage_;
    queue::Reader reader_;
    queue::StoredPeers peers_;
    queue::StoredTransfers transfers_;
    queue::Retirement retirement_;
    OffWatch off_;
    queue::SenderCounts senders_;
    component::ClassGate gate_;
    Routes routes_;
    HandOverWatch hand_over_;
    CertificateWatch certificates_;
    component::Discovery discovery_;
    Promises promises_;
    component::DnsResolver resolver_;  ///< for what is ours
    queue::Dispatcher dispatcher_;
    PromiseKeeper keeper_;
    queue::QueueIntake intake_;
    queue::StoredReports reports_;
    queue::SlowedSenders slowed_;
    queue::StoredComplaints complaints_;
    queue::ComplaintRounds complaint_rounds_;
    std::optional<queue::Agenda::SilentPeer> probed_behind_;  ///< whose turn it is to be asked
    std::chrono::steady_clock::time_point probed_since_{};
    queue::Housekeeping housekeeping_;
    ListFiles list_files_;
    component::DnsLists dns_lists_;
    component::DomainOwners owners_;  ///< of the domains that mails show
    smtp_bridge::Pools pools_;
    smtp_bridge::RecipientChecker checker_;
    std::vector<std::unique_ptr<component::Session>> sessions_;
    std::vector<std::unique_ptr<component::TransferReceiver>> receivers_;
    std::unique_ptr<component::XmppCourier> xmpp_courier_;
    std::unique_ptr<component::ReportCourier> report_courier_;
    smtp_bridge::SmtpCourier smtp_courier_;
    std::unique_ptr<queue::WatchedCourier> watched_xmpp_;
    std::unique_ptr<queue::SlowingCourier> slowing_xmpp_;
    queue::WatchedCourier watched_smtp_;
    component::Prober prober_;
    component::Refresher refresher_;
    std::vector<std::unique_ptr<smtp_bridge::Server>> servers_;
    base::Signal stopping_signal_;
    base::Signal complaints_stop_;
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace app
