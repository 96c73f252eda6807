// Resolver: does a domain run an XMPP server? Asked of the DNS, by its SRV records (protocol,
// Discovery).
//
// DnsResolver drives c-ares from the event loop, without a thread. Each question has a channel of
// its own, so that nothing is shared and a changed resolv.conf counts at once.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "mail/domain.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace component {

/// `absent`: NXDOMAIN, no such record. `denied`: the target "." for one of the names, and nothing
/// better for the other. `unknown`: SERVFAIL, time-out.
enum class SrvAnswer { exists, absent, denied, unknown };

class Resolver {
  public:
    virtual ~Resolver() = default;
    /// _xmpps-server._tcp and _xmpp-server._tcp of `domain`. Bounded by about 20 s.
    virtual base::Task<SrvAnswer> find_server(mail::Domain domain) = 0;
};

class DnsResolver final : public Resolver {
  public:
    /// `server`: `IP` or `IP:port`, `[IPv6]:port`; empty: as the system's resolv.conf says.
    explicit DnsResolver(std::string server) : server_(std::move(server)) {}
    base::Task<SrvAnswer> find_server(mail::Domain domain) override;

  private:
    std::string server_;
};

/// Where other servers find one of XMPP.
struct ServerAddress {
    std::string host;
    std::uint16_t port = 0;
    bool direct_tls = false;  ///< XEP-0368: TLS from the first octet on
};
/// The targets of _xmpp-server._tcp of `domain`, the best first, eight at most; of
/// _xmpps-server._tcp if it has only those; the domain itself at port 5269 if it has no such record
/// (RFC 6120 3.2.2). Errc::not_found if the target is "."; Errc::timeout with what c-ares says if
/// the DNS does not answer. `server` as above; ten seconds at most.
base::Task<base::Result<std::vector<ServerAddress>>> find_servers(std::string server,
                                                                  mail::Domain domain);

/// Whether the DNS server answers at all, whatever it says: it is asked for the name servers of the
/// root. `server` as above; ten seconds at most. Errc::timeout with what c-ares says of it.
base::Task<base::Result<void>> probe_resolver(std::string server);

}  // namespace component
