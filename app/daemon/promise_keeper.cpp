#include "app/daemon/promise_keeper.hpp"

namespace app {

PromiseKeeper::PromiseKeeper(queue::StorageThread& storage, const base::Clock& clock,
                             base::ClockTrust& trust, const queue::Router& router,
                             component::Discovery& discovery, queue::Dispatcher& dispatcher,
                             Routes& routes, FindSession find_session)
    : router_(router),
      discovery_(discovery),
      dispatcher_(dispatcher),
      routes_(routes),
      find_session_(std::move(find_session)),
      promises_(storage, clock, trust, router.bonds(), calls()) {
    discovery_.on_bond(
        [this](const mail::Domain& domain, const std::string& peer) { bind(domain, peer); });
    discovery_.keep_if(
        [this](const mail::Domain& domain) { return router_.bonds()->binds(domain.ascii()); });
}

void PromiseKeeper::announce_by(component::Session& session) {
    const std::string& component = components_.emplace_back(session.settings().jid);
    session.promises_by(
        [this, component](const std::string& peer) { return promise_to(component, peer); });
}

base::Task<void> PromiseKeeper::use(std::map<std::string, queue::PromiseTerms> terms) {
    promises_.configure(std::move(terms));
    co_await promises_.renew();
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
    if (peer.empty()) {
        routes_.look_at_all();
        return dispatcher_.lane_changed(component);
    }
    for (const std::string& domain : router_.bonds()->domains_of(peer)) {
        routes_.look_at(domain);
        dispatcher_.peer_has_left({queue::Lane::xmpp, component, domain});
    }
}

std::optional<component::Promise> PromiseKeeper::promise_to(const std::string& component,
                                                            const std::string& peer) {
    auto announced = promises_.tell(component, peer, discovery_.knows(peer));
    if (!announced) return std::nullopt;
    return component::Promise{std::move(announced->domains), announced->until};
}

}  // namespace app
