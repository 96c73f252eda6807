// prosody_edits: what `packetboat setup` has to say to Prosody, as the text of a file of its own in
// conf.d. Pure functions on what Prosody's configuration comes to.
//
// An option stands in place of another one of the same name, so what it has now goes into the new
// one.
#pragma once

#include "app/servers/prosody_config.hpp"
#include "app/setup/site.hpp"

#include <string>
#include <vector>

namespace app {

inline constexpr const char* kProsodyOwnFile = "/etc/prosody/conf.d/packetboat.cfg.lua";

/// The file for this site (`site.require_certificates`: of other servers, too); `before`: what is
/// in it now, or "". A component that stands elsewhere is left there. `module_folder`: has to be
/// named, as Prosody looks nowhere else; else "".
std::string prosody_file(const ProsodyConfig& prosody, const Site& site, const std::string& before,
                         const std::string& module_folder = "");

/// prosody.cfg.lua, with our file included unless all of conf.d is.
std::string prosody_main(const std::string& text);

/// What of it another file has set otherwise, if it was read after ours: a line each. `prosody`: as
/// it is now, with our file.
std::vector<std::string> prosody_faults(const ProsodyConfig& prosody, const Site& site);

/// A JSON value as Lua writes it, in one line.
std::string to_lua(const boost::json::value& value);

}  // namespace app
