// EjabberdConfig: which components ejabberd's configuration lets connect, and what it demands of
// other servers.
//
// A value, read from ejabberd.yml and the files that it includes. Fails as Errc::io (a file can't
// be read), Errc::syntax (it is no YAML) or Errc::limit (too much of it).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace app {

/// A listener with `module: ejabberd_service`.
struct EjabberdService {
    std::uint16_t port = 0;  ///< 0: another kind of address
    /// Components that may connect here, as Jid has them. Each may write stanzas from any of them.
    /// Empty: whoever knows the password, under any name.
    std::vector<std::string> hosts;
    bool check_from = true;                 ///< false: they may write from any address at all
    std::uint64_t max_stanza = UINT64_MAX;  ///< bytes
    std::map<std::string, std::string> passwords;  ///< by host

    bool has_host(const std::string& jid) const;
};

struct EjabberdConfig {
    std::vector<EjabberdService> services;
    std::uint64_t max_stanza = UINT64_MAX;  ///< of another server, in bytes
    std::string starttls;                   ///< `s2s_use_starttls`; empty: not said
    std::uint64_t max_retry_delay = 300;    ///< seconds, after a failed dial
    std::set<std::string> hosts;
    std::set<std::string> options;  ///< names at the top
    std::set<std::string> modules;
    std::set<std::uint16_t> ports;  ///< of all listeners

    bool requires_tls() const { return starttls == "required"; }
    /// The DNS alone will do for another server.
    bool takes_dialback() const { return modules.contains("mod_s2s_dialback"); }
};

base::Result<EjabberdConfig> read_ejabberd(const std::filesystem::path& file);

}  // namespace app
