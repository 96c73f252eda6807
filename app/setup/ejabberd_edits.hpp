// ejabberd_edits: what `packetboat setup` changes for ejabberd: a file of its own, and in
// ejabberd.yml as few lines as can be. Pure functions on texts.
//
// ejabberd appends lists of an included file to its own, and takes no option twice. Comments and
// order stay, as lines are changed and nothing is written anew. Errc::syntax: it is no YAML, or is
// written in a way that lines can't be added to; the text says what to do by hand.
#pragma once

#include "app/servers/ejabberd_config.hpp"
#include "app/setup/site.hpp"
#include "base/result.hpp"

#include <string>

namespace app {

inline constexpr const char* kEjabberdFile = "/etc/ejabberd/ejabberd.yml";
inline constexpr const char* kEjabberdOwnFile = "/etc/ejabberd/packetboat.yml";

/// ejabberd.yml with our file included, and without what stands in that. `before`: all of it as it
/// is, with the files that it includes. With `site.require_certificates` without dialback, too, and
/// with TLS required.
base::Result<std::string> ejabberd_main(const std::string& text, const EjabberdConfig& before,
                                        const Site& site);

/// Our file. `before`: all that there is without it; `main`: the text of ejabberd.yml.
base::Result<std::string> ejabberd_own(const EjabberdConfig& before, const std::string& main,
                                       const Site& site);

/// ejabberdctl.cfg, with connections that don't hold back what they write.
std::string ejabberd_options(std::string text);

}  // namespace app
