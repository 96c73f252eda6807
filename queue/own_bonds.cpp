#include "queue/own_bonds.hpp"

#include <algorithm>
#include <mutex>

namespace queue {

bool OwnBonds::binds(std::string_view component, std::string_view domain) const {
    const std::shared_lock lock(mutex_);
    const auto promise = promises_.find(component);
    if (promise == promises_.end()) return false;
    const auto peer = peers_.find(domain);
    return peer != peers_.end() && holds(promise->second, peer->second);
}

bool OwnBonds::binds(std::string_view domain) const {
    const std::shared_lock lock(mutex_);
    if (promises_.empty()) return false;
    const auto peer = peers_.find(domain);
    return peer != peers_.end() && std::ranges::any_of(promises_, [&](const auto& entry) {
               return holds(entry.second, peer->second);
           });
}

bool OwnBonds::has_promised(std::string_view domain) const {
    const std::shared_lock lock(mutex_);
    return std::ranges::any_of(
        promises_, [&](const auto& entry) { return entry.second.domains.contains(domain); });
}

bool OwnBonds::set_peer(const std::string& domain, const std::string& peer) {
    const std::unique_lock lock(mutex_);
    const auto found = peers_.find(domain);
    const std::string before = found == peers_.end() ? std::string() : found->second;
    if (before == peer) return false;
    if (!before.empty()) {
        const auto siblings = domains_of_.find(before);
        siblings->second.erase(domain);
        if (siblings->second.empty()) {
            domains_of_.erase(siblings);
            limits_.erase(before);
        }
        peers_.erase(found);
    }
    if (!peer.empty()) {
        peers_.emplace(domain, peer);
        domains_of_[peer].insert(domain);
    }
    return true;
}

std::string OwnBonds::peer_of(std::string_view domain) const {
    const std::shared_lock lock(mutex_);
    const auto peer = peers_.find(domain);
    return peer == peers_.end() ? std::string() : peer->second;
}

std::vector<std::string> OwnBonds::domains_of(const std::string& peer) const {
    const std::shared_lock lock(mutex_);
    const auto found = domains_of_.find(peer);
    if (found == domains_of_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

void OwnBonds::set_limit(const std::string& peer, std::size_t bytes) {
    const std::unique_lock lock(mutex_);
    if (domains_of_.contains(peer)) limits_.insert_or_assign(peer, bytes);
}

std::size_t OwnBonds::limit_of(std::string_view domain) const {
    const std::shared_lock lock(mutex_);
    const auto peer = peers_.find(domain);
    if (peer == peers_.end()) return SIZE_MAX;
    const auto limit = limits_.find(peer->second);
    return limit == limits_.end() ? SIZE_MAX : limit->second;
}

std::vector<std::string> OwnBonds::domains() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::string> all;
    all.reserve(peers_.size());
    for (const auto& [domain, peer] : peers_)
        all.push_back(domain);
    return all;
}

void OwnBonds::promise(const std::string& component, std::set<std::string, std::less<>> domains,
                       bool announced, std::set<std::string, std::less<>> unread) {
    const std::unique_lock lock(mutex_);
    promises_.insert_or_assign(component,
                               Promise{std::move(domains), announced, std::move(unread)});
}

void OwnBonds::end(const std::string& component) {
    const std::unique_lock lock(mutex_);
    promises_.erase(component);
}

void OwnBonds::add_unread(const std::string& component, const std::string& peer) {
    const std::unique_lock lock(mutex_);
    const auto promise = promises_.find(component);
    if (promise != promises_.end()) promise->second.unread.insert(peer);
}

void OwnBonds::has_read(const std::string& component, const std::string& peer) {
    const std::unique_lock lock(mutex_);
    const auto promise = promises_.find(component);
    if (promise != promises_.end()) promise->second.unread.erase(peer);
}

}  // namespace queue
