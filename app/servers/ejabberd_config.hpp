// EjabberdConfig: which components ejabberd's configuration lets connect, and where.
//
// A value, read from ejabberd.yml and the files that it includes. Fails as Errc::io (a file can't
// be read), Errc::syntax (it is no YAML) or Errc::limit (too much of it).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace app {

/// A listener with `module: ejabberd_service`.
struct EjabberdService {
    std::uint16_t port = 0;  ///< 0: another kind of address
    /// Components that may connect here, as Jid has them. Each may write stanzas from any of them.
    /// Empty: whoever knows the password, under any name.
    std::vector<std::string> hosts;
    bool check_from = true;  ///< false: they may write from any address at all

    bool has_host(const std::string& jid) const;
};

base::Result<std::vector<EjabberdService>> read_ejabberd_services(
    const std::filesystem::path& file);

}  // namespace app
