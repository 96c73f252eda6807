#include "queue/peers/stored_peers.hpp"

namespace queue {

base::Task<base::Result<std::vector<KnownPeer>>> StoredPeers::load(
    std::optional<mail::Domain> after, std::size_t most) {
    LoadPeers load{after ? after->ascii() : std::string(), most};
    auto peers = co_await storage_.read(std::move(load));
    co_return peers;
}

base::Task<base::Result<void>> StoredPeers::remember(KnownPeer peer) {
    RememberPeer remember{std::move(peer)};
    const auto done = co_await storage_.write(std::move(remember));
    if (!done) co_return done.error();
    co_return base::Result<void>();
}

base::Task<base::Result<void>> StoredPeers::forget(std::vector<mail::Domain> domains) {
    ForgetPeers forget{std::move(domains)};
    const auto done = co_await storage_.write(std::move(forget));
    if (!done) co_return done.error();
    co_return base::Result<void>();
}

}  // namespace queue
