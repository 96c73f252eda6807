#include "app/daemon/promise_keeper.hpp"

#include "base/async.hpp"

#include <algorithm>

namespace app {
namespace {

constexpr std::size_t kReleased = 100;  // domains at a time: a component may serve thousands

}  // namespace

PromiseKeeper::PromiseKeeper(base::asio::any_io_executor executor, queue::StorageThread& storage,
                             const base::Clock& clock, base::ClockTrust& trust,
                             const queue::Router& router, component::Discovery& discovery,
                             queue::Dispatcher& dispatcher, Routes& routes,
                             FindSession find_session)
    : router_(router),
      discovery_(discovery),
      dispatcher_(dispatcher),
      routes_(routes),
      find_session_(std::move(find_session)),
      promises_(storage, clock, trust, router.bonds(), calls()),
      tasks_(executor) {
    discovery_.on_bond(
        [this](const mail::Domain& domain, const std::string& peer) { bind(domain, peer); });
    // As long as nobody there can hold a promise for true, silence gives a domain up as ever.
    discovery_.keep_if([this](const mail::Domain& domain) {
        const queue::OwnBonds& bonds = *router_.bonds();
        return bonds.binds(domain.ascii()) && promises_.may_believe(bonds.peer_of(domain.ascii()));
    });
}

void PromiseKeeper::announce_by(component::Session& session) {
    const std::string& component = components_.emplace_back(session.settings().jid);
    session.promises_by(
        [this, component]() -> std::optional<component::Promise> {
            auto says = promises_.says(component);
            if (!says) return std::nullopt;
            return component::Promise{std::move(says->domains), says->until};
        },
        [this, component](const std::string& peer, bool promised) {
            promises_.told(component, peer, discovery_.knows(peer), promised);
        });
}

base::Task<void> PromiseKeeper::use(std::map<std::string, queue::PromiseTerms> terms) {
    for (auto& [component, wanted] : terms) {
        std::erase_if(wanted.domains, [&, name = component](const mail::Domain& domain) {
            return !may_promise(name, domain);
        });
    }
    std::erase_if(terms, [](const auto& each) { return each.second.domains.empty(); });
    promises_.configure(std::move(terms));
    co_await promises_.renew();
}

bool PromiseKeeper::may_promise(const std::string& component, const mail::Domain& domain) const {
    const component::Session* const session = find_session_(component);
    if (session == nullptr) return false;
    const component::ComponentSettings& settings = session->settings();
    return settings.assurance == component::Assurance::pkix &&
           std::ranges::find(settings.domains, domain) != settings.domains.end();
}

base::Task<void> PromiseKeeper::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

void PromiseKeeper::peer_is_back(const std::string& peer) {
    for (const std::string& component : components_) {
        if (promises_.is_unread(component, peer)) find_session_(component)->greet(peer);
    }
}

queue::OwnPromises::Calls PromiseKeeper::calls() {
    queue::OwnPromises::Calls calls;
    calls.changed = [this](const std::string& component) {
        component::Session* const session = find_session_(component);
        // One that retires says so by itself.
        if (session != nullptr && !session->settings().retired) session->look_again();
    };
    calls.unread = [this](const std::string& component, const std::string& peer) {
        component::Session* const session = find_session_(component);
        if (session != nullptr) session->greet(peer);
    };
    calls.released = [this](const std::string& component, const std::string& peer) {
        release(component, peer);
    };
    return calls;
}

void PromiseKeeper::bind(const mail::Domain& domain, const std::string& peer) {
    queue::OwnBonds& bonds = *router_.bonds();
    const bool was = bonds.binds(domain.ascii());
    const bool changed = bonds.set_peer(domain.ascii(), peer);
    if (!peer.empty()) bonds.set_limit(peer, discovery_.capability_of(peer).max_size);
    if (changed && was != bonds.binds(domain.ascii())) routes_.look_at(domain.ascii());
}

void PromiseKeeper::release(const std::string& component, const std::string& peer) {
    const queue::OwnBonds& bonds = *router_.bonds();
    const bool has_read = !peer.empty();
    auto domains = has_read ? bonds.domains_of(peer) : bonds.domains();
    if (!has_read) dispatcher_.lane_changed(component);
    tasks_.spawn("release", [this, component, domains = std::move(domains), has_read]() mutable {
        return release_all(component, std::move(domains), has_read);
    });
}

base::Task<void> PromiseKeeper::release_all(std::string component, std::vector<std::string> domains,
                                            bool has_read) {
    std::size_t done = 0;
    for (const std::string& domain : domains) {
        if (stopping_) co_return;
        routes_.look_at(domain);
        if (has_read) dispatcher_.peer_has_left({queue::Lane::xmpp, component, domain});
        if (++done % kReleased == 0) co_await base::sleep_for(std::chrono::milliseconds(0));
    }
}

}  // namespace app
