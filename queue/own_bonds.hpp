// OwnBonds: to which domains mail of ours goes over XMPP or not at all, as we have promised that to
// their component: a promise is announced, or its withdrawal has not been read there.
//
// Written on the event loop by queue/peers/own_promises and by what discovery finds, read on any
// thread. Bounded by those: components of ours, peers that were told, domains that are known.
//
// Tested by tests/unit/queue/peers/own_promises_test.cpp.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

class OwnBonds {
  public:
    /// Mail that `component` of ours sends to `domain` (A-labels).
    bool binds(std::string_view component, std::string_view domain) const;
    /// Mail to `domain`, whichever component of ours sends it.
    bool binds(std::string_view domain) const;
    /// A component of ours has promised it for mail from this domain, and exactly this.
    bool has_promised(std::string_view domain) const;

    /// `domain` is served by `peer`, from which we have had a verdict; empty: by none such. Whether
    /// that has changed.
    bool set_peer(const std::string& domain, const std::string& peer);
    /// Empty: none.
    std::string peer_of(std::string_view domain) const;
    std::vector<std::string> domains_of(const std::string& peer) const;
    /// `peer`, which serves a domain, takes messages of so many bytes.
    void set_limit(const std::string& peer, std::size_t bytes);
    /// What the peer of `domain` takes; SIZE_MAX if that is not known.
    std::size_t limit_of(std::string_view domain) const;
    /// All that have a peer.
    std::vector<std::string> domains() const;

    /// What `component` of ours promises for `domains`: it announces that, or else has withdrawn
    /// it, and `unread` are the peers that have not read so.
    void promise(const std::string& component, std::set<std::string, std::less<>> domains,
                 bool announced, std::set<std::string, std::less<>> unread);
    void end(const std::string& component);
    void add_unread(const std::string& component, const std::string& peer);
    void has_read(const std::string& component, const std::string& peer);

  private:
    struct Promise {
        std::set<std::string, std::less<>> domains;
        bool announced = false;
        std::set<std::string, std::less<>> unread;
    };
    static bool holds(const Promise& promise, const std::string& peer) {
        return promise.announced || promise.unread.contains(peer);
    }

    mutable std::shared_mutex mutex_;
    std::map<std::string, Promise, std::less<>> promises_;     ///< by component of ours
    std::map<std::string, std::string, std::less<>> peers_;    ///< by domain
    std::map<std::string, std::set<std::string>> domains_of_;  ///< by peer
    std::map<std::string, std::size_t> limits_;                ///< by peer, of those
};

}  // namespace queue
