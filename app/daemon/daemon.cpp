#include "app/daemon/daemon.hpp"

#include "app/log.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "queue/sqlite/sqlite_questions.hpp"

#include <algorithm>
#include <chrono>

namespace app {
namespace {

constexpr auto kWatchEvery = std::chrono::minutes(1);
constexpr auto kLinkWarning =
    std::chrono::minutes(1);  // a link that is down longer is worth a warning
// A peer that has not answered for so long is asked whether it is there ...
constexpr auto kUnanswered = std::chrono::seconds(5);
// ... and if it is, what it was asked longer ago than this is lost. A batch with many recipients
// may take a peer's mail server some time.
constexpr auto kSwallowed = std::chrono::seconds(20);
// How long what waits for peers is left alone at the start, until our links are up.
constexpr auto kLinksTime = std::chrono::seconds(3);
constexpr auto kGrace = std::chrono::seconds(5);  // for answers that are under way at the stop
// Silent peers that are asked whether they are back: so many in turn, as each look takes a step for
// each, and each turn so long that they are asked a few times. Whoever's turn is far is tried when
// its mail is due.
constexpr std::size_t kProbed = 500;
constexpr auto kProbedFor = std::chrono::minutes(1);
// Peers that are told of our presence, within 20 s; the others find out when they have mail for us.
constexpr std::size_t kGreeted = 10'000;

smtp_bridge::CourierSettings courier_settings(const Config& config) {
    smtp_bridge::CourierSettings settings;
    settings.deliver_to = config.deliver_to;
    settings.return_to = config.return_to;
    settings.hostname = config.hostname;
    settings.authserv_id = config.authserv_id;
    for (const auto& component : config.components)
        settings.assurance[component.jid] = component::to_text(component.assurance);
    return settings;
}

component::DiscoverySettings discovery_settings(const Config& config, const queue::Router& router) {
    component::DiscoverySettings settings = config.discovery;
    settings.ours = router.ours();
    return settings;
}

smtp_bridge::CheckerSettings checker_settings(const Config& config) {
    smtp_bridge::CheckerSettings settings;
    settings.deliver_to = config.deliver_to;
    return settings;
}

}  // namespace

Daemon::Daemon(base::asio::any_io_executor executor, Config config,
               std::unique_ptr<queue::Store> store)
    : executor_(executor),
      config_(std::move(config)),
      router_(store->router()),
      clock_trust_(store->clock_trust()),
      lists_(store->lists()),
      storage_(executor, std::make_unique<queue::SqliteLedger>(std::move(store))),
      reader_(executor, std::make_unique<queue::SqliteQuestions>(config_.store.directory)),
      peers_(storage_),
      transfers_(storage_),
      retirement_(storage_),
      off_(executor, storage_, clock_, *clock_trust_, [this](bool off) { set_off(off); }),
      senders_(config_.senders, clock_, log::sender_beyond),
      gate_(config_.classes, clock_),
      routes_(config_, router_, senders_),
      hand_over_(executor, config_),
      certificates_(executor, config_, clock_),
      discovery_(executor, discovery_settings(config_, router_), clock_, random_, peers_,
                 routes_.table()),
      promises_(executor, config_, storage_, reader_, clock_, *clock_trust_, *lists_, discovery_,
                [this] { return verified_link(); }),
      resolver_(config_.discovery.resolver),
      dispatcher_(executor, storage_, config_.store.retry, clock_, random_),
      keeper_(executor, storage_, clock_, *clock_trust_, router_, discovery_, dispatcher_, routes_,
              [this](const std::string& component) { return session_of(component); }),
      intake_(storage_,
              [this](const queue::Destination& destination) { dispatcher_.arrived(destination); }),
      reports_(storage_,
               [this](const queue::Destination& destination) { dispatcher_.arrived(destination); }),
      slowed_(clock_),
      complaints_(storage_, slowed_),
      complaint_rounds_(
          storage_, reader_, slowed_, clock_, config_.complaints.plan, stopping_,
          [this](const queue::Destination& destination) { dispatcher_.arrived(destination); }),
      housekeeping_(
          storage_, reader_, clock_, config_.warn_after, stopping_,
          [this](const queue::Destination& destination) { dispatcher_.arrived(destination); }),
      dns_lists_(executor, clock_, *lists_,
                 std::make_unique<component::DnsAddressResolver>(config_.discovery.resolver)),
      owners_(executor, clock_,
              std::make_unique<component::DnsTextResolver>(config_.discovery.resolver)),
      pools_(executor, {config_.hostname, {}, config_.client_tls}),
      checker_(executor, pools_, checker_settings(config_)),
      smtp_courier_(executor, pools_, courier_settings(config_), &owners_),
      watched_smtp_(smtp_courier_, router_, senders_),
      prober_(
          executor, {}, clock_, random_, [this] { return silent_peers(); },
          [this](const std::string& peer) { peer_has_answered(peer); }),
      refresher_(executor, discovery_),
      stopping_signal_(executor),
      complaints_stop_(executor),
      tasks_(executor) {
    discovery_.forget_by(*clock_trust_);
    discovery_.require_if(
        [this](const mail::Domain& domain) { return router_.is_required(domain.ascii()); });
    discovery_.on_departure([this](const mail::Domain& domain) {
        for (const auto& session : sessions_)
            dispatcher_.peer_has_left({queue::Lane::xmpp, session->settings().jid, domain.ascii()});
    });
    make_sessions();
}

void Daemon::make_sessions() {
    std::map<std::string, component::Link*> links;
    queue::RecipientCheck* const check = config_.check_recipients ? &checker_ : nullptr;
    for (const auto& settings : config_.components) {
        auto session = std::make_unique<component::Session>(executor_, settings, clock_, random_);
        session->on_presence(
            [this, over = session.get()](const std::string& peer) { peer_shows_up(*over, peer); });
        session->on_established([this, jid = settings.jid] { dispatcher_.link_is_up(jid); });
        session->peers_from([this] { return discovery_.components(kGreeted); });
        session->known_by([this](const std::string& peer) { return discovery_.heeds(peer); });
        keeper_.announce_by(*session);
        receivers_.push_back(std::make_unique<component::TransferReceiver>(
            executor_, *session, discovery_, gate_, intake_, transfers_, reports_, check, router_,
            clock_, config_.complaints.which.take ? &complaints_ : nullptr));
        receivers_.back()->on_sender(
            [this](const mail::Domain& domain) { dns_lists_.ask(domain); });
        links[settings.jid] = session.get();
        sessions_.push_back(std::move(session));
    }
    report_courier_ = std::make_unique<component::ReportCourier>(links, discovery_);
    dispatcher_.use(queue::Lane::report, *report_courier_);
    xmpp_courier_ =
        std::make_unique<component::XmppCourier>(executor_, std::move(links), discovery_, clock_);
    xmpp_courier_->promised_by([this](const queue::Destination& destination) {
        return router_.rule(destination).promised;
    });
    watched_xmpp_ = std::make_unique<queue::WatchedCourier>(*xmpp_courier_, router_, senders_);
    slowing_xmpp_ = std::make_unique<queue::SlowingCourier>(*watched_xmpp_, slowed_, clock_);
    dispatcher_.use(queue::Lane::xmpp, *slowing_xmpp_);
    dispatcher_.use(queue::Lane::local, watched_smtp_);
    dispatcher_.use(queue::Lane::relay, watched_smtp_);
}

void Daemon::peer_shows_up(component::Session& over, const std::string& peer) {
    // A stranger's word starts nothing, and that of one who takes no mail now a look at its
    // domains.
    if (!discovery_.knows(peer)) return look_at(&over, peer);
    prober_.expect(peer);
    peer_is_back(&over, peer);
}

void Daemon::peer_is_back(component::Session* over, const std::string& peer) {
    discovery_.seen(peer);
    dispatcher_.peer_is_back(peer);
    look_at(over, peer);
    keeper_.peer_is_back(peer);
}

void Daemon::look_at(component::Session* over, const std::string& peer) {
    // It waits until the component that it greeted has read its form: another one of ours does not
    // count for that.
    component::Session* const link =
        over != nullptr && over->established() ? over : first_established();
    if (link != nullptr && !stopping_) refresher_.look_at(*link, peer);
}

void Daemon::peer_has_answered(const std::string& peer) {
    // What a broken link has swallowed nobody will answer any more; its time-out is far away.
    for (const auto& session : sessions_)
        session->give_up_on(peer, kSwallowed);
    peer_is_back(nullptr, peer);
}

std::vector<component::Prober::Target> Daemon::silent_peers() {
    std::vector<component::Prober::Target> targets;
    // Those whose silence has not been given a name yet, as requests to them wait for an answer.
    for (const auto& session : sessions_) {
        for (auto& peer : session->unanswered(kUnanswered)) {
            if (discovery_.knows(peer)) targets.push_back({session.get(), std::move(peer)});
        }
    }
    const auto now = std::chrono::steady_clock::now();
    auto probed = dispatcher_.silent_peers(probed_behind_, kProbed);
    if (probed.empty() || now - probed_since_ >= kProbedFor) {
        // If they are not that many, it is always the same ones.
        probed_behind_.reset();
        if (probed.size() >= kProbed) probed_behind_ = probed.back();
        probed = dispatcher_.silent_peers(probed_behind_, kProbed);
        probed_since_ = now;
    }
    for (const auto& silent : probed) {
        if (component::Session* const session = session_of(silent.component))
            targets.push_back({session, silent.peer});
    }
    return targets;
}

base::Result<void> Daemon::listen() {
    const auto admission = std::make_shared<smtp_bridge::Admission>();
    for (auto settings : config_.intakes) {
        settings.admission = admission;
        settings.senders = &senders_;
        servers_.push_back(
            std::make_unique<smtp_bridge::Server>(executor_, settings, router_, intake_));
        if (auto started = servers_.back()->start(); !started) return started;
    }
    return {};
}

base::Task<base::Result<void>> Daemon::read_retired() {
    const auto names = co_await retirement_.load();
    if (!names) co_return names.error();
    for (const auto& name : *names)
        set_retired(name, true);
    co_return base::Result<void>();
}

void Daemon::set_retired(const std::string& component, bool retired) {
    if (component::Session* const session = session_of(component)) session->retire(retired);
    promises_.set_retired(component, retired);
    keeper_.set_retired(component, retired);
    open_routes();
    dispatcher_.link_is_up(component);
}

void Daemon::open_routes() {
    // Whose mail it is, Postfix does not say: it is told only when none of us sends any more.
    const bool sends = std::ranges::any_of(
        sessions_, [](const auto& session) { return !session->settings().retired; });
    routes_.close(off_.off() || !sends);
}

void Daemon::set_off(bool off) {
    keeper_.set_off(off);
    xmpp_courier_->pass_by(off ? "XMPP is switched off here (packetboat off)" : "");
    if (!off) tasks_.spawn("promise", [this] { return keeper_.once(); });
    open_routes();
    for (const auto& session : sessions_)
        dispatcher_.lane_changed(session->settings().jid);
}

base::Task<base::Result<void>> Daemon::retire(std::string component, bool retired) {
    if (const auto jid = component::Jid::parse(component)) component = jid->full();
    if (session_of(component) == nullptr)
        co_return base::fail(base::Errc::not_found, component + " is no component of ours");
    auto done = co_await retirement_.set(component, retired);
    if (!done) co_return done;
    log::retired(component, retired);
    set_retired(component, retired);
    co_return done;
}

std::vector<base::Error> Daemon::read_lists(const Config& config) {
    auto faults = list_files_.read(config.lists);
    lists_->use_files(list_files_.lists());
    dns_lists_.use(config.dns_lists);
    for (const auto& list : list_files_.lists())
        log::list_in_force(list.name, queue::to_text(list.makes), list.domains->size());
    return faults;
}

void Daemon::adopt(const Config& config) {
    base::log::set_level(config.log_level);
    for (const auto& fault : read_lists(config))
        log::list_refused(fault);
    const auto before = router_.lanes();
    router_.replace_lanes(config.lanes);
    routes_.look_at_policies(*before);
    senders_.use(config.senders);
    complaint_rounds_.use(config.complaints.plan);
    gate_.use(config.classes);
    tasks_.spawn("promise", [this, terms = config.promises]() mutable {
        return keeper_.use(std::move(terms));
    });
    for (const auto& settings : config.components) {
        if (component::Session* const session = session_of(settings.jid))
            session->use_secret(settings.secret);
    }
    for (const auto& server : servers_) {
        for (const auto& settings : config.intakes) {
            if (settings.name == server->name()) server->reload(settings);
        }
    }
}

base::Task<base::Result<void>> Daemon::start(std::function<void(base::Error)> give_up) {
    storage_.on_damage(give_up);
    base::Result<void> loaded = co_await discovery_.load();
    if (!loaded) co_return loaded;
    loaded = co_await keeper_.load();
    if (!loaded) co_return loaded;
    loaded = co_await read_retired();
    if (!loaded) co_return loaded;
    loaded = co_await off_.load();
    if (!loaded) co_return loaded;
    keeper_.set_off(off_.off().has_value());
    const auto faults = read_lists(config_);
    if (!faults.empty()) co_return faults.front();
    loaded = co_await promises_.load();
    if (!loaded) co_return loaded;
    co_await keeper_.use(config_.promises);
    // The mail server may ask these when it is asked itself.
    base::Result<void> listening = routes_.start(
        executor_, promises_.lane(), [this](const mail::Domain& domain) { discover(domain); });
    if (!listening) co_return listening;
    const base::Result<void> in_place = co_await hand_over_.look();
    if (!in_place) co_return in_place;
    listening = listen();
    if (!listening) co_return listening;
    if (config_.complaints.which.take) co_await complaint_rounds_.load();
    dispatcher_.expect_links(links_to_come(), kLinksTime);
    base::Result<void> started = co_await dispatcher_.start();
    if (!started) co_return started;
    // What waits may have to leave now: the last process may have died before it did.
    if (off_.off()) set_off(true);
    for (const auto& session : sessions_)
        session->start();
    prober_.start();
    tasks_.spawn("watch", [this] { return watch(); });
    tasks_.spawn("off", [this] { return off_.go_on(); });
    const queue::ComplaintSettings& complaints = config_.complaints.which;
    if (complaints.send || complaints.take)
        tasks_.spawn("complaints", [this] { return watch_complaints(); });
    tasks_.spawn("hand-over", [this, give_up] { return hand_over_.go_on(give_up); });
    tasks_.spawn("certificates", [this] { return certificates_.go_on(); });
    co_return base::Result<void>();
}

base::Task<void> Daemon::stop() {
    stopping_ = true;
    stopping_signal_.notify();
    complaints_stop_.notify();
    hand_over_.stop();
    certificates_.stop();
    off_.stop();
    routes_.stop();
    xmpp_courier_->stop();

    // What is under way may still be answered, and what is not is sent again by the next start.
    base::TaskGroup winding_down(executor_);
    for (const auto& server : servers_)
        winding_down.spawn("stop", [&server] { return server->stop(); });
    for (const auto& receiver : receivers_)
        winding_down.spawn("stop", [&receiver] { return receiver->stop(); });
    winding_down.spawn("stop", [this] { return dispatcher_.stop(); });
    base::OneShot<bool> settled(executor_);
    tasks_.spawn("stop", [&winding_down, &settled]() -> base::Task<void> {
        co_await winding_down.join();
        settled.set(true);
    });
    co_await settled.wait(kGrace);

    // Now everything that waits for somebody else is told that nobody will answer.
    for (const auto& session : sessions_)
        tasks_.spawn("stop", [&session] { return session->stop(); });
    tasks_.spawn("stop", [this] { return prober_.stop(); });
    tasks_.spawn("stop", [this] { return refresher_.stop(); });
    tasks_.spawn("stop", [this] { return promises_.stop(); });
    tasks_.spawn("stop", [this] { return keeper_.stop(); });
    tasks_.spawn("stop", [this] { return pools_.stop(); });
    tasks_.spawn("stop", [this] { return smtp_courier_.stop(); });
    tasks_.spawn("stop", [this] { return checker_.stop(); });
    tasks_.spawn("stop", [this] { return owners_.stop(); });
    tasks_.spawn("stop", [this] { return dns_lists_.stop(); });
    co_await tasks_.join();
    co_await discovery_.stop();
}

component::Session* Daemon::session_of(const std::string& component) const {
    const auto found = std::ranges::find(
        sessions_, component, [](const auto& session) { return session->settings().jid; });
    return found == sessions_.end() ? nullptr : found->get();
}

component::Session* Daemon::first_established() const {
    for (const auto& session : sessions_) {
        if (session->established()) return session.get();
    }
    return nullptr;
}

component::Link* Daemon::verified_link() const {
    for (const auto& session : sessions_) {
        const bool verifies = session->settings().assurance == component::Assurance::pkix;
        if (session->established() && verifies) return session.get();
    }
    return nullptr;
}

std::set<std::string> Daemon::links_to_come() const {
    std::set<std::string> components;
    for (const auto& session : sessions_) {
        if (!session->settings().retired) components.insert(session->settings().jid);
    }
    return components;
}

void Daemon::discover(const mail::Domain& domain) {
    // Without a link nothing can be found out; the domain is asked for again by its next mail.
    component::Session* const link = first_established();
    if (link == nullptr || stopping_) return;
    tasks_.spawn("discover", [this, link, domain]() -> base::Task<void> {
        const component::Found found =
            co_await discovery_.find(*link, domain, component::Discovery::Reason::hint);
        static_cast<void>(found);  // what was found stands in the route table
    });
}

base::Task<component::Report> Daemon::look_up(mail::Domain domain) {
    component::Session* const link = first_established();
    if (link == nullptr) {
        component::Report report;
        report.found.state = component::Found::State::down;
        report.found.why = "no component of ours is connected";
        co_return report;
    }
    const base::TaskGroup::Member member(tasks_);
    component::Report report = co_await discovery_.look_up(*link, std::move(domain));
    co_return report;
}

base::Task<component::OwnDomain> Daemon::look_at_own(mail::Domain domain) {
    component::Session* const link = first_established();
    if (link == nullptr) {
        component::OwnDomain own;
        own.fault = component::OwnDomain::Fault::unknown;
        own.why = "no component of ours is connected";
        co_return own;
    }
    const base::TaskGroup::Member member(tasks_);
    std::string component = router_.component_of(domain);
    component::OwnDomain own =
        co_await component::look_at_own(*link, resolver_, std::move(domain), std::move(component));
    co_return own;
}

base::Task<void> Daemon::watch() {
    while (!stopping_) {
        co_await housekeeping_.once();
        dns_lists_.look();
        co_await promises_.once();
        look_after_links();
        co_await keeper_.once();
        for (const auto& receiver : receivers_)
            receiver->sweep();
        co_await stopping_signal_.wait(kWatchEvery);
    }
}

base::Task<void> Daemon::watch_complaints() {
    while (!stopping_) {
        co_await complaint_rounds_.once(config_.complaints.which);
        const auto pause = complaint_rounds_.pause();
        co_await complaints_stop_.wait(pause);
    }
}

void Daemon::look_after_links() {
    for (const auto& session : sessions_) {
        const auto& status = session->status();
        if (status.established || !status.since) continue;
        const auto age = clock_.steady() - status.steady_since;
        if (age >= kLinkWarning) log::link_is_down(session->settings().jid, age, status.last_error);
    }
}

}  // namespace app
