// UnverifiedSenders: which of the domains that we send for a peer cannot verify, and since when.
//
// A domain that is none of our XMPP server's (no virtual host, no name in the DNS) is answered with
// <busy cause='unverified'/>, by every peer and for ever, although SMTP would take its mail. So
// mail of a domain that a peer could not verify for some time goes by SMTP, and only now and then
// one is sent to see whether it can by now. In memory: after a restart the time begins anew. Pure;
// event loop; bounded; cannot fail.
#pragma once

#include "base/clock.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace component {

/// How long mail waits for a peer to verify its sender's domain, at most: longer than the restart
/// of a server or a short outage of the DNS takes.
inline constexpr auto kUnverifiedWait = std::chrono::minutes(15);

class UnverifiedSenders {
  public:
    /// `peer` could not verify `domain`. True if that is new: worth a line in the log.
    bool refused(const mail::Domain& domain, const std::string& peer, std::string why,
                 base::SteadyPoint now);
    /// `peer` has given a verdict on mail of `domain`, so that it has verified it.
    void verified(const mail::Domain& domain, const std::string& peer);
    /// What `peer` said last, if it has not been able to verify `domain` for `patience`.
    std::optional<std::string> given_up(const mail::Domain& domain, const std::string& peer,
                                        std::chrono::milliseconds patience) const;
    /// Whether a mail of a domain that was given up is to be sent, to see if it is verified now.
    bool is_to_be_tried(const mail::Domain& domain, const std::string& peer,
                        base::SteadyPoint now) const;
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        base::SteadyPoint since{};
        base::SteadyPoint last{};  ///< that it was refused
        std::string why;
    };
    using Key = std::pair<mail::Domain, std::string>;

    void make_room(base::SteadyPoint now);

    std::map<Key, Entry> entries_;
};

}  // namespace component
