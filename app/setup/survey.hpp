// survey: what is on this machine, and what the administrator wants of it.
//
// Asks the servers' own tools, and the administrator for what they can't tell. Changes nothing.
//
// Tested by tests/package/test_setup.py.
#pragma once

#include "app/servers/ejabberd_config.hpp"
#include "app/servers/prosody_config.hpp"
#include "app/setup/asker.hpp"
#include "app/setup/postfix_edits.hpp"
#include "app/setup/site.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// What the command line says.
struct SetupOptions {
    std::filesystem::path config;      ///< packetboat.conf
    std::vector<std::string> domains;  ///< empty: the administrator is asked
    std::string component;             ///< empty: proposed
    bool yes = false;
    bool print = false;
    bool undo = false;
    bool force = false;                 ///< of undo: whatever waits
    bool require_certificates = false;  ///< of other servers' links
};

struct Survey {
    Site site;
    std::string conf;  ///< packetboat.conf as it is
    std::optional<ProsodyConfig> prosody;
    std::optional<EjabberdConfig> ejabberd;
    std::string main_cf;    ///< text
    std::string master_cf;  ///< text
    MainCf main;
};

/// Errc::not_found (our configuration, a server, or what it serves), Errc::conflict (a name or a
/// port is in use), Errc::syntax (a name that is none), Errc::closed (nobody answers).
base::Result<Survey> survey(const SetupOptions& options, Asker& asker);

}  // namespace app
