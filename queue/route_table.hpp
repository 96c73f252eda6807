// RouteTable: what discovery knows, as a table that any thread can read at once.
#pragma once

#include "mail/domain.hpp"

#include <functional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace queue {

enum class Route { unknown, smtp, xmpp };

/// Written by discovery on the event loop, read by the route lookup on a thread of its own. Bounded
/// by limits::kKnownDomains: beyond it, negative entries are dropped.
class RouteTable {
  public:
    /// `ours`: what Router::ours() says. It is never listed, whoever says what: mail to it that
    /// Postfix gave to us would come back to Postfix, and so on.
    explicit RouteTable(std::set<std::string, std::less<>> ours = {}) : ours_(std::move(ours)) {}

    /// Hears of each domain (A-labels) that begins to be, or is no longer, routed over XMPP. Called
    /// where set() is.
    using OnChange = std::function<void(const std::string& domain, bool xmpp)>;

    /// Of ours it is known that it goes by SMTP.
    Route find(const mail::Domain& domain) const;
    void set(const mail::Domain& domain, Route route);  ///< Route::unknown forgets it
    /// While it is closed, all mail goes by SMTP, and nothing is unknown.
    void close(bool closed);
    /// Before anything else is called.
    void on_change(OnChange call) { on_change_ = std::move(call); }
    /// None while it is closed.
    std::vector<std::string> xmpp_domains() const;
    std::size_t size() const;

  private:
    const std::set<std::string, std::less<>> ours_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, Route> routes_;
    bool closed_ = false;
    OnChange on_change_;
};

}  // namespace queue
