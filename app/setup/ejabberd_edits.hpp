// ejabberd_edits: what `packetboat setup` changes for ejabberd: a file of its own, and in
// ejabberd.yml as few lines as can be. Pure functions on texts.
//
// ejabberd appends lists of an included file to its own, and takes no option twice. Comments and
// order stay, as lines are changed and nothing is written anew. Errc::syntax: it is no YAML, or is
// written in a way that lines can't be added to; the text says what to do by hand.
#pragma once

#include "app/setup/site.hpp"
#include "base/result.hpp"

#include <set>
#include <string>

namespace app {

inline constexpr const char* kEjabberdFile = "/etc/ejabberd/ejabberd.yml";
inline constexpr const char* kEjabberdOwnFile = "/etc/ejabberd/packetboat.yml";

/// What matters of ejabberd.yml.
struct EjabberdMain {
    std::set<std::string> hosts;
    std::set<std::string> options;  ///< names at the top
    std::set<std::string> modules;
    std::set<std::uint16_t> ports;   ///< of all listeners
    bool requires_tls = false;       ///< `s2s_use_starttls: required`, or not said
    bool has_disco_options = false;  ///< `mod_disco` is there, and is not `{}`
    bool includes_ours = false;

    /// `pkix` where a certificate is the only way in, else `dialback`.
    std::string assurance() const;
};

base::Result<EjabberdMain> read_ejabberd_main(const std::string& text);

/// ejabberd.yml with our file included, and without what stands in that.
base::Result<std::string> ejabberd_main(std::string text, const Site& site,
                                        bool require_certificates);

/// Our file. `before`: ejabberd.yml as it is without it.
std::string ejabberd_own(const EjabberdMain& before, const Site& site);

/// ejabberdctl.cfg, with connections that don't hold back what they write.
std::string ejabberd_options(std::string text);

}  // namespace app
